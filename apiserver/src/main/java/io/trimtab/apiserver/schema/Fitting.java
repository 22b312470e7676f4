package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.trimtab.apiserver.quantity.Quantity;
import io.trimtab.apiserver.schema.TypeNode.Field;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The decoder's short way: a tree in which all is as its built-in type wants it becomes what {@link Reading} would make of it, in
 * half of the time. Where anything is wrong or unusual it gives up, and {@link Reading} finds the words. Used once, by one thread.
 */
final class Fitting {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /** Says that the long way is to be taken. */
    private static final class Unusual extends Exception {
        private static final long serialVersionUID = 1L;
        static final Unusual INSTANCE = new Unusual();

        private Unusual() {
            super(null, null, false, false);
        }
    }

    /** Amounts that came last, by the hash of their text; races only lose one. */
    private static final Amount[] AMOUNTS = new Amount[256];

    /** @param fine whether it may have to be rounded up in a list of resources */
    private record Amount(String text, TextNode canonical, boolean fine) {}

    private final boolean copies;

    private Fitting(boolean copies) {
        this.copies = copies;
    }

    /**
     * A body.
     *
     * @return null if the long way is to be taken
     */
    static @Nullable ObjectNode read(byte[] body, TypeNode type) {
        ObjectNode tree = type.isCustom() || !Utf8.isValid(body) ? null : StoredJson.sent(body);
        return tree == null ? null : fit(tree, type, false);
    }

    /**
     * A tree.
     *
     * @return shares nothing with the tree that is mutable; null if the long way is to be taken
     */
    static @Nullable ObjectNode copy(JsonNode tree, TypeNode type) {
        return type.isCustom() || !(tree instanceof ObjectNode object) ? null : fit(object, type, true);
    }

    private static @Nullable ObjectNode fit(ObjectNode tree, TypeNode type, boolean copies) {
        try {
            return new Fitting(copies).struct(tree, type);
        } catch (Unusual | DecodeException e) {
            return null;
        }
    }

    private ObjectNode struct(ObjectNode object, TypeNode type) throws Unusual, DecodeException {
        ObjectNode result = copies ? NODES.objectNode() : object;
        for (Iterator<Map.Entry<String, JsonNode>> fields = object.properties().iterator(); fields.hasNext(); ) {
            Map.Entry<String, JsonNode> entry = fields.next();
            Field field = type.field(entry.getKey());
            if (field == null || field.type().shape == Shape.CUSTOM) {
                throw Unusual.INSTANCE;
            }
            JsonNode before = entry.getValue();
            if (before instanceof NullNode) {
                if (!copies) {
                    fields.remove();
                }
                continue;
            }
            JsonNode after = value(before, field.type());
            if (copies) {
                result.set(field.name(), after);
            } else if (after != before) {
                entry.setValue(after);
            }
        }
        return result;
    }

    private JsonNode value(JsonNode value, TypeNode type) throws Unusual, DecodeException {
        switch (type.shape) {
            case STRUCT:
                return struct(object(value), type);
            case MAP:
                return map(object(value), type.additionalProperties());
            case LIST:
                return list(value, type.items());
            case STRING:
                return text(value);
            case BOOL:
                return when(value.isBoolean(), value);
            case INT32:
                return when(value.isInt(), value);
            case INT64:
                return whole(value);
            case DOUBLE:
                return when(value.isInt() || value.isDouble(), GoNumbers.node(value.doubleValue()));
            case BYTES:
                String data = text(value).textValue();
                return when(
                        Base64Text.firstBadByte(data) < 0 && data.indexOf('\n') < 0 && data.indexOf('\r') < 0, value);
            case TIME:
                String time = text(value).textValue();
                String seconds = GoTime.seconds(time);
                return seconds.equals(time) ? value : NODES.textNode(seconds);
            case MICRO_TIME:
                String fine = text(value).textValue();
                String micros = GoTime.micros(fine);
                return micros.equals(fine) ? value : NODES.textNode(micros);
            case QUANTITY:
                return amount(value).canonical();
            case INT_OR_STRING:
                return when(value instanceof TextNode || value.isInt(), value);
            case SCHEMA_OR_BOOL:
            case SCHEMA_OR_ARRAY:
            case SCHEMA_OR_STRINGS:
                return value instanceof ObjectNode schema
                        ? struct(
                                schema,
                                SchemaRegistry.builtin()
                                        .definition(
                                                "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"))
                        : any(value);
            case RAW:
                return any(value);
            default:
                throw Unusual.INSTANCE;
        }
    }

