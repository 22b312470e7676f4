package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TreeTraversingParser;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads request bodies the way Kubernetes does: into the declared types, dropping what is not declared, refusing what has the
 * wrong type. Quantities, times and bytes come out in canonical form; null counts as absent in built-in kinds. Stateless, for
 * all threads.
 */
public final class Decoder {

    // Kubernetes gives up at 10000. Trees are walked by recursion here, and Jackson writes no deeper than this.
    private static final int MAX_DEPTH = 1000;
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxNumberLength(100_000)
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    /**
     * What a request's URL says its body is.
     *
     * @param custom for custom resources, which must say their kind and whose types are checked later, by validation
     */
    public record Target(String group, String version, String kind, Schema schema, boolean custom) {

        public String apiVersion() {
            return group.isEmpty() ? version : group + "/" + version;
        }
    }

    /** How a body is written. */
    public enum Syntax {
        JSON,
        YAML
    }

    private final SchemaRegistry registry;

    public Decoder(SchemaRegistry registry) {
        this.registry = registry;
    }

    /** @throws StatusException 400, if the body is malformed, of another kind, or does not fit the type */
    public Decoded decode(byte[] body, Syntax syntax, Target target) {
        return decode(body, syntax, target, false);
    }

    /**
     * As {@link #decode(byte[], Syntax, Target)}.
     *
     * @param lenient if unknown fields are of no interest: then a custom resource without a kind is refused in other words
     */
    public Decoded decode(byte[] body, Syntax syntax, Target target, boolean lenient) {
        ObjectNode usual =
                syntax == Syntax.JSON && !target.custom() ? Fitting.read(body, (TypeNode) target.schema()) : null;
        if (usual != null) {
            checkKind(textOf(usual.get("kind")), textOf(usual.get("apiVersion")), body, target, lenient);
            fillKind(usual, target);
            return new Decoded(usual, List.of());
        }
        List<String> strict = new ArrayList<>();
        Reading reading = new Reading(false);
        ObjectNode object;
        try (JsonParser parser = open(body, syntax, strict)) {
            object = reading.root(parser, (TypeNode) target.schema());
        } catch (DecodeException e) {
            if (e instanceof Malformed m) {
                throw unrecognized(m.getMessage(), body, target);
            }
            checkKind(reading.kind, reading.apiVersion, body, target, lenient);
            throw cannotHandle(target, e.getMessage());
        } catch (JsonProcessingException e) {
            throw unrecognized(
                    "couldn't get version/kind; json parse error: " + GoJsonSyntax.explain(body), body, target);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        checkKind(reading.kind, reading.apiVersion, body, target, lenient);
        if (!target.custom()) {
            fillKind(object, target);
        }
        strict.addAll(reading.strictErrors());
        return new Decoded(object, strict);
    }

    /**
     * Reads a tree that is already parsed, such as the outcome of a patch.
     *
     * @param tree not changed; the result shares nothing with it that is mutable
     * @throws DecodeException if it does not fit the type
     */
    public Decoded convert(JsonNode tree, Schema schema) throws DecodeException {
        return convert(tree, schema, new Reading(false));
    }

    /**
     * As {@link #convert}, in the words that Kubernetes has for the outcome of a strategic merge patch, which it does not take
     * through JSON.
     */
    public Decoded convertMerged(JsonNode tree, Schema schema) throws DecodeException {
        return convert(tree, schema, new Reading(true));
    }

    private static Decoded convert(JsonNode tree, Schema schema, Reading reading) throws DecodeException {
        ObjectNode usual = Fitting.copy(tree, (TypeNode) schema);
        if (usual != null) {
            return new Decoded(usual, List.of());
        }
        try (JsonParser parser = new TreeTraversingParser(tree)) {
            ObjectNode object = reading.root(parser, (TypeNode) schema);
            return new Decoded(object, reading.strictErrors());
        } catch (IOException e) {
            throw new DecodeException(String.valueOf(e.getMessage()));
        }
    }

    /**
     * Parses JSON or YAML without a schema.
     *
     * @param duplicates receives {@code duplicate field "a.b"}, or YAML's words for it
     * @throws DecodeException with Go's words if the text is malformed
     */
    public static JsonNode parse(byte[] body, Syntax syntax, List<String> duplicates) throws DecodeException {
        if (syntax == Syntax.JSON && Utf8.isValid(body)) {
            ObjectNode usual = StoredJson.sent(body);
            if (usual != null) {
                return usual;
            }
        }
        Reading reading = new Reading(false);
        try (JsonParser parser = open(body, syntax, duplicates)) {
            JsonNode node = reading.any(parser);
            duplicates.addAll(reading.strictErrors());
            return node;
        } catch (JsonProcessingException e) {
            throw new Malformed(GoJsonSyntax.explain(body));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonParser open(byte[] body, Syntax syntax, List<String> duplicates)
            throws IOException, DecodeException {
        if (syntax == Syntax.YAML) {
            return new TreeTraversingParser(YamlTree.read(body, duplicates));
        }
        return JSON.createParser(Utf8.isValid(body) ? body : Utf8.repair(body));
    }

    // Evictions are still taken at the version they had before; nothing about them has changed since.
    private static boolean isOlderEviction(String group, String version, String kind) {
        return kind.equals("Eviction") && group.equals("policy") && version.equals("v1beta1");
    }

    private static String textOf(@Nullable JsonNode node) {
        return node == null ? "" : node.asText();
    }

    private void checkKind(String kind, String apiVersion, byte[] body, Target target, boolean lenient) {
        if (apiVersion.indexOf('/') != apiVersion.lastIndexOf('/')) {
            throw unrecognized("unexpected GroupVersion string: " + apiVersion, body, target);
        }
        if (target.custom()) {
            if (kind.isEmpty()) {
                String why = "Object 'Kind' is missing in '" + new String(body, StandardCharsets.UTF_8) + "'";
                throw lenient ? cannotHandle(target, why) : unrecognized(why, body, target);
            }
            if (!apiVersion.equals(target.apiVersion())) {
                throw Statuses.badRequest("the API version in the data (" + apiVersion
                        + ") does not match the expected API version (" + target.apiVersion() + ")");
            }
            return;
        }
        int slash = apiVersion.indexOf('/');
        String group = apiVersion.isEmpty() ? target.group() : slash < 0 ? "" : apiVersion.substring(0, slash);
        String version = apiVersion.isEmpty() ? target.version() : apiVersion.substring(slash + 1);
        String actual = kind.isEmpty() ? target.kind() : kind;
        if (actual.equals(target.kind())
                && group.equals(target.group())
                && (version.equals(target.version()) || isOlderEviction(group, version, actual))) {
            return;
        }
        String why;
        if (!registry.isRegistered(group, version, actual)) {
            String groupVersion = group.isEmpty() ? version : group + "/" + version;
            why = "no kind \"" + actual + "\" is registered for version \"" + groupVersion
                    + "\" in scheme \"pkg/runtime/scheme.go:110\"";
        } else if (actual.equals(target.kind()) && group.equals(target.group())) {
            throw Statuses.badRequest("the API version in the data (" + apiVersion
                    + ") does not match the expected API version (" + target.apiVersion() + ")");
        } else {
            why = "converting (" + version + "." + actual + ") to (" + internalPackage(target.group()) + "."
                    + target.kind() + "): unknown conversion";
        }
        throw Statuses.badRequest(
                actual + " in version \"" + version + "\" cannot be handled as a " + target.kind() + ": " + why);
    }

    private static String internalPackage(String group) {
        if (group.isEmpty()) {
            return "core";
        }
        int dot = group.indexOf('.');
        return dot < 0 ? group : group.substring(0, dot);
    }

    private static void fillKind(ObjectNode object, Target target) {
        object.put("kind", target.kind());
        object.put("apiVersion", target.apiVersion());
    }

    private static StatusException cannotHandle(Target target, String why) {
        return Statuses.badRequest(target.kind() + " in version \"" + target.version() + "\" cannot be handled as a "
                + target.kind() + ": " + why);
    }

    /** The refusal of a body that cannot be read at all. */
    public static StatusException unrecognized(String why, byte[] body, Target target) {
        return Statuses.badRequest("the object provided is unrecognized (must be of type " + target.kind() + "): " + why
                + " (" + summary(body) + ")");
    }

    private static String summary(byte[] body) {
        if (body.length == 0) {
            return "<empty>";
        }
        int shown = Math.min(body.length, 30);
        String more = body.length > 30 ? " ..." : "";
        if (body[0] == '{') {
            return new String(body, 0, shown, StandardCharsets.UTF_8) + more;
        }
        StringBuilder hex = new StringBuilder();
        for (int i = 0; i < shown; i++) {
            hex.append(String.format(Locale.ROOT, "%02x", body[i]));
        }
        return hex + more;
    }

    /** Shows strict errors as a refusal: {@code Pod in version "v1" cannot be handled as a Pod: strict decoding error: ...}. */
    public static StatusException strictRefusal(Target target, List<String> strictErrors) {
        return cannotHandle(target, "strict decoding error: " + String.join(", ", strictErrors));
    }
}
