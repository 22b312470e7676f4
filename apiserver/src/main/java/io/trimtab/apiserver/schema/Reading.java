package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TreeTraversingParser;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.quantity.Quantity;
import io.trimtab.apiserver.schema.TypeNode.Field;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One run of the decoder over one body. A mistake of type is remembered and reading goes on, since later text may be broken in a
 * way that counts for more; the first mistake is thrown at the end. Used once, by one thread.
 */
final class Reading {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    // As many as Kubernetes reports of one body.
    private static final int MAX_STRICT_ERRORS = 100;

    String kind = "";
    String apiVersion = "";

    // Where we are, for messages: names and Integer indices from the root.
    private final ArrayList<Object> place = new ArrayList<>();
    // The declared fields that we are in, without indices and map keys; and the struct of the last of them.
    private final ArrayList<String> fieldStack = new ArrayList<>();
    private String struct = "";
    private boolean inStruct;

    private @Nullable String firstError;
    private @Nullable String kindError;
    private final Set<String> duplicates = new LinkedHashSet<>();
    // Of a custom resource, whose unknown fields are reported after its duplicate ones: metadata's, then the others
    // sorted.
    private boolean isCustom;
    // Arbitrary values inside built-in kinds keep their text; those of custom resources go through Go's floats.
    private boolean keepsNumbers;
    private final Set<String> unknownInMetadata = new LinkedHashSet<>();
    private @Nullable List<String> unknownInCustom;
    // Kubernetes has another decoder for trees, with other words.
    private final boolean fromTree;

    Reading(boolean fromTree) {
        this.fromTree = fromTree;
    }

    /** Reads one object and nothing after it. */
    ObjectNode root(JsonParser p, TypeNode type) throws IOException, DecodeException {
        JsonToken token = p.nextToken();
        if (token == null) {
            throw new Malformed("couldn't get version/kind; json parse error: unexpected end of JSON input");
        }
        if (token == JsonToken.VALUE_NULL) {
            endOfText(p);
            return NODES.objectNode();
        }
        if (token != JsonToken.START_OBJECT) {
            String found = describe(p, token);
            p.skipChildren();
            endOfText(p);
            throw new Malformed("couldn't get version/kind; json parse error: json: cannot unmarshal " + found
                    + " into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\";"
                    + " Kind string \"json:\\\"kind,omitempty\\\"\" }");
        }
        isCustom = type.isCustom();
        keepsNumbers = !isCustom;
        ObjectNode object = isCustom ? customObject(p, type, false) : struct(p, type, NODES.objectNode());
        endOfText(p);
        if (kindError != null) {
            throw new Malformed(kindError);
        }
        if (firstError != null) {
            throw new DecodeException(firstError);
        }
        return object;
    }

    /** Reads one value of any sort and nothing after it. */
    JsonNode any(JsonParser p) throws IOException, DecodeException {
        if (p.nextToken() == null) {
            throw new Malformed("unexpected end of JSON input");
        }
        JsonNode node = raw(p);
        endOfText(p);
        return node;
    }

    List<String> strictErrors() {
        List<String> all = new ArrayList<>(duplicates);
        all.addAll(unknownInMetadata);
        if (fromTree) {
            Collections.sort(all);
        }
        if (unknownInCustom != null) {
            Collections.sort(unknownInCustom);
            all.addAll(unknownInCustom);
        }
        return all;
    }

    // Jackson sees text after the root value only when asked for the next token.
    private static void endOfText(JsonParser p) throws IOException {
        if (p.nextToken() != null) {
            throw new com.fasterxml.jackson.core.JsonParseException(p, "text after the value");
        }
    }

