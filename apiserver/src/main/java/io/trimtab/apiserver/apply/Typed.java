package io.trimtab.apiserver.apply;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.Schema.ListType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What apply does with trees of a known type: compare, merge, remove, and list the fields. The rules are those of Kubernetes'
 * structured merge: maps merge key by key unless they are atomic, lists by what their type says, and values of unknown type
 * like maps, or as a whole. Stateless.
 */
final class Typed {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    // Longer lists are indexed: comparing each item with each would cost more.
    private static final int IN_STEP_MAX = 16;

    private Typed() {}

    /** A place in the type graph, as these walks need it. */
    static final class View {
        private static final View UNKNOWN = new View(null);

        private final @Nullable Schema schema;

        private View(@Nullable Schema schema) {
            this.schema = schema;
        }

        static View of(@Nullable Schema schema) {
            return schema == null ? UNKNOWN : new View(schema);
        }

        boolean declares(String field) {
            return schema != null && schema.property(field) != null;
        }

        /** The type of a field; null if it is not allowed. */
        @Nullable
        View field(String name) {
            if (schema == null) {
                return UNKNOWN;
            }
            Schema declared = schema.property(name);
            if (declared != null) {
                return of(declared);
            }
            Schema values = schema.additionalProperties();
            if (values != null) {
                return of(values);
            }
            return schema.preservesUnknownFields() || schema.type() == Schema.Type.ANY ? UNKNOWN : null;
        }

        /** As field, but what is not allowed is of unknown type. */
        View fieldOrUnknown(String name) {
            View view = field(name);
            return view == null ? UNKNOWN : view;
        }

        View item() {
            return schema == null ? UNKNOWN : of(schema.items());
        }

        private Schema.Type type() {
            return schema == null ? Schema.Type.ANY : schema.type();
        }

        boolean isMapLike(JsonNode value) {
            return type() == Schema.Type.OBJECT || type() == Schema.Type.ANY && value.isObject();
        }

        boolean isListLike(JsonNode value) {
            return type() == Schema.Type.ARRAY || type() == Schema.Type.ANY && value.isArray();
        }

        boolean isAtomicMap() {
            // Raw data has an owner as a whole, whatever is in it: a ControllerRevision's, say.
            return schema != null && (schema.isAtomicMap() || schema.name().endsWith(".runtime.RawExtension"));
        }

        boolean isAtomicList() {
            return schema == null || type() != Schema.Type.ARRAY || schema.listType() == ListType.ATOMIC;
        }

        /** The path element of an item of an associative list. */
        PathElement element(JsonNode item) throws ItemException {
            if (schema == null || schema.listType() == ListType.SET) {
                if (item.isObject()) {
                    throw new ItemException("associative list without keys has an element that's a map type");
                }
                if (item.isArray()) {
                    throw new ItemException("not supported: associative list with lists as elements");
                }
                if (item.isNull()) {
                    throw new ItemException("associative list without keys has an element that's an explicit null");
                }
                return PathElement.value(item);
            }
            if (item.isNull()) {
                throw new ItemException("associative list with keys may not have a null element");
            }
            if (!item.isObject()) {
                throw new ItemException("associative list with keys may not have non-map elements");
            }
            List<String> keys = schema.listMapKeys();
            if (keys.size() == 1 && item.get(keys.get(0)) instanceof TextNode text) {
                return PathElement.key(keys.get(0), text);
            }
            TreeMap<String, JsonNode> key = new TreeMap<>();
            for (String name : keys) {
                JsonNode value = item.get(name);
                if (value == null && schema.items() != null) {
                    Schema declared = schema.items().property(name);
                    value = declared == null ? null : declared.defaultValue();
                }
                if (value != null) {
                    key.put(name, value);
                }
            }
            if (key.isEmpty()) {
                StringBuilder names = new StringBuilder();
                schema.listMapKeys()
                        .forEach(k -> names.append(names.length() == 0 ? "" : " ")
                                .append('"')
                                .append(k)
                                .append('"'));
                throw new ItemException("associative list with keys has an element that omits all key fields [" + names
                        + "] (and doesn't have default values for any key fields)");
            }
            return PathElement.key(key);
        }

        /** Whether two items have equal keys for sure, without building path elements. */
        boolean sameKey(JsonNode a, JsonNode b) {
            if (schema == null) {
                return false;
            }
            if (schema.listType() == ListType.SET) {
                return a.equals(b);
            }
            for (String name : schema.listMapKeys()) {
                JsonNode left = a.get(name);
                if (left == null || !left.equals(b.get(name))) {
                    return false;
                }
            }
            return true;
        }
    }