    private static JsonNode when(boolean usual, JsonNode value) throws Unusual {
        if (!usual) {
            throw Unusual.INSTANCE;
        }
        return value;
    }

    private static ObjectNode object(JsonNode value) throws Unusual {
        if (value instanceof ObjectNode object) {
            return object;
        }
        throw Unusual.INSTANCE;
    }

    private static TextNode text(JsonNode value) throws Unusual {
        if (value instanceof TextNode text) {
            return text;
        }
        throw Unusual.INSTANCE;
    }

    private static JsonNode whole(JsonNode value) throws Unusual {
        if (value.isLong()) {
            return value.canConvertToInt() ? NODES.numberNode(value.intValue()) : value;
        }
        return when(value.isInt(), value);
    }

    private static Amount amount(JsonNode value) throws Unusual {
        String text = text(value).textValue();
        int slot = text.hashCode() * 0x9e3779b9 >>> 24;
        Amount known = AMOUNTS[slot];
        if (known == null || !known.text().equals(text)) {
            try {
                String canonical = Quantity.parse(text.strip()).toString();
                boolean fine = canonical.endsWith("n") || canonical.endsWith("u") || canonical.indexOf('e') >= 0;
                known = new Amount(text, NODES.textNode(canonical), fine);
                AMOUNTS[slot] = known;
            } catch (IllegalArgumentException e) {
                throw Unusual.INSTANCE;
            }
        }
        return known;
    }

    private ObjectNode map(ObjectNode map, @Nullable TypeNode values) throws Unusual, DecodeException {
        ObjectNode result = copies ? NODES.objectNode() : map;
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            JsonNode before = entry.getValue();
            JsonNode after;
            if (values == null) {
                after = any(before);
            } else if (values.shape == Shape.QUANTITY) {
                Amount amount = amount(before);
                after = when(!amount.fine(), amount.canonical());
            } else {
                after = value(before, values);
            }
            if (copies) {
                result.set(entry.getKey(), after);
            } else if (after != before) {
                entry.setValue(after);
            }
        }
        return result;
    }

    private ArrayNode list(JsonNode value, @Nullable TypeNode items) throws Unusual, DecodeException {
        if (!(value instanceof ArrayNode list)) {
            throw Unusual.INSTANCE;
        }
        int size = list.size();
        ArrayNode result = copies ? NODES.arrayNode(size) : list;
        for (int i = 0; i < size; i++) {
            JsonNode before = list.get(i);
            JsonNode after = items == null ? any(before) : value(before, items);
            if (copies) {
                result.add(after);
            } else if (after != before) {
                result.set(i, after);
            }
        }
        return result;
    }

    /** A value of any sort, as it is. */
    private JsonNode any(JsonNode value) throws Unusual {
        if (value instanceof TextNode || value.isInt() || value.isBoolean() || value instanceof NullNode) {
            return value;
        }
        if (value instanceof ObjectNode object) {
            ObjectNode result = copies ? NODES.objectNode() : object;
            for (Map.Entry<String, JsonNode> entry : object.properties()) {
                JsonNode after = any(entry.getValue());
                if (copies) {
                    result.set(entry.getKey(), after);
                } else if (after != entry.getValue()) {
                    entry.setValue(after);
                }
            }
            return result;
        }
        if (value instanceof ArrayNode list) {
            int size = list.size();
            ArrayNode result = copies ? NODES.arrayNode(size) : list;
            for (int i = 0; i < size; i++) {
                JsonNode after = any(list.get(i));
                if (copies) {
                    result.add(after);
                } else if (after != list.get(i)) {
                    result.set(i, after);
                }
            }
            return result;
        }
        return whole(value);
    }
}