    private ObjectNode struct(JsonParser p, TypeNode type, ObjectNode into) throws IOException, DecodeException {
        Set<String> seen = null;
        String outerStruct = struct;
        boolean outerInStruct = inStruct;
        String here = type.resolved().structName;
        for (String name = p.nextFieldName(); name != null; name = p.nextFieldName()) {
            JsonToken token = p.nextToken();
            Field field = type.field(name);
            if (field == null) {
                strict("unknown field ", name);
                p.skipChildren();
                continue;
            }
            if (into.has(name) || seen != null && seen.contains(name)) {
                strict("duplicate field ", name);
            }
            if (place.isEmpty() && token != JsonToken.VALUE_STRING && token != JsonToken.VALUE_NULL && isKind(name)) {
                rememberKind(describe(p, token), name);
            }
            struct = here;
            inStruct = true;
            fieldStack.add(field.name());
            place.add(field.name());
            JsonNode value = value(p, token, field.type(), into.get(name));
            place.remove(place.size() - 1);
            fieldStack.remove(fieldStack.size() - 1);
            if (value == null) {
                // Absent, but a second one of the name would still be a duplicate.
                if (seen == null) {
                    seen = new java.util.HashSet<>();
                }
                seen.add(name);
                if (field.pointer() || token != JsonToken.VALUE_NULL) {
                    into.remove(name);
                }
            } else {
                into.set(field.name(), value);
            }
            if (place.isEmpty() && value != null && value.isTextual()) {
                noteKind(name, value.textValue());
            }
        }
        struct = outerStruct;
        inStruct = outerInStruct;
        return into;
    }

    private static boolean isKind(String name) {
        return name.equals("kind") || name.equals("apiVersion");
    }

    private void rememberKind(String found, String name) {
        if (kindError == null) {
            kindError = "couldn't get version/kind; json parse error: json: cannot unmarshal " + found
                    + " into Go struct field ." + name + " of type string";
        }
    }

    private void noteKind(String name, String value) {
        if (name.equals("kind")) {
            kind = value;
        } else if (name.equals("apiVersion")) {
            apiVersion = value;
        }
    }

    /** Reads the value that the parser stands on; null for absent. */
    private @Nullable JsonNode value(JsonParser p, JsonToken token, TypeNode type, @Nullable JsonNode before)
            throws IOException, DecodeException {
        if (type.shape == Shape.CUSTOM) {
            return custom(p, type);
        }
        if (token == JsonToken.VALUE_NULL) {
            return null;
        }
        switch (type.shape) {
            case STRUCT:
                if (token != JsonToken.START_OBJECT) {
                    return mismatch(p, token, type);
                }
                return struct(p, type, before instanceof ObjectNode o ? o : NODES.objectNode());
            case MAP:
                if (token != JsonToken.START_OBJECT) {
                    return mismatch(p, token, type);
                }
                return map(p, type, before instanceof ObjectNode o ? o : NODES.objectNode());
            case LIST:
                if (token != JsonToken.START_ARRAY) {
                    return mismatch(p, token, type);
                }
                return list(p, type);
            case STRING:
                return token == JsonToken.VALUE_STRING ? NODES.textNode(p.getText()) : mismatch(p, token, type);
            case BOOL:
                return token == JsonToken.VALUE_TRUE
                        ? NODES.booleanNode(true)
                        : token == JsonToken.VALUE_FALSE ? NODES.booleanNode(false) : mismatch(p, token, type);
            case INT32:
            case INT64:
                return integer(p, token, type);
            case DOUBLE:
                return token.isNumeric() ? number(p, type.goType) : mismatch(p, token, type);
            case BYTES:
                return token == JsonToken.VALUE_STRING ? bytes(p.getText()) : mismatch(p, token, type);
            case TIME:
            case MICRO_TIME:
                if (token != JsonToken.VALUE_STRING) {
                    throw hard(p, token, "string");
                }
                return NODES.textNode(
                        type.shape == Shape.TIME ? GoTime.seconds(p.getText()) : GoTime.micros(p.getText()));
            case QUANTITY:
                return quantity(p, token);
            case INT_OR_STRING:
                if (token == JsonToken.VALUE_STRING) {
                    return NODES.textNode(p.getText());
                }
                if (token == JsonToken.VALUE_NUMBER_INT && fits(p.getText(), true)) {
                    return NODES.numberNode(p.getIntValue());
                }
                throw hard(p, token, "int32");
            case SCHEMA_OR_BOOL:
                return token == JsonToken.START_OBJECT ? schemaProps(p) : raw(p);
            case SCHEMA_OR_ARRAY:
            case SCHEMA_OR_STRINGS:
                return token == JsonToken.START_OBJECT ? schemaProps(p) : raw(p);
            default:
                return raw(p);
        }
    }