    /** An item of a list that cannot be told from the others. */
    static final class ItemException extends Exception {
        private static final long serialVersionUID = 1L;

        ItemException(String message) {
            super(message, null, false, false);
        }
    }

    /** How one object differs from another. */
    record Comparison(FieldSet added, FieldSet modified, FieldSet removed) {
        boolean isSame() {
            return added.isEmpty() && modified.isEmpty() && removed.isEmpty();
        }

        Comparison without(FieldSet ignored) {
            return ignored.isEmpty()
                    ? this
                    : new Comparison(
                            added.recursiveDifference(ignored),
                            modified.recursiveDifference(ignored),
                            removed.recursiveDifference(ignored));
        }
    }

    static Comparison compare(JsonNode before, JsonNode after, Schema schema) {
        Comparer comparer = new Comparer();
        comparer.compare(before, after, View.of(schema));
        return new Comparison(comparer.added.build(), comparer.modified.build(), comparer.removed.build());
    }

    /** One comparison; the path is that of the values at hand. */
    private static final class Comparer {
        final FieldSet.Builder added = new FieldSet.Builder();
        final FieldSet.Builder modified = new FieldSet.Builder();
        final FieldSet.Builder removed = new FieldSet.Builder();
        final List<Object> path = new ArrayList<>();

        void compare(@Nullable JsonNode left, @Nullable JsonNode right, View type) {
            if (left == right) {
                return;
            }
            if (left == null || right == null) {
                if (right != null) {
                    added.add(path, whole(right, type));
                } else if (left != null) {
                    removed.add(path, whole(left, type));
                }
                return;
            }
            JsonNode sample = right;
            if (type.type() == Schema.Type.ANY && sort(left) != sort(right)) {
                leaf(left, right);
            } else if (type.isMapLike(sample)) {
                maps(left, right, type);
            } else if (type.isListLike(sample)) {
                lists(left, right, type);
            } else {
                leaf(left, right);
            }
        }

        /** What lies below a value that only one side has: all of it. */
        private static FieldSet whole(JsonNode value, View type) {
            if (type.isMapLike(value)) {
                if (value.isEmpty() || type.isAtomicMap() || !(value instanceof ObjectNode object)) {
                    return FieldSet.EMPTY;
                }
                FieldSet.Level level = new FieldSet.Level(object.size());
                for (var entry : object.properties()) {
                    String name = entry.getKey();
                    level.add(PathElement.field(name), whole(entry.getValue(), type.fieldOrUnknown(name)));
                }
                return level.build();
            }
            if (!type.isListLike(value) || value.isEmpty() || type.isAtomicList()) {
                return FieldSet.EMPTY;
            }
            FieldSet.Level level = new FieldSet.Level(value.size());
            PathElement[] elements = distinct(value, type);
            if (elements != null) {
                for (int i = 0; i < elements.length; i++) {
                    level.add(elements[i], whole(value.get(i), type.item()));
                }
                return level.build();
            }
            index(value, type).forEach((element, items) -> {
                // Items that cannot be told from one another have an owner together.
                level.add(element, items.size() == 1 ? whole(items.get(0), type.item()) : FieldSet.EMPTY);
            });
            return level.build();
        }

        private static int sort(JsonNode node) {
            return node.isObject() ? 0 : node.isArray() ? 1 : 2;
        }

        /** The elements of a short list whose items can be told from one another; else null. */
        private static PathElement @Nullable [] distinct(JsonNode list, View type) {
            if (list.size() > IN_STEP_MAX || !list.isArray()) {
                return null;
            }
            PathElement[] elements = new PathElement[list.size()];
            try {
                for (int i = 0; i < elements.length; i++) {
                    elements[i] = type.element(list.get(i));
                    for (int j = 0; j < i; j++) {
                        if (elements[j].equals(elements[i])) {
                            return null;
                        }
                    }
                }
            } catch (ItemException e) {
                return null;
            }
            return elements;
        }

        private void leaf(JsonNode left, JsonNode right) {
            if (!left.equals(right)) {
                modified.add(path);
            }
        }

