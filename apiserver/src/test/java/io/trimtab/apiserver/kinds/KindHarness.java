package io.trimtab.apiserver.kinds;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.runtime.VirtualDriver;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Walks objects through the steps of a write, as far as they are the kinds'. */
final class KindHarness {
    static final String UID = "UID";

    final VirtualDriver driver = VirtualDriver.create();
    final Storage storage = new DefaultStorage(MemoryStore.create(), driver, resource -> Map.of());
    final Kinds kinds = new Kinds(new KindsOptions("10.254.0.0/16", "30000-32767"));
    final List<String> warnings = new ArrayList<>();
    private final SchemaRegistry schemas = SchemaRegistry.builtin();
    private final Decoder decoder = new Decoder(schemas);

    /** What came of a write: an object, or a Status. */
    record Outcome(int code, ObjectNode body) {}

    Outcome create(ObjectNode object) {
        try {
            ObjectNode decoded = decode(object);
            Kind kind = kindOf(decoded);
            ObjectNode metadata = Trees.make(decoded, "metadata");
            metadata.put("uid", UID);
            if (kind.managesGeneration()) {
                metadata.put("generation", 1);
            }
            WriteContext context = context(decoded, "");
            kind.dropDisabled(decoded);
            kind.prepareCreate(decoded, context);
            FieldErrors errors = new FieldErrors();
            kind.validateCreate(decoded, errors, context);
            refuse(decoded, errors);
            kind.warn(decoded, null, warnings);
            kind.allocate(decoded, null, context).commit();
            return new Outcome(201, encode(decoded));
        } catch (StatusException e) {
            return new Outcome(e.code(), e.status());
        }
    }

    Outcome update(ObjectNode object, ObjectNode old) {
        return update(object, old, "");
    }

    Outcome update(ObjectNode object, ObjectNode old, String subresource) {
        try {
            ObjectNode decoded = decode(object);
            Kind kind = kindOf(decoded);
            WriteContext context = context(decoded, subresource);
            FieldErrors errors = new FieldErrors();
            kind.dropDisabled(decoded);
            decoded = Canonical.contents(decoded, schema(object));
            if (subresource.equals("status")) {
                kind.prepareStatusUpdate(decoded, old, context);
                kind.validateStatusUpdate(decoded, old, errors, context);
                refuse(decoded, errors);
                return new Outcome(200, encode(decoded));
            }
            if (old.has("status")) {
                decoded.set("status", old.get("status").deepCopy());
            }
            kind.prepareUpdate(decoded, old, context);
            if (kind.isValidatedAsNewToo()) {
                kind.validateCreate(decoded, errors, context);
            }
            if (kind.managesGeneration() && kind.isSpecChange(decoded, old)) {
                ObjectNode metadata = Trees.make(decoded, "metadata");
                metadata.put("generation", (int) Trees.number(metadata, "generation") + 1);
            }
            kind.validateUpdate(decoded, old, errors, context);
            refuse(decoded, errors);
            kind.allocate(decoded, old, context).commit();
            return new Outcome(200, encode(decoded));
        } catch (StatusException e) {
            return new Outcome(e.code(), e.status());
        }
    }

    void delete(ObjectNode object) {
        kindOf(object).allocate(null, object, context(object, "")).commit();
    }

    Kind kindOf(ObjectNode object) {
        return kinds.forGroupKind(group(object), object.path("kind").asText());
    }

    WriteContext context(ObjectNode object, String subresource) {
        JsonNode metadata = object.path("metadata");
        String kind = object.path("kind").asText();
        ApiResource resource = new ApiResource(
                group(object),
                version(object),
                kind.toLowerCase(Locale.ROOT) + "s",
                kind.toLowerCase(Locale.ROOT),
                kind,
                true,
                Set.of(),
                List.of(),
                List.of(),
                Map.of(),
                false);
        return new WriteContext(
                resource,
                subresource,
                metadata.path("namespace").asText(""),
                metadata.path("name").asText(""),
                false,
                null,
                storage,
                driver,
                warnings);
    }

    ObjectNode decode(ObjectNode object) {
        String group = group(object);
        String version = version(object);
        String kind = object.path("kind").asText();
        Schema schema = schema(object);
        ObjectNode decoded = decoder.decode(
                        object.toString().getBytes(StandardCharsets.UTF_8),
                        Decoder.Syntax.JSON,
                        new Decoder.Target(group, version, kind, schema, false))
                .object();
        kinds.forGroupKind(group, kind).defaults(decoded);
        return decoded;
    }

    private ObjectNode encode(ObjectNode object) {
        ObjectNode before = object.deepCopy();
        kindOf(object).defaults(object);
        if (!before.equals(object)) {
            throw new AssertionError("defaults are not idempotent: " + before + " became " + object);
        }
        return Canonical.of(object, schema(object));
    }

    private Schema schema(ObjectNode object) {
        return schemas.forKind(
                        group(object), version(object), object.path("kind").asText())
                .orElseThrow();
    }

    private static void refuse(ObjectNode object, FieldErrors errors) {
        if (!errors.isEmpty()) {
            throw Statuses.invalid(
                    group(object),
                    object.path("kind").asText(),
                    object.path("metadata").path("name").asText(),
                    errors);
        }
    }

    private static String group(ObjectNode object) {
        String version = object.path("apiVersion").asText();
        int slash = version.indexOf('/');
        return slash < 0 ? "" : version.substring(0, slash);
    }

    private static String version(ObjectNode object) {
        String version = object.path("apiVersion").asText();
        return version.substring(version.indexOf('/') + 1);
    }
}