    private ObjectNode schemaProps(JsonParser p) throws IOException, DecodeException {
        return struct(
                p,
                SchemaRegistry.builtin()
                        .definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"),
                NODES.objectNode());
    }

    private ObjectNode map(JsonParser p, TypeNode type, ObjectNode into) throws IOException, DecodeException {
        TypeNode values = type.additionalProperties();
        Set<String> seen = new java.util.HashSet<>();
        for (String key = p.nextFieldName(); key != null; key = p.nextFieldName()) {
            JsonToken token = p.nextToken();
            if (!seen.add(key)) {
                strict("duplicate field ", key);
            }
            place.add(key);
            JsonNode value = values == null ? raw(p) : value(p, token, values, null);
            place.remove(place.size() - 1);
            if (value != null && values != null && values.shape == Shape.QUANTITY) {
                into.set(key, roundedUp(value.textValue()));
            } else if (value != null) {
                into.set(key, value);
            } else if (values != null) {
                into.set(key, zero(values));
            }
        }
        return into;
    }

    private ArrayNode list(JsonParser p, TypeNode type) throws IOException, DecodeException {
        ArrayNode list = NODES.arrayNode();
        TypeNode items = type.items();
        for (JsonToken token = p.nextToken(); token != JsonToken.END_ARRAY; token = p.nextToken()) {
            place.add(list.size());
            JsonNode value = items == null ? raw(p) : value(p, token, items, null);
            place.remove(place.size() - 1);
            list.add(value != null ? value : items == null ? NODES.nullNode() : zero(items));
        }
        return list;
    }

    /** What null stands for in lists and maps, where nothing can be absent. */
    static JsonNode zero(TypeNode type) {
        return switch (type.shape) {
            case STRUCT -> NODES.objectNode();
            case STRING -> NODES.textNode("");
            case BOOL -> NODES.booleanNode(false);
            case INT32, INT64, DOUBLE, INT_OR_STRING -> NODES.numberNode(0);
            case QUANTITY -> NODES.textNode("0");
            default -> NODES.nullNode();
        };
    }

    private @Nullable JsonNode integer(JsonParser p, JsonToken token, TypeNode type)
            throws IOException, DecodeException {
        if (!token.isNumeric()) {
            return mismatch(p, token, type);
        }
        String text = p.getText();
        if (token != JsonToken.VALUE_NUMBER_INT || !fits(text, type.shape == Shape.INT32)) {
            return fromTree ? mismatch(p, token, type) : typeError("number " + text, type.goType);
        }
        long n = p.getLongValue();
        return n == (int) n ? NODES.numberNode((int) n) : NODES.numberNode(n);
    }

    private static boolean fits(String digits, boolean narrow) {
        if (digits.length() < 10) {
            return true;
        }
        BigInteger n = new BigInteger(digits);
        return n.bitLength() <= (narrow ? 31 : 63);
    }

    private @Nullable JsonNode number(JsonParser p, String goType) throws IOException, DecodeException {
        double d = p.getDoubleValue();
        if (Double.isInfinite(d)) {
            return typeError("number " + p.getText(), goType);
        }
        return GoNumbers.node(d);
    }

    private @Nullable JsonNode bytes(String text) {
        int bad = Base64Text.firstBadByte(text);
        if (bad >= 0) {
            remember((fromTree ? "error decoding from json: " : "") + "illegal base64 data at input byte " + bad);
            return null;
        }
        return NODES.textNode(text.indexOf('\n') < 0 && text.indexOf('\r') < 0 ? text : text.replaceAll("[\r\n]", ""));
    }

    private JsonNode quantity(JsonParser p, JsonToken token) throws IOException, DecodeException {
        String text = token.isScalarValue() ? p.getText().strip() : "{";
        p.skipChildren();
        try {
            return NODES.textNode(Quantity.parse(text).toString());
        } catch (IllegalArgumentException e) {
            throw new DecodeException(String.valueOf(e.getMessage()));
        }
    }

    // All maps of quantities are lists of resources, whose defaulting rounds up to milli (SetDefaults_ResourceList).
    private static JsonNode roundedUp(String amount) {
        boolean mayBeFiner = amount.endsWith("n") || amount.endsWith("u") || amount.indexOf('e') >= 0;
        return NODES.textNode(
                mayBeFiner ? Quantity.parse(amount).roundUpToMilli().toString() : amount);
    }