        private void maps(JsonNode left, JsonNode right, View type) {
            if (type.isAtomicMap() || isEmpty(left) && isEmpty(right)) {
                leaf(left, right);
                return;
            }
            if (left instanceof ObjectNode l) {
                for (var entry : l.properties()) {
                    String name = entry.getKey();
                    JsonNode other = right instanceof ObjectNode r ? r.get(name) : null;
                    if (entry.getValue() != other) {
                        path.add(name);
                        compare(entry.getValue(), other, type.fieldOrUnknown(name));
                        path.remove(path.size() - 1);
                    }
                }
            }
            if (right instanceof ObjectNode r) {
                for (var entry : r.properties()) {
                    String name = entry.getKey();
                    if (!(left instanceof ObjectNode l) || !l.has(name)) {
                        path.add(name);
                        compare(null, entry.getValue(), type.fieldOrUnknown(name));
                        path.remove(path.size() - 1);
                    }
                }
            }
        }

        private void lists(JsonNode left, JsonNode right, View type) {
            if (type.isAtomicList() || isEmpty(left) && isEmpty(right)) {
                leaf(left, right);
                return;
            }
            if (left.size() > IN_STEP_MAX && left.equals(right)) {
                return;
            }
            if (!inStep(left, right, type)) {
                Map<PathElement, List<JsonNode>> l = index(left, type);
                Map<PathElement, List<JsonNode>> r = index(right, type);
                l.forEach((element, items) -> items(element, items, r.getOrDefault(element, List.of()), type));
                r.forEach((element, items) -> {
                    if (!l.containsKey(element)) {
                        items(element, List.of(), items, type);
                    }
                });
                return;
            }
            Set<PathElement> seen = null;
            for (int i = 0; i < left.size(); i++) {
                if (left.get(i) == right.get(i) || left.get(i).equals(right.get(i))) {
                    continue;
                }
                try {
                    PathElement element = type.element(left.get(i));
                    seen = seen == null ? new HashSet<>() : seen;
                    if (seen.add(element)) {
                        path.add(element);
                        compare(left.get(i), right.get(i), type.item());
                        path.remove(path.size() - 1);
                    }
                } catch (ItemException e) {
                    // Cannot be told from the others: not tracked.
                }
            }
        }

        // The ordinary case: the same items in the same order, each key once.
        private static boolean inStep(JsonNode left, JsonNode right, View type) {
            if (left.size() != right.size() || left.size() > IN_STEP_MAX) {
                return false;
            }
            for (int i = 0; i < left.size(); i++) {
                if (!type.sameKey(left.get(i), right.get(i))) {
                    return false;
                }
                for (int j = 0; j < i; j++) {
                    if (type.sameKey(left.get(i), left.get(j))) {
                        return false;
                    }
                }
            }
            return true;
        }

        private static Map<PathElement, List<JsonNode>> index(@Nullable JsonNode list, View type) {
            Map<PathElement, List<JsonNode>> index = new LinkedHashMap<>();
            if (list != null) {
                for (JsonNode item : list) {
                    try {
                        index.computeIfAbsent(type.element(item), e -> new ArrayList<>(1))
                                .add(item);
                    } catch (ItemException e) {
                        // Cannot be told from the others: not tracked.
                    }
                }
            }
            return index;
        }

        private void items(PathElement element, List<JsonNode> left, List<JsonNode> right, View type) {
            path.add(element);
            if (left.size() <= 1 && right.size() <= 1) {
                compare(left.isEmpty() ? null : left.get(0), right.isEmpty() ? null : right.get(0), type.item());
            } else if (left.size() >= 2 && right.size() >= 2) {
                if (!left.equals(right)) {
                    modified.add(path);
                }
            } else if (left.size() >= 2) {
                if (!right.isEmpty()) {
                    compare(null, right.get(0), type.item());
                }
                removed.add(path);
            } else {
                if (!left.isEmpty()) {
                    compare(left.get(0), null, type.item());
                }
                added.add(path);
            }
            path.remove(path.size() - 1);
        }
    }

    private static boolean isEmpty(@Nullable JsonNode container) {
        return container == null || container.isEmpty();
    }

    /** All fields that the object sets. */
    static FieldSet fields(JsonNode object, Schema schema) {
        FieldSet.Builder set = new FieldSet.Builder();
        collect(object, View.of(schema), new ArrayList<>(), set);
        return set.build();
    }

