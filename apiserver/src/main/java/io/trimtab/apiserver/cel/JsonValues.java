package io.trimtab.apiserver.cel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Jackson trees as values, without copying: a node is looked at when an expression looks at it. Stateless. */
final class JsonValues {
    private JsonValues() {}

    /** By what the JSON is. */
    static Object of(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> new JsonMap((ObjectNode) node, null);
            case ARRAY -> new JsonList((ArrayNode) node, null);
            case STRING -> node.textValue();
            case BOOLEAN -> node.booleanValue();
            case NUMBER ->
                node.isIntegralNumber() && node.canConvertToLong()
                        ? (Object) node.longValue()
                        : (Object) node.doubleValue();
            default -> CelNull.NULL;
        };
    }

    /** By what the schema says it is. */
    static Object of(JsonNode node, @Nullable DeclType type) {
        if (type == null) {
            return of(node);
        }
        if (node.isNull()) {
            return CelNull.NULL;
        }
        switch (type.celType().kind()) {
            case STRUCT:
                if (node instanceof ObjectNode object) {
                    return new JsonObject(object, type);
                }
                throw new CelException("invalid data, expected a map for the provided schema with type=object");
            case MAP:
                if (node instanceof ObjectNode object) {
                    return new JsonMap(object, type.element());
                }
                throw new CelException("invalid data, expected a map for the provided schema with type=object");
            case LIST:
                if (node instanceof ArrayNode array) {
                    return switch (type.listType()) {
                        case "set" -> new JsonSet(array, type);
                        case "map" -> new JsonMapList(array, type);
                        default -> new JsonList(array, type.element());
                    };
                }
                throw new CelException("invalid data, expected an array for the provided schema with type=array");
            case DOUBLE:
                return node.doubleValue();
            case INT:
                return node.longValue();
            default:
                return type.format().isEmpty() || !node.isTextual()
                        ? of(node)
                        : formatted(node.textValue(), type.format());
        }
    }

    private static Object formatted(String text, String format) {
        switch (format) {
            case "duration": {
                Object duration = Times.parseDuration(text);
                if (duration == null) {
                    throw new CelException("Invalid duration " + text + ": unable to parse");
                }
                return duration;
            }
            case "date":
                try {
                    return LocalDate.parse(text).atStartOfDay().toInstant(ZoneOffset.UTC);
                } catch (java.time.DateTimeException e) {
                    throw new CelException("Invalid date formatted string " + text + ": " + e.getMessage());
                }
            case "date-time": {
                Instant time = Times.parseTimestamp(text);
                if (time == null) {
                    throw new CelException("Invalid date-time formatted string " + text + ": unable to parse");
                }
                return time;
            }
            case "byte":
                try {
                    return new CelBytes(Base64.getDecoder().decode(text));
                } catch (IllegalArgumentException e) {
                    throw new CelException("Invalid byte formatted string " + text + ": " + e.getMessage());
                }
            default:
                return text;
        }
    }

    /** An object whose keys are data. */
    private static final class JsonMap extends CelMap {
        private final ObjectNode node;
        private final @Nullable DeclType element;

        JsonMap(ObjectNode node, @Nullable DeclType element) {
            this.node = node;
            this.element = element;
        }

        @Override
        public int size() {
            return node.size();
        }

        @Override
        public @Nullable Object find(Object key) {
            JsonNode value = key instanceof String name ? node.get(name) : null;
            return value == null ? null : JsonValues.of(value, element);
        }

        @Override
        public Iterable<Object> keys() {
            List<Object> keys = new ArrayList<>(node.size());
            node.fieldNames().forEachRemaining(keys::add);
            return keys;
        }
    }

    /** An object whose fields the schema declares; others are not seen. */
    private static final class JsonObject extends CelMap {
        private final ObjectNode node;
        private final DeclType type;

        JsonObject(ObjectNode node, DeclType type) {
            this.node = node;
            this.type = type;
        }

        @Override
        public String typeName() {
            return type.celType().name();
        }

        @Override
        public int size() {
            int size = 0;
            for (Object ignored : keys()) {
                size++;
            }
            return size;
        }

        @Override
        public @Nullable Object find(Object key) {
            DeclType.Field field = key instanceof String name ? type.field(name) : null;
            JsonNode value = field == null ? null : node.get(field.name());
            return field == null || value == null ? null : JsonValues.of(value, field.type());
        }

        @Override
        public Iterable<Object> keys() {
            List<Object> keys = new ArrayList<>();
            for (Map.Entry<String, DeclType.Field> field : type.fields().entrySet()) {
                if (node.has(field.getValue().name())) {
                    keys.add(field.getKey());
                }
            }
            return keys;
        }
    }

    private static class JsonList extends CelList {
        final ArrayNode node;
        final @Nullable DeclType element;

        JsonList(ArrayNode node, @Nullable DeclType element) {
            this.node = node;
            this.element = element;
        }

        @Override
        public int size() {
            return node.size();
        }

        @Override
        public Object get(int i) {
            return JsonValues.of(node.get(i), element);
        }
    }

    /** Order does not count, and adding adds only what is not there. */
    private static final class JsonSet extends JsonList {
        JsonSet(ArrayNode node, DeclType type) {
            super(node, type.element());
        }

        @Override
        boolean sameAs(CelList other) {
            if (size() != other.size()) {
                return false;
            }
            for (Object mine : this) {
                if (!Values.contains(other, mine)) {
                    return false;
                }
            }
            return true;
        }

        @Override
        CelList plus(CelList other) {
            List<Object> all = new ArrayList<>(size() + other.size());
            forEach(all::add);
            for (Object value : other) {
                if (!Values.contains(this, value)) {
                    all.add(value);
                }
            }
            return CelList.of(all);
        }
    }

    /** Items have keys: order does not count, and adding replaces what has the same key. */
    private static final class JsonMapList extends JsonList {
        private final List<String> keys;

        JsonMapList(ArrayNode node, DeclType type) {
            super(node, type.element());
            this.keys = type.mapKeys().stream()
                    .map(Escaping::escape)
                    .filter(java.util.Objects::nonNull)
                    .map(String::valueOf)
                    .toList();
        }

        private List<Object> keyOf(Object item) {
            List<Object> key = new ArrayList<>(keys.size());
            for (String name : keys) {
                Object part = item instanceof CelMap map ? map.find(name) : null;
                key.add(part == null ? CelNull.NULL : part);
            }
            return key;
        }

        private @Nullable Object find(Iterable<Object> items, List<Object> key) {
            for (Object item : items) {
                if (keyOf(item).equals(key)) {
                    return item;
                }
            }
            return null;
        }

        @Override
        boolean sameAs(CelList other) {
            if (size() != other.size()) {
                return false;
            }
            for (Object mine : this) {
                Object theirs = find(other, keyOf(mine));
                if (theirs == null || !Values.equal(mine, theirs)) {
                    return false;
                }
            }
            return true;
        }

        @Override
        CelList plus(CelList other) {
            List<Object> all = new ArrayList<>(size() + other.size());
            for (Object mine : this) {
                Object theirs = find(other, keyOf(mine));
                all.add(theirs == null ? mine : theirs);
            }
            for (Iterator<Object> i = other.iterator(); i.hasNext(); ) {
                Object theirs = i.next();
                if (find(this, keyOf(theirs)) == null) {
                    all.add(theirs);
                }
            }
            return CelList.of(all);
        }
    }
}
