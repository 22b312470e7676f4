package io.trimtab.apiserver.admission.webhook;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.AdmissionPlugin.Attributes;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoded;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A write, at any of the versions that webhooks may want to see it at. Used by one thread. */
public final class Write {
    private static final Decoder DECODER = new Decoder(SchemaRegistry.builtin());

    final Attributes attributes;
    final Form form;
    private final ResourceRegistry registry;
    private final @Nullable Served served;
    /** At the versions that were asked for; emptied when the object changes. */
    private final Map<Form, Optional<ObjectNode>> objects = new HashMap<>();

    private final Map<Form, Optional<ObjectNode>> olds = new HashMap<>();

    public Write(Attributes attributes, ResourceRegistry registry) {
        this.attributes = attributes;
        this.registry = registry;
        ApiResource resource = attributes.resource();
        this.served = registry.find(resource.group(), resource.version(), resource.plural());
        this.form = Form.of(served == null ? resource : served.resource(), attributes.subresource());
    }

    /** The write as it was sent. */
    public Attributes attributes() {
        return attributes;
    }

    /** How it was sent. */
    public Form form() {
        return form;
    }

    /** The namespace that selectors look at: a Namespace is in itself. */
    public String namespace() {
        return isNamespace() ? attributes.name() : attributes.namespace();
    }

    public boolean isNamespace() {
        ApiResource resource = attributes.resource();
        return resource.plural().equals("namespaces") && resource.group().isEmpty();
    }

    /** The same objects under other names or versions, in the order of discovery. */
    public List<Form> equivalents() {
        String prefix = attributes.resource().keyPrefix();
        List<Form> found = new ArrayList<>();
        for (Served other : registry.all()) {
            ApiResource resource = other.resource();
            if (!resource.equals(attributes.resource())
                    && resource.keyPrefix().equals(prefix)
                    && (attributes.subresource().isEmpty()
                            || resource.subresources().containsKey(attributes.subresource()))) {
                found.add(Form.of(resource, attributes.subresource()));
            }
        }
        return found;
    }

    /** The labels of the namespace that this is a write in. */
    public Map<String, String> namespaceLabels() {
        ObjectNode object = attributes.object();
        if (isNamespace() && attributes.subresource().isEmpty() && object != null) {
            // The store does not have it yet, or not with these labels.
            return labels(object);
        }
        return attributes
                .context()
                .storage()
                .get(CoreResources.NAMESPACES, null, namespace())
                .map(StoredObject::labels)
                .orElseThrow(() -> Statuses.notFound("", "namespaces", namespace()));
    }

    /** The labels that selectors look at: of the object as it is sent on, and a Scale has none. */
    public Map<String, String> labelsSeen(@Nullable JsonNode object) {
        return attributes.subresource().equals("scale") ? Map.of() : labels(object);
    }

    /** The labels of an object; empty if it has none, or is none. */
    public static Map<String, String> labels(@Nullable JsonNode object) {
        Map<String, String> labels = new LinkedHashMap<>();
        if (object != null) {
            object.path("metadata")
                    .path("labels")
                    .fields()
                    .forEachRemaining(
                            label -> labels.put(label.getKey(), label.getValue().asText()));
        }
        return labels;
    }

    /** The new state at a version; null if there is none. Not to be changed. */
    public @Nullable ObjectNode object(Form at) {
        return objects.computeIfAbsent(at, f -> Optional.ofNullable(show(attributes.object(), f)))
                .orElse(null);
    }

    /** The stored state at a version; null if there is none. Not to be changed. */
    public @Nullable ObjectNode old(Form at) {
        return olds.computeIfAbsent(at, f -> Optional.ofNullable(show(attributes.old(), f)))
                .orElse(null);
    }

    private @Nullable ObjectNode show(@Nullable ObjectNode tree, Form at) {
        if (tree == null) {
            return null;
        }
        if (at.subresource().equals("scale") && served != null) {
            Kind.Scale scale = served.kind().scale();
            return scale == null ? tree : scaleOf(tree, scale);
        }
        if (at.isOther()) {
            return schema(at).map(schema -> Canonical.of(tree, schema)).orElse(tree);
        }
        Served to = registry.find(
                at.resource().group(), at.resource().version(), at.resource().plural());
        if (served == null || to == null) {
            return tree;
        }
        return Canonical.of(to == served ? tree : convert(tree, served, to), to.schema());
    }

    private static ObjectNode convert(ObjectNode tree, Served from, Served to) {
        ObjectNode stored = tree.deepCopy();
        if (from.conversion() != null) {
            stored = from.conversion().toStorage(stored);
        }
        return to.conversion() == null ? stored : to.conversion().fromStorage(stored);
    }

    private static Optional<Schema> schema(Form form) {
        return SchemaRegistry.builtin().forKind(form.group(), form.version(), form.kind());
    }