    /** A value of any sort, as it is; in lists and maps of it, duplicates are still noticed. */
    private JsonNode raw(JsonParser p) throws IOException, DecodeException {
        return free(p, null);
    }

    private ObjectNode customObject(JsonParser p, TypeNode type, boolean nested) throws IOException, DecodeException {
        ObjectNode object = NODES.objectNode();
        var fields = type.fields();
        TypeNode values = type.additionalProperties();
        for (String name = p.nextFieldName(); name != null; name = p.nextFieldName()) {
            JsonToken token = p.nextToken();
            if (object.has(name)) {
                strict("duplicate field ", name);
            }
            Field field = fields.get(name);
            place.add(name);
            if (field != null && !field.type().isCustom()) {
                // Metadata of a custom resource is decoded on its own, so its errors do not name the way to it.
                JsonNode value = nested ? embedded(p, field.type()) : value(p, token, field.type(), null);
                if (value != null) {
                    object.set(name, value);
                }
            } else if (field != null) {
                object.set(name, custom(p, field.type()));
            } else if (values != null) {
                object.set(name, custom(p, values));
            } else if (type.preservesUnknownFields()) {
                object.set(name, raw(p));
            } else {
                place.remove(place.size() - 1);
                unknownCustom(name);
                place.add(name);
                raw(p);
            }
            place.remove(place.size() - 1);
            JsonNode value = object.get(name);
            if (!nested && value != null && value.isTextual()) {
                noteKind(name, value.textValue());
            } else if (!nested && value != null && !value.isNull() && isKind(name)) {
                rememberKind(describe(value), name);
            }
        }
        return object;
    }

    /** Metadata of a resource within a resource: its errors show it whole. */
    private @Nullable JsonNode embedded(JsonParser p, TypeNode type) throws IOException, DecodeException {
        JsonNode metadata = raw(p);
        boolean first = firstError == null;
        try (JsonParser again = new TreeTraversingParser(metadata)) {
            JsonNode value = value(again, again.nextToken(), type, null);
            if (first && firstError != null) {
                firstError = way() + ": Invalid value: " + Canonical.sorted(metadata) + ": " + firstError;
            }
            return value;
        }
    }

    private String way() {
        StringBuilder way = new StringBuilder();
        for (Object step : place) {
            if (step instanceof Integer) {
                way.append('[').append(step).append(']');
            } else {
                way.append(way.length() == 0 ? "" : ".").append(step);
            }
        }
        return way.toString();
    }

    private JsonNode custom(JsonParser p, TypeNode type) throws IOException, DecodeException {
        return free(p, type);
    }

    private JsonNode free(JsonParser p, @Nullable TypeNode type) throws IOException, DecodeException {
        switch (p.currentToken()) {
            case START_OBJECT:
                if (type != null && !type.isCustom()) {
                    JsonNode known = value(p, JsonToken.START_OBJECT, type, null);
                    return known == null ? NODES.nullNode() : known;
                }
                if (type != null) {
                    return customObject(p, type, true);
                }
                ObjectNode object = NODES.objectNode();
                for (String name = p.nextFieldName(); name != null; name = p.nextFieldName()) {
                    p.nextToken();
                    if (object.has(name)) {
                        strict("duplicate field ", name);
                    }
                    place.add(name);
                    object.set(name, raw(p));
                    place.remove(place.size() - 1);
                }
                return object;
            case START_ARRAY:
                ArrayNode list = NODES.arrayNode();
                TypeNode items = type == null ? null : type.items();
                while (p.nextToken() != JsonToken.END_ARRAY) {
                    place.add(list.size());
                    list.add(free(p, items));
                    place.remove(place.size() - 1);
                }
                return list;
            case VALUE_STRING:
                return NODES.textNode(p.getText());
            case VALUE_NUMBER_INT:
                String digits = p.getText();
                if (!fits(digits, false)) {
                    return NODES.numberNode(p.getDoubleValue());
                }
                long n = p.getLongValue();
                return n == (int) n ? NODES.numberNode((int) n) : NODES.numberNode(n);
            case VALUE_NUMBER_FLOAT:
                return keepsNumbers ? NODES.numberNode(p.getDoubleValue()) : GoNumbers.node(p.getDoubleValue());
            case VALUE_TRUE:
                return NODES.booleanNode(true);
            case VALUE_FALSE:
                return NODES.booleanNode(false);
            default:
                return NODES.nullNode();
        }
    }

