package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.resource.Kind;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Says what is wrong with a value by its structural schema, in the words of Kubernetes' validator. Safe for use by any thread.
 */
final class SchemaValidator {
    private final JsonNode root;
    private final Map<String, Pattern> patterns = new ConcurrentHashMap<>();

    /** What was found, and how many schemas were tried on the way: the best of several alternatives is the one that got furthest. */
    private static final class Findings {
        final FieldErrors errors = new FieldErrors();
        int visited;

        void merge(Findings other) {
            errors.addAll(other.errors);
            visited += other.visited;
        }
    }

    SchemaValidator(JsonNode schema) {
        this.root = schema;
    }

    /** Checks a whole object; its type and metadata are the server's own. */
    void validate(ObjectNode object, FieldErrors errors) {
        Findings findings = new Findings();
        check("", object, root, findings);
        errors.addAll(findings.errors);
    }

    /** What no schema can say of lists: that sets have no value twice, and list-maps no key. */
    void validateLists(ObjectNode object, FieldErrors errors) {
        new ListRules().check("", object, root, errors);
    }

    /** Checks the resources within a resource. */
    void validateEmbedded(ObjectNode object, FieldErrors errors) {
        EmbeddedResources.check("", object, root, errors);
    }

    /** Checks a value that is no whole object, such as a default. */
    void validateValue(JsonNode value, FieldErrors errors) {
        Findings findings = new Findings();
        check("", value, root, findings);
        errors.addAll(findings.errors);
        EmbeddedResources.check("", value, root, errors);
    }

    private void check(String path, JsonNode value, JsonNode schema, Findings out) {
        out.visited++;
        if (!checkType(path, value, schema, out.errors) || value.isNull()) {
            checkEnum(path, value, schema, out.errors);
            if (!value.isNull()) {
                checkShape(path, value, schema, out);
            }
            return;
        }
        checkJunctors(path, value, schema, out);
        checkShape(path, value, schema, out);
    }

    private void checkShape(String path, JsonNode value, JsonNode schema, Findings out) {
        if (value.isTextual()) {
            checkText(path, value.textValue(), schema, out.errors);
        } else if (value.isNumber()) {
            checkNumber(path, value, schema, out.errors);
        } else if (value.isArray()) {
            checkItems(path, value, schema, out);
        }
        if (!value.isNull()) {
            checkEnum(path, value, schema, out.errors);
        }
        if (value instanceof ObjectNode object) {
            checkFields(path, object, schema, out);
        }
    }

    /** False if the value is of another type. */
    private static boolean checkType(String path, JsonNode value, JsonNode schema, FieldErrors errors) {
        String type = schema.path("type").asText("");
        boolean intOrString = schema.path("x-kubernetes-int-or-string").asBoolean();
        if (type.isEmpty() && !intOrString) {
            return true;
        }
        String actual = typeName(value);
        String expected = intOrString ? "integer,string" : type;
        if (value.isNull()) {
            if (schema.path("nullable").asBoolean()) {
                return true;
            }
        } else if (intOrString
                ? value.isTextual() || isWhole(value)
                : type.equals(actual)
                        || type.equals("number") && value.isNumber()
                        || type.equals("integer") && isWhole(value)) {
            return true;
        }
        errors.typeInvalid(
                name(path), text(actual), in(path) + " must be of type " + expected + ": \"" + actual + "\"");
        return false;
    }

    private static boolean isWhole(JsonNode value) {
        return value.isIntegralNumber()
                || value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
    }