    /**
     * Takes a new state over into the write.
     *
     * @param patched at this version
     * @return whether that changed anything
     * @throws DecodeException if it does not fit its type
     */
    public boolean replace(Form at, ObjectNode patched) throws DecodeException {
        return replace(at, patched, false, new ArrayList<>());
    }

    /**
     * The same, for those who mind unknown fields.
     *
     * @param unknown is told of them; then nothing is changed
     */
    public boolean replace(Form at, ObjectNode patched, List<String> unknown) throws DecodeException {
        return replace(at, patched, true, unknown);
    }

    private boolean replace(Form at, ObjectNode patched, boolean strict, List<String> unknown) throws DecodeException {
        ObjectNode target = attributes.object();
        ObjectNode before = object(at);
        if (target == null || before == null) {
            throw new IllegalStateException("there is no object to change");
        }
        ObjectNode next;
        if (at.isOther() || served == null) {
            Optional<Schema> schema = schema(at);
            next = schema.isPresent() ? fit(patched, schema.get(), unknown) : patched;
            if (at.subresource().equals("scale") && served != null) {
                Kind.Scale scale = served.kind().scale();
                if (scale != null) {
                    setReplicas(
                            target,
                            scale.specReplicas(),
                            next.path("spec").path("replicas").asInt(0));
                    objects.clear();
                }
                return !next.path("spec").equals(before.path("spec"));
            }
        } else {
            Served from = registry.find(
                    at.resource().group(),
                    at.resource().version(),
                    at.resource().plural());
            if (from == null) {
                throw new DecodeException("no kind \"" + at.kind() + "\" is served");
            }
            checkKind(at, patched);
            next = fit(patched, from.schema(), unknown);
            if (strict && !unknown.isEmpty()) {
                return false;
            }
            from.kind().defaults(next);
            if (from != served) {
                next = Canonical.of(convert(next, from, served), served.schema());
            }
        }
        target.removeAll();
        target.setAll(next);
        objects.clear();
        return !before.equals(object(at));
    }

    /** A patch may not make another thing of the object. */
    private static void checkKind(Form at, ObjectNode patched) throws DecodeException {
        String kind = patched.path("kind").asText("");
        String apiVersion = patched.path("apiVersion").asText("");
        if (kind.equals(at.kind()) && apiVersion.equals(at.resource().apiVersion())) {
            return;
        }
        int slash = apiVersion.indexOf('/');
        String group = slash < 0 ? "" : apiVersion.substring(0, slash);
        String version = apiVersion.substring(slash + 1);
        Optional<Schema> schema = SchemaRegistry.builtin().forKind(group, version, kind);
        if (schema.isEmpty()) {
            throw new DecodeException("no kind \"" + kind + "\" is registered for version \"" + apiVersion
                    + "\" in scheme \"pkg/runtime/scheme.go:110\"");
        }
        DECODER.convert(patched, schema.get());
        throw new DecodeException("converting (" + version + "." + kind + ") to (" + at.version() + "." + at.kind()
                + "): unknown conversion");
    }

    private static ObjectNode fit(ObjectNode patched, Schema schema, List<String> unknown) throws DecodeException {
        Decoded decoded = DECODER.convert(patched, schema);
        unknown.addAll(decoded.strictErrors());
        ObjectNode fitted = decoded.object();
        for (String field : new String[] {"kind", "apiVersion"}) {
            if (patched.has(field)) {
                fitted.set(field, patched.get(field));
            }
        }
        return fitted;
    }

    private static ObjectNode scaleOf(ObjectNode object, Kind.Scale scale) {
        ObjectNode result = object.objectNode();
        result.put("kind", "Scale").put("apiVersion", "autoscaling/v1");
        ObjectNode metadata = result.putObject("metadata");
        for (String field : new String[] {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
            JsonNode value = object.path("metadata").get(field);
            if (value != null) {
                metadata.set(field, value);
            }
        }
        result.putObject("spec").put("replicas", object.at(scale.specReplicas()).asInt(0));
        ObjectNode status = result.putObject("status");
        status.put("replicas", object.at(scale.statusReplicas()).asInt(0));
        String selector = scale.selectorText().apply(object);
        if (selector != null && !selector.isEmpty()) {
            status.put("selector", selector);
        }
        return result;
    }

    private static void setReplicas(ObjectNode object, String pointer, int replicas) {
        JsonPointer at = JsonPointer.compile(pointer);
        ObjectNode parent = object;
        while (at.tail() != null && !at.tail().matches()) {
            String name = at.getMatchingProperty();
            parent = parent.get(name) instanceof ObjectNode child ? child : parent.putObject(name);
            at = at.tail();
        }
        parent.put(at.getMatchingProperty(), replicas);
    }
}