    private static void collect(JsonNode value, View type, List<Object> path, FieldSet.Builder set) {
        if (type.isMapLike(value)) {
            if (type.isAtomicMap()) {
                set.add(path);
                return;
            }
            for (var entry : value.properties()) {
                String name = entry.getKey();
                JsonNode child = entry.getValue();
                path.add(name);
                collect(child, type.fieldOrUnknown(name), path, set);
                if (child.isNull() || child.isObject() && child.isEmpty() || !type.declares(name)) {
                    set.add(path);
                }
                path.remove(path.size() - 1);
            }
        } else if (type.isListLike(value)) {
            if (type.isAtomicList()) {
                set.add(path);
                return;
            }
            Map<PathElement, List<JsonNode>> index = Comparer.index(value, type);
            index.forEach((element, items) -> {
                path.add(element);
                if (items.size() == 1) {
                    collect(items.get(0), type.item(), path, set);
                }
                set.add(path);
                path.remove(path.size() - 1);
            });
        } else {
            set.add(path);
        }
    }

    /** The object without the fields. The argument is not changed; what is not touched is shared. */
    static JsonNode remove(JsonNode value, FieldSet fields, Schema schema) {
        return remove(value, fields, View.of(schema));
    }

    private static JsonNode remove(JsonNode value, FieldSet fields, View type) {
        if (type.isMapLike(value) && value.isObject()) {
            if (type.isAtomicMap()) {
                return NODES.nullNode();
            }
            ObjectNode result = NODES.objectNode();
            for (var entry : value.properties()) {
                PathElement element = PathElement.field(entry.getKey());
                if (!fields.has(element)) {
                    FieldSet below = fields.below(element);
                    result.set(
                            entry.getKey(),
                            below.isEmpty()
                                    ? entry.getValue()
                                    : remove(entry.getValue(), below, type.fieldOrUnknown(entry.getKey())));
                }
            }
            return result.isEmpty() ? NODES.nullNode() : result;
        }
        if (type.isListLike(value) && value.isArray()) {
            if (type.isAtomicList()) {
                return NODES.nullNode();
            }
            ArrayNode result = NODES.arrayNode();
            for (JsonNode item : value) {
                PathElement element;
                try {
                    element = type.element(item);
                } catch (ItemException e) {
                    result.add(item);
                    continue;
                }
                if (!fields.has(element)) {
                    FieldSet below = fields.below(element);
                    result.add(below.isEmpty() ? item : remove(item, below, type.item()));
                }
            }
            return result.isEmpty() ? NODES.nullNode() : result;
        }
        return value;
    }

    /** The live object with the applied one laid over it. The arguments are not changed; the result may share with them. */
    static JsonNode merge(JsonNode live, JsonNode applied, Schema schema) {
        JsonNode merged = merge(live, applied, View.of(schema));
        return merged == null ? NODES.objectNode() : merged;
    }

    private static @Nullable JsonNode merge(@Nullable JsonNode live, @Nullable JsonNode applied, View type) {
        JsonNode sample = applied != null ? applied : live;
        if (sample == null) {
            return null;
        }
        if (applied == null || live == null) {
            return sample;
        }
        if (type.isMapLike(sample) && !type.isAtomicMap() && !(isEmpty(live) && isEmpty(applied))) {
            if (applied.isNull() && live.isObject()) {
                return live;
            }
            if (!applied.isObject()) {
                return applied;
            }
            ObjectNode result = NODES.objectNode();
            if (live instanceof ObjectNode l) {
                for (var entry : l.properties()) {
                    JsonNode value =
                            merge(entry.getValue(), applied.get(entry.getKey()), type.fieldOrUnknown(entry.getKey()));
                    if (value != null) {
                        result.set(entry.getKey(), value);
                    }
                }
            }
            for (var entry : applied.properties()) {
                if (!live.has(entry.getKey())) {
                    result.set(entry.getKey(), entry.getValue());
                }
            }
            return result;
        }
        if (type.isListLike(sample) && !type.isAtomicList() && !(isEmpty(live) && isEmpty(applied))) {
            return applied.isNull() ? live : mergeLists(live, applied, type);
        }
        return applied;
    }