    private static String typeName(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT -> "object";
            case ARRAY -> "array";
            case STRING, BINARY, POJO -> "string";
            case BOOLEAN -> "boolean";
            case NUMBER -> value.isIntegralNumber() ? "integer" : "number";
            case NULL, MISSING -> "null";
        };
    }

    private void checkText(String path, String value, JsonNode schema, FieldErrors errors) {
        checkLength(path, value, schema, errors);
        String format = schema.path("format").asText("");
        if (!format.isEmpty() && !Formats.isValid(format, value)) {
            errors.typeInvalid(
                    name(path), text(value), in(path) + " must be of type " + format + ": " + FieldErrors.quote(value));
        }
    }

    /** The first of them that does not hold. */
    private void checkLength(String path, String value, JsonNode schema, FieldErrors errors) {
        int length = value.codePointCount(0, value.length());
        JsonNode max = schema.get("maxLength");
        JsonNode min = schema.get("minLength");
        String pattern = schema.path("pattern").asText("");
        if (max != null && length > max.asLong()) {
            errors.tooLong(name(path), max.asInt());
        } else if (min != null && length < min.asLong()) {
            errors.invalid(name(path), value, in(path) + " should be at least " + min.asLong() + " chars long");
        } else if (!pattern.isEmpty() && !matches(pattern, value)) {
            errors.invalid(name(path), value, in(path) + " should match '" + pattern + "'");
        }
    }

    private boolean matches(String pattern, String value) {
        try {
            return patterns.computeIfAbsent(pattern, SchemaValidator::compile)
                    .matcher(value)
                    .find();
        } catch (PatternSyntaxException e) {
            return false;
        }
    }

    /** Go's dollar means the very end of the text, Java's also the place before a last newline. */
    static Pattern compile(String pattern) {
        return Pattern.compile(
                pattern.endsWith("$") && !pattern.endsWith("\\$")
                        ? pattern.substring(0, pattern.length() - 1) + "\\z"
                        : pattern);
    }

    private static void checkNumber(String path, JsonNode value, JsonNode schema, FieldErrors errors) {
        BigDecimal number = value.decimalValue();
        JsonNode multiple = schema.get("multipleOf");
        if (multiple != null
                && multiple.decimalValue().signum() > 0
                && number.remainder(multiple.decimalValue()).signum() != 0) {
            errors.invalid(name(path), value, in(path) + " should be a multiple of " + multiple.asText());
        }
        JsonNode max = schema.get("maximum");
        if (max != null) {
            int order = number.compareTo(max.decimalValue());
            boolean exclusive = schema.path("exclusiveMaximum").asBoolean();
            if (order > 0 || exclusive && order == 0) {
                errors.invalid(
                        name(path),
                        value,
                        in(path) + " should be less than " + (exclusive ? "" : "or equal to ") + bound(max));
            }
        }
        JsonNode min = schema.get("minimum");
        if (min != null) {
            int order = number.compareTo(min.decimalValue());
            boolean exclusive = schema.path("exclusiveMinimum").asBoolean();
            if (order < 0 || exclusive && order == 0) {
                errors.invalid(
                        name(path),
                        value,
                        in(path) + " should be greater than " + (exclusive ? "" : "or equal to ") + bound(min));
            }
        }
    }

    private static String bound(JsonNode number) {
        BigDecimal plain = number.decimalValue().stripTrailingZeros();
        return plain.scale() <= 0 ? plain.toBigInteger().toString() : plain.toPlainString();
    }

    private void checkItems(String path, JsonNode value, JsonNode schema, Findings out) {
        if (schema.get("items") instanceof ObjectNode items) {
            for (int i = 0; i < value.size(); i++) {
                check(path + "[" + i + "]", value.get(i), items, out);
            }
        }
        JsonNode max = schema.get("maxItems");
        if (max != null && value.size() > max.asLong()) {
            out.errors.tooMany(name(path), value.size(), max.asInt());
        }
        JsonNode min = schema.get("minItems");
        if (min != null && value.size() < min.asLong()) {
            out.errors.invalid(name(path), value.size(), in(path) + " should have at least " + min.asLong() + " items");
        }
    }

    private static void checkEnum(String path, JsonNode value, JsonNode schema, FieldErrors errors) {
        JsonNode allowed = schema.get("enum");
        if (allowed == null || allowed.isEmpty()) {
            return;
        }
        List<String> shown = new ArrayList<>();
        for (JsonNode one : allowed) {
            if (Kind.sameValue(one, value)) {
                return;
            }
            shown.add(one.isTextual() ? one.textValue() : one.toString());
        }
        if (value.isNull() && schema.path("nullable").asBoolean()) {
            return;
        }
        errors.notSupportedInOrder(name(path), value, shown);
    }

    private void checkFields(String path, ObjectNode object, JsonNode schema, Findings out) {
        JsonNode max = schema.get("maxProperties");
        if (max != null && object.size() > max.asLong()) {
            out.errors.tooMany(name(path), object.size(), max.asInt());
        }
        JsonNode min = schema.get("minProperties");
        if (min != null && object.size() < min.asLong()) {
            out.errors.invalid(
                    name(path), object.size(), in(path) + " should have at least " + min.asLong() + " properties");
        }
        JsonNode properties = schema.path("properties");
        JsonNode values = schema.get("additionalProperties");
        Map<String, JsonNode> fields = new TreeMap<>();
        object.fields().forEachRemaining(f -> fields.put(f.getKey(), f.getValue()));
        for (Map.Entry<String, JsonNode> field : fields.entrySet()) {
            String name = field.getKey();
            JsonNode type = properties.get(name);
            if (type == null && values instanceof ObjectNode) {
                type = values;
            }
            if (type == null || path.isEmpty() && isServers(name)) {
                continue;
            }
            check(path.isEmpty() ? name : path + "." + name, field.getValue(), type, out);
        }
        for (JsonNode required : schema.path("required")) {
            String name = required.asText();
            if (!object.has(name)) {
                out.errors.required(path.isEmpty() ? name : path + "." + name, "");
            }
        }
    }

    /** Type and metadata of the object were checked already, by rules that a schema cannot widen. */
    private static boolean isServers(String field) {
        return field.equals("apiVersion") || field.equals("kind");
    }

    private void checkJunctors(String path, JsonNode value, JsonNode schema, Findings out) {
        JsonNode any = schema.path("anyOf");
        if (!any.isEmpty()) {
            Alternatives found = alternatives(path, value, any);
            if (found.valid() == 0) {
                junctor(out, "\"" + path + "\" must validate at least one schema (anyOf)");
                merge(out, found.best());
            }
        }
        JsonNode one = schema.path("oneOf");
        if (!one.isEmpty()) {
            Alternatives found = alternatives(path, value, one);
            if (found.valid() == 0) {
                junctor(out, "\"" + path + "\" must validate one and only one schema (oneOf). Found none valid");
                merge(out, found.best());
            } else if (found.valid() > 1) {
                junctor(
                        out,
                        "\"" + path + "\" must validate one and only one schema (oneOf). Found " + found.valid()
                                + " valid alternatives");
            }
        }
        JsonNode all = schema.path("allOf");
        if (!all.isEmpty()) {
            int valid = 0;
            for (JsonNode each : all) {
                Findings one1 = new Findings();
                check(path, value, each, one1);
                valid += one1.errors.isEmpty() ? 1 : 0;
                out.merge(one1);
            }
            if (valid == 0) {
                junctor(out, "\"" + path + "\" must validate all the schemas (allOf). None validated");
            } else if (valid < all.size()) {
                junctor(out, "\"" + path + "\" must validate all the schemas (allOf)");
            }
        }
        JsonNode not = schema.get("not");
        if (not != null) {
            Findings tried = new Findings();
            check(path, value, not, tried);
            if (tried.errors.isEmpty()) {
                junctor(out, "\"" + path + "\" must not validate the schema (not)");
            }
        }
    }

    private record Alternatives(int valid, @Nullable Findings best) {}

    private Alternatives alternatives(String path, JsonNode value, JsonNode schemas) {
        int valid = 0;
        Findings best = null;
        for (JsonNode schema : schemas) {
            Findings tried = new Findings();
            check(path, value, schema, tried);
            if (tried.errors.isEmpty()) {
                valid++;
            } else if (best == null || tried.visited > best.visited) {
                best = tried;
            }
        }
        return new Alternatives(valid, best);
    }

    private static void merge(Findings out, @Nullable Findings more) {
        if (more != null) {
            out.merge(more);
        }
    }

    /** Errors of junctors carry no field of their own in Kubernetes: the path is in the sentence. */
    private static void junctor(Findings out, String sentence) {
        out.errors.invalid("<nil>", "", sentence);
    }

    private static JsonNode text(String value) {
        return JsonNodeFactory.instance.textNode(value);
    }

    private static String name(String path) {
        return path.isEmpty() ? "<nil>" : path;
    }

    private static String in(String path) {
        return path.isEmpty() ? "in body" : path + " in body";
    }

    /** Sets have no value twice, list-maps no key: found after, and apart from, the rest. */
    private static final class ListRules {
        void check(String path, JsonNode value, JsonNode schema, FieldErrors errors) {
            if (value.isArray()) {
                String type = schema.path("x-kubernetes-list-type").asText("");
                if (type.equals("set") || type.equals("map")) {
                    unique(
                            path,
                            value,
                            type.equals("map") ? schema.path("x-kubernetes-list-map-keys") : null,
                            schema,
                            errors);
                }
                if (schema.get("items") instanceof ObjectNode items) {
                    for (int i = 0; i < value.size(); i++) {
                        check(path + "[" + i + "]", value.get(i), items, errors);
                    }
                }
            } else if (value instanceof ObjectNode object) {
                object.fields().forEachRemaining(field -> {
                    String name = field.getKey();
                    JsonNode declared = schema.path("properties").get(name);
                    if (declared != null) {
                        check(path.isEmpty() ? name : path + "." + name, field.getValue(), declared, errors);
                    } else if (schema.get("additionalProperties") instanceof ObjectNode values) {
                        check(path + "[" + name + "]", field.getValue(), values, errors);
                    }
                });
            }
        }

        private static void unique(
                String path, JsonNode list, @Nullable JsonNode keys, JsonNode schema, FieldErrors errors) {
            Map<String, Integer> seen = new LinkedHashMap<>();
            for (int i = 0; i < list.size(); i++) {
                JsonNode item = list.get(i);
                JsonNode identity = item;
                if (keys != null) {
                    if (!(item instanceof ObjectNode object)) {
                        continue; // a mistake of type, told already
                    }
                    ObjectNode key = JsonNodeFactory.instance.objectNode();
                    List<String> names = new ArrayList<>();
                    keys.forEach(k -> names.add(k.asText()));
                    names.stream().sorted().forEach(name -> {
                        JsonNode part = object.get(name);
                        if (part == null) {
                            part = schema.path("items")
                                    .path("properties")
                                    .path(name)
                                    .get("default");
                        }
                        if (part != null) {
                            key.set(name, part);
                        }
                    });
                    identity = key;
                }
                // Told once, however often the value comes.
                int times = seen.merge(
                        io.trimtab.apiserver.schema.Canonical.sorted(identity).toString(), 1, Integer::sum);
                if (times == 2) {
                    errors.duplicate(path + "[" + i + "]", identity);
                }
            }
        }
    }
}