    private void unknownCustom(String name) {
        if (unknownInCustom == null) {
            unknownInCustom = new ArrayList<>();
        }
        unknownInCustom.add("unknown field " + FieldErrors.quote(path(name)));
    }

    private void strict(String what, String name) {
        if (isCustom && what.startsWith("unknown")) {
            unknownInMetadata.add(what + FieldErrors.quote(path(name)));
        } else if (duplicates.size() < MAX_STRICT_ERRORS) {
            duplicates.add(what + FieldErrors.quote(path(name)));
        }
    }

    private String path(String name) {
        StringBuilder path = new StringBuilder();
        for (Object step : place) {
            if (step instanceof Integer i) {
                path.append('[').append(i.intValue()).append(']');
            } else {
                path.append(path.length() == 0 ? "" : ".").append(step);
            }
        }
        return path.append(path.length() == 0 ? "" : ".").append(name).toString();
    }

    private @Nullable JsonNode mismatch(JsonParser p, JsonToken token, TypeNode type)
            throws IOException, DecodeException {
        String found = describe(p, token);
        p.skipChildren();
        if (fromTree) {
            throw new DecodeException(treeMismatch(found, token, type));
        }
        return typeError(found, type.goType.isEmpty() ? "[]uint8" : type.goType);
    }

    private static String treeMismatch(String found, JsonToken token, TypeNode type) {
        String kind =
                switch (found) {
                    case "object" -> "map";
                    case "array" -> "slice";
                    case "number" -> token == JsonToken.VALUE_NUMBER_INT ? "int64" : "float64";
                    default -> found;
                };
        return switch (type.shape) {
            case STRUCT -> "cannot restore struct from: " + kind;
            case MAP -> "cannot restore map from " + kind;
            case LIST, BYTES -> "cannot restore slice from " + kind;
            // Go converts whole numbers to strings, of one character; Kubernetes refuses that in words of its own.
            case STRING ->
                kind.equals("int64") ? "cannot convert int64 to " + type.goType : "unrecognized type: string";
            case INT32 -> kind.equals("float64") ? "cannot convert float64 to int32" : "unrecognized type: int32";
            case INT64 -> kind.equals("float64") ? "cannot convert float64 to int64" : "unrecognized type: int64";
            case DOUBLE -> "unrecognized type: float64";
            default -> "unrecognized type: bool";
        };
    }

    private @Nullable JsonNode typeError(String found, String goType) {
        remember(typeErrorText(found, goType));
        return null;
    }

    // Types that decode themselves stop the whole decoding, and their error is the one reported.
    private DecodeException hard(JsonParser p, JsonToken token, String goType) throws IOException {
        String found = describe(p, token);
        if (token.isNumeric() && goType.equals("int32")) {
            found = "number " + p.getText();
        }
        p.skipChildren();
        return new DecodeException(typeErrorText(found, goType));
    }

    private String typeErrorText(String found, String goType) {
        return inStruct && !fromTree
                ? "json: cannot unmarshal " + found + " into Go struct field " + struct + "."
                        + String.join(".", fieldStack) + " of type " + goType
                : "json: cannot unmarshal " + found + " into Go value of type " + goType;
    }

    private void remember(String error) {
        if (firstError == null) {
            firstError = error;
        }
    }

    private static String describe(JsonParser p, JsonToken token) {
        return switch (token) {
            case START_OBJECT -> "object";
            case START_ARRAY -> "array";
            case VALUE_STRING -> "string";
            case VALUE_TRUE, VALUE_FALSE -> "bool";
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "number";
            default -> "null";
        };
    }

    private static String describe(JsonNode node) {
        return node.isObject()
                ? "object"
                : node.isArray() ? "array" : node.isTextual() ? "string" : node.isBoolean() ? "bool" : "number";
    }
}