    // Items of the applied list come in its order; items that only live has keep their places before what they
    // preceded.
    private static JsonNode mergeLists(JsonNode live, JsonNode applied, View type) {
        List<PathElement> left = new ArrayList<>();
        List<PathElement> right = new ArrayList<>();
        Map<PathElement, JsonNode> leftItems = index(live, type, left);
        Map<PathElement, JsonNode> rightItems = index(applied, type, right);
        List<PathElement> shared = new ArrayList<>();
        for (PathElement element : right) {
            if (leftItems.containsKey(element)) {
                shared.add(element);
            }
        }
        ArrayNode out = NODES.arrayNode();
        Set<PathElement> done = new HashSet<>();
        int next = 0;
        int l = 0;
        int r = 0;
        while (l < left.size() || r < right.size()) {
            if (l < left.size() && r < right.size()) {
                PathElement element = left.get(l);
                if (element.equals(right.get(r))) {
                    done.add(element);
                    addMerged(out, leftItems.get(element), rightItems.get(element), type);
                    l++;
                    r++;
                    next++;
                    continue;
                }
                if (rightItems.containsKey(element)
                        && next < shared.size()
                        && !shared.get(next).equals(element)) {
                    l++; // comes later, where the applied list has it
                    continue;
                }
            }
            if (l < left.size()) {
                PathElement element = left.get(l);
                if (!rightItems.containsKey(element)) {
                    out.add(live.get(l));
                    l++;
                    continue;
                } else if (done.contains(element)) {
                    l++;
                }
            }
            if (r < right.size()) {
                PathElement element = right.get(r);
                done.add(element);
                addMerged(out, leftItems.get(element), rightItems.get(element), type);
                r++;
                if (next < shared.size() && shared.get(next).equals(element)) {
                    next++;
                }
            }
        }
        return out;
    }

    private static void addMerged(ArrayNode out, @Nullable JsonNode left, @Nullable JsonNode right, View type) {
        JsonNode merged = merge(left, right, type.item());
        if (merged != null) {
            out.add(merged);
        }
    }

    private static Map<PathElement, JsonNode> index(JsonNode list, View type, List<PathElement> order) {
        Map<PathElement, JsonNode> index = new HashMap<>();
        for (JsonNode item : list) {
            try {
                PathElement element = type.element(item);
                // Of duplicates in the live list nothing survives once the element is applied.
                index.merge(element, item, (a, b) -> NODES.nullNode());
                order.add(element);
            } catch (ItemException e) {
                // Refused before, for applied objects; live ones cannot hold it.
            }
        }
        return index;
    }

    /** Says why the object is not of the type, in Kubernetes' words; empty if it is. */
    static String validate(JsonNode object, Schema schema) {
        List<String> errors = new ArrayList<>();
        validate(object, View.of(schema), "", errors);
        if (errors.size() <= 1) {
            return errors.isEmpty() ? "" : errors.get(0);
        }
        return "errors:\n  " + String.join("\n  ", errors);
    }

    private static void validate(JsonNode value, View type, String path, List<String> errors) {
        if (value.isNull()) {
            return;
        }
        if (type.isMapLike(value)) {
            if (!value.isObject()) {
                errors.add(at(path) + "expected map, got &{" + GoValues.show(value) + "}");
                return;
            }
            for (var entry : value.properties()) {
                View field = type.field(entry.getKey());
                String below = path + "." + entry.getKey();
                if (field == null) {
                    errors.add(below + ": field not declared in schema");
                    return;
                }
                validate(entry.getValue(), field, below, errors);
            }
        } else if (type.isListLike(value)) {
            if (!value.isArray()) {
                errors.add(at(path) + "expected list, got &{" + GoValues.show(value) + "}");
                return;
            }
            validateList(value, type, path, errors);
        } else {
            String wrong = scalar(value, type.type());
            if (wrong != null) {
                errors.add(at(path) + wrong);
            }
        }
    }

    private static void validateList(JsonNode list, View type, String path, List<String> errors) {
        boolean atomic = type.isAtomicList();
        Set<PathElement> seen = new HashSet<>();
        for (int i = 0; i < list.size(); i++) {
            PathElement element;
            try {
                element = atomic ? PathElement.index(i) : type.element(list.get(i));
            } catch (ItemException e) {
                errors.add(at(path) + "element " + i + ": " + e.getMessage());
                return;
            }
            if (!seen.add(element)) {
                errors.add(at(path) + "duplicate entries for key " + element.shown());
            }
            validate(list.get(i), type.item(), path + element.shown(), errors);
        }
    }

    private static String at(String path) {
        return path.isEmpty() ? "" : path + ": ";
    }

    private static @Nullable String scalar(JsonNode value, Schema.Type type) {
        return switch (type) {
            case INTEGER, NUMBER ->
                value.isNumber() ? null : "expected numeric (int or float), got " + GoValues.type(value);
            case STRING -> value.isTextual() ? null : "expected string, got " + GoValues.detail(value);
            case BOOLEAN -> value.isBoolean() ? null : "expected boolean, got &{" + GoValues.show(value) + "}";
            default -> value.isValueNode() ? null : "expected any scalar, got &{" + GoValues.show(value) + "}";
        };
    }
}
