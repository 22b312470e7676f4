package io.trimtab.apiserver.patch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.schema.Schema;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Strategic merge patch: maps merge, lists merge by the key that the type declares, and directives in the patch say the rest.
 * Stateless.
 *
 * <p>Directives: {@code $patch} (replace, delete, merge), {@code $retainKeys}, {@code $setElementOrder/<field>}, {@code
 * $deleteFromPrimitiveList/<field>}.
 */
public final class StrategicMergePatch {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final String DIRECTIVE = "$patch";
    private static final String RETAIN_KEYS = "$retainKeys";
    private static final String DELETE_FROM = "$deleteFromPrimitiveList";
    private static final String SET_ORDER = "$setElementOrder";
    private static final String ORDER_FORMAT = "invalid patch format of setElementOrder list";

    private StrategicMergePatch() {}

    /**
     * @param document not changed
     * @throws StatusException 400 if the patch is malformed, 500 without reason for what Kubernetes calls an error of its own
     */
    public static Patched apply(ObjectNode document, byte[] patch, Schema schema) {
        List<String> strictErrors = new ArrayList<>();
        JsonNode parsed;
        try {
            parsed = Decoder.parse(patch, Decoder.Syntax.JSON, strictErrors);
        } catch (DecodeException e) {
            throw Statuses.badRequest(String.valueOf(e.getMessage()));
        }
        if (!parsed.isObject() && !parsed.isNull()) {
            throw Statuses.badRequest("json: cannot unmarshal " + JsonPatch.kind(parsed)
                    + " into Go value of type map[string]interface {}");
        }
        ObjectNode patchObject = parsed.isNull() ? NODES.objectNode() : (ObjectNode) parsed;
        return new Patched(
                mergeMap(shallowCopy(document), patchObject, schema), strictErrors, () -> GoText.of(again(patch)));
    }

    /** The patch as it was sent: merging has taken it apart. */
    private static ObjectNode again(byte[] patch) {
        try {
            return Decoder.parse(patch, Decoder.Syntax.JSON, new ArrayList<>()) instanceof ObjectNode object
                    ? object
                    : NODES.objectNode();
        } catch (DecodeException e) {
            throw new IllegalStateException("what was read once is read no more", e);
        }
    }

    /**
     * The document with the patch merged in; not to be changed, as it shares with the document what the patch does not change.
     * Neither argument is changed.
     */
    public static ObjectNode merge(ObjectNode document, ObjectNode patch, Schema schema) {
        return mergeMap(shallowCopy(document), patch.deepCopy(), schema);
    }

    private static ObjectNode shallowCopy(ObjectNode object) {
        ObjectNode copy = NODES.objectNode();
        copy.setAll(object);
        return copy;
    }

    /**
     * @param original gets changed, but not what is in it
     * @param patch gets changed, and becomes part of the result
     */
    private static ObjectNode mergeMap(ObjectNode original, ObjectNode patch, @Nullable Schema schema) {
        JsonNode directive = patch.get(DIRECTIVE);
        if (directive != null) {
            if (directive.asText().equals("replace")) {
                patch.remove(DIRECTIVE);
                return patch;
            }
            if (directive.asText().equals("delete")) {
                return NODES.objectNode();
            }
            throw badDirective(directive, patch);
        }
        retainKeys(original, patch);
        setElementOrders(original, patch, schema);
        for (String key : names(patch)) {
            JsonNode value = patch.get(key);
            boolean deletes = key.startsWith(DELETE_FROM);
            String field = deletes ? fieldOf(key, DELETE_FROM, "invalid patch format of primitive list") : key;
            if (value.isNull()) {
                original.remove(field);
                continue;
            }
            JsonNode before = original.get(field);
            boolean comparable = before instanceof ObjectNode && value instanceof ObjectNode
                    || before instanceof ArrayNode && value instanceof ArrayNode;
            if (!comparable) {
                if (!deletes) {
                    discardNulls(value);
                    set(original, field, removeDirectives(value));
                }
                continue;
            }
            Schema inner = field(schema, field);
            if (value instanceof ObjectNode object) {
                boolean replaces = inner != null && inner.patchStrategies().contains("replace");
                original.set(field, replaces ? object : mergeMap(shallowCopy((ObjectNode) before), object, inner));
            } else {
                original.set(field, mergeListField((ArrayNode) before, (ArrayNode) value, inner, deletes));
            }
        }
        return original;
    }

    private static ArrayNode mergeListField(
            ArrayNode original, ArrayNode patch, @Nullable Schema list, boolean deletes) {
        boolean merges = list != null && list.patchStrategies().contains("merge");
        return merges || deletes
                ? mergeList(original, patch, list == null ? null : list.items(), mergeKey(list), deletes)
                : patch;
    }

    private static String mergeKey(@Nullable Schema list) {
        String key = list == null ? null : list.patchMergeKey();
        return key == null ? "" : key;
    }

    private static void retainKeys(ObjectNode original, ObjectNode patch) {
        JsonNode retained = patch.remove(RETAIN_KEYS);
        if (retained == null) {
            return;
        }
        if (!retained.isArray()) {
            throw Statuses.badRequest("invalid patch format of retainKeys");
        }
        Set<String> keep = new HashSet<>();
        retained.forEach(k -> keep.add(k.asText()));
        for (String key : names(patch)) {
            if (!patch.get(key).isNull()
                    && !key.startsWith(DELETE_FROM)
                    && !key.startsWith(SET_ORDER)
                    && !keep.contains(key)) {
                throw Statuses.badRequest("invalid patch format of retainKeys");
            }
        }
        original.retain(keep);
    }

    private static void setElementOrders(ObjectNode original, ObjectNode patch, @Nullable Schema schema) {
        for (String key : names(patch)) {
            if (!key.startsWith(SET_ORDER)) {
                continue;
            }
            JsonNode order = patch.remove(key);
            String field = fieldOf(key, SET_ORDER, ORDER_FORMAT);
            ArrayNode before = list(original.get(field));
            ArrayNode wanted = list(patch.get(field));
            Schema list = field(schema, field);
            String mergeKey = mergeKey(list);
            ArrayNode orderList = list(order);
            if (orderList == null) {
                throw Statuses.raw("expected a []interface {}, but received a nil");
            }
            if (wanted != null) {
                checkOrder(wanted, orderList, mergeKey);
            }
            ArrayNode merged;
            if (wanted == null) {
                if (before == null) {
                    continue;
                }
                merged = before;
            } else if (before == null) {
                discardNulls(wanted);
                merged = (ArrayNode) removeDirectives(wanted);
                if (merged == null) {
                    continue;
                }
            } else {
                merged = mergeListField(before, wanted, list, false);
            }
            original.set(
                    field,
                    reorder(items(merged), items(orderList), before == null ? List.of() : items(before), mergeKey));
            patch.remove(field);
        }
    }

    private static @Nullable ArrayNode list(@Nullable JsonNode node) {
        if (node == null || node.isNull()) {
            return null;
        }
        if (node instanceof ArrayNode array) {
            return array;
        }
        throw Statuses.raw("expected a []interface {}, but received a " + goType(node));
    }

    private static String goType(JsonNode node) {
        if (node.isObject()) {
            return "map[string]interface {}";
        }
        return node.isTextual() ? "string" : node.isBoolean() ? "bool" : node.isIntegralNumber() ? "int64" : "float64";
    }

    // The items of the patch must stand in the order that is asked for.
    private static void checkOrder(ArrayNode patch, ArrayNode order, String mergeKey) {
        if (order.isEmpty() || patch.isEmpty()) {
            return;
        }
        List<JsonNode> kept = new ArrayList<>();
        for (JsonNode item : patch) {
            if (!item.path(DIRECTIVE).asText().equals("delete")) {
                kept.add(item);
            }
        }
        int at = 0;
        int inOrder = 0;
        while (at < kept.size() && inOrder < order.size()) {
            if (kept.get(at).has(DIRECTIVE)) {
                at++;
                continue;
            }
            if (identity(kept.get(at), mergeKey).equals(identity(order.get(inOrder), mergeKey))) {
                at++;
            }
            inOrder++;
        }
        while (at < kept.size() && kept.get(at).has(DIRECTIVE)) {
            at++;
        }
        if (at < kept.size()) {
            throw Statuses.raw("The order in patch list:\n" + GoText.of(patch) + "\n doesn't match " + SET_ORDER
                    + " list:\n" + GoText.of(order) + "\n");
        }
    }

    private static ArrayNode mergeList(
            ArrayNode original, ArrayNode patch, @Nullable Schema items, String mergeKey, boolean deletes) {
        if (original.isEmpty() && patch.isEmpty()) {
            return original;
        }
        checkElements(original, patch);
        boolean maps = (original.isEmpty() ? patch : original).get(0).isObject();
        if (!maps) {
            if (deletes) {
                Set<JsonNode> gone = new HashSet<>(items(patch));
                List<JsonNode> kept = items(original);
                kept.removeIf(gone::contains);
                return array(kept);
            }
            Set<JsonNode> all = new LinkedHashSet<>(items(original));
            patch.forEach(all::add);
            return reorder(List.copyOf(all), items(patch), items(original), "");
        }
        if (mergeKey.isEmpty()) {
            throw Statuses.raw("cannot merge lists without merge key for struct");
        }
        List<JsonNode> merged = items(original);
        List<JsonNode> plain = special(merged, patch, mergeKey);
        List<JsonNode> serverOrder = List.copyOf(merged);
        for (JsonNode item : plain) {
            JsonNode identity = identity(item, mergeKey);
            int at = find(merged, identity, mergeKey);
            if (at >= 0) {
                merged.set(at, mergeMap(shallowCopy((ObjectNode) merged.get(at)), (ObjectNode) item, items));
            } else {
                // A new item is taken as it is: nulls in it vanish when the outcome is decoded.
                merged.add(item);
            }
        }
        return reorder(merged, plain, serverOrder, mergeKey);
    }

    /**
     * Carries out the items that are directives.
     *
     * @param original changed
     * @return the other items of the patch; none if they have replaced the original
     */
    private static List<JsonNode> special(List<JsonNode> original, ArrayNode patch, String mergeKey) {
        List<JsonNode> plain = new ArrayList<>();
        boolean replace = false;
        for (JsonNode item : patch) {
            JsonNode directive = item.get(DIRECTIVE);
            if (directive == null) {
                plain.add(item);
                continue;
            }
            switch (directive.asText()) {
                case "delete" -> {
                    JsonNode identity = identity(item, mergeKey);
                    original.removeIf(o -> identity.equals(o.get(mergeKey)));
                }
                case "replace" -> replace = true;
                case "merge" -> throw Statuses.raw("merging lists cannot yet be specified in the patch");
                default -> throw badDirective(directive, (ObjectNode) item);
            }
        }
        if (replace) {
            original.clear();
            original.addAll(plain);
            return List.of();
        }
        return plain;
    }

    private static void checkElements(ArrayNode original, ArrayNode patch) {
        String first = null;
        for (ArrayNode list : List.of(original, patch)) {
            for (JsonNode item : list) {
                if (item.isArray()) {
                    throw Patched.doesNotApply();
                }
                String type = goType(item);
                if (first == null) {
                    first = type;
                } else if (!first.equals(type)) {
                    throw Statuses.raw("list element types are not identical: [" + GoText.of(original) + " "
                            + GoText.of(patch) + "]");
                }
            }
        }
    }

    /**
     * Puts the items that the patch names into its order, and lets the others keep their places among them as well as can be.
     */
    private static ArrayNode reorder(
            List<JsonNode> merged, List<JsonNode> patchOrder, List<JsonNode> serverOrder, String mergeKey) {
        List<JsonNode> fromPatch = new ArrayList<>();
        List<JsonNode> serverOnly = new ArrayList<>();
        for (JsonNode item : merged) {
            (find(patchOrder, identity(item, mergeKey), mergeKey) >= 0 ? fromPatch : serverOnly).add(item);
        }
        sortBy(fromPatch, patchOrder, mergeKey);
        sortBy(serverOnly, serverOrder, mergeKey);
        ArrayNode result = NODES.arrayNode(merged.size());
        int left = 0;
        int right = 0;
        while (left < serverOnly.size() || right < fromPatch.size()) {
            boolean takesLeft;
            if (left >= serverOnly.size()) {
                takesLeft = false;
            } else if (right >= fromPatch.size()) {
                takesLeft = true;
            } else {
                int l = find(serverOrder, identity(serverOnly.get(left), mergeKey), mergeKey);
                int r = find(serverOrder, identity(fromPatch.get(right), mergeKey), mergeKey);
                takesLeft = l >= 0 && r >= 0 && l < r;
            }
            result.add(takesLeft ? serverOnly.get(left++) : fromPatch.get(right++));
        }
        return result;
    }

    private static void sortBy(List<JsonNode> items, List<JsonNode> order, String mergeKey) {
        items.sort(java.util.Comparator.comparingInt(item -> find(order, identity(item, mergeKey), mergeKey)));
    }

    private static int find(List<JsonNode> items, JsonNode identity, String mergeKey) {
        for (int i = 0; i < items.size(); i++) {
            JsonNode item = items.get(i);
            if (identity.equals(mergeKey.isEmpty() ? item : item.get(mergeKey))) {
                return i;
            }
        }
        return -1;
    }

    private static JsonNode identity(JsonNode item, String mergeKey) {
        if (mergeKey.isEmpty()) {
            return item;
        }
        JsonNode key = item.get(mergeKey);
        if (key == null) {
            throw item.isObject()
                    ? Statuses.raw("map: " + GoText.of(item) + " does not contain declared merge key: " + mergeKey)
                    : Statuses.raw("expected a map[string]interface {}, but received a " + goType(item));
        }
        return key;
    }

    /** What remains of a value that is set rather than merged; null if nothing does. */
    private static @Nullable JsonNode removeDirectives(JsonNode value) {
        if (value instanceof ObjectNode object) {
            if (object.has(DIRECTIVE)) {
                return null;
            }
            for (String name : names(object)) {
                set(object, name, removeDirectives(object.get(name)));
            }
            return object;
        }
        if (value instanceof ArrayNode array) {
            ArrayNode result = NODES.arrayNode();
            for (JsonNode item : array) {
                JsonNode kept = removeDirectives(item);
                if (kept != null) {
                    result.add(kept);
                }
            }
            return result;
        }
        return value;
    }

    private static void set(ObjectNode object, String name, @Nullable JsonNode value) {
        if (value == null) {
            object.remove(name);
        } else {
            object.set(name, value);
        }
    }

    private static void discardNulls(JsonNode value) {
        if (value instanceof ObjectNode object) {
            for (String name : names(object)) {
                JsonNode member = object.get(name);
                if (member.isNull()) {
                    object.remove(name);
                } else {
                    discardNulls(member);
                }
            }
        } else if (value instanceof ArrayNode array) {
            array.forEach(StrategicMergePatch::discardNulls);
        }
    }

    private static @Nullable Schema field(@Nullable Schema type, String name) {
        if (type == null) {
            return null;
        }
        Schema declared = type.properties().get(name);
        if (declared == null && !type.properties().isEmpty() && type.additionalProperties() == null) {
            String struct = type.name().substring(type.name().lastIndexOf('.') + 1);
            throw Statuses.raw("unable to find api field in struct " + struct + " for the json field \"" + name + "\"");
        }
        return declared != null ? declared : type.additionalProperties();
    }

    private static String fieldOf(String key, String prefix, String error) {
        int slash = key.indexOf('/');
        if (slash < 0 || !key.substring(0, slash).equals(prefix)) {
            throw Statuses.badRequest(error);
        }
        return key.substring(slash + 1);
    }

    private static StatusException badDirective(JsonNode directive, ObjectNode map) {
        String shown = GoText.of(directive);
        if (directive.isIntegralNumber() || directive.isBoolean()) {
            // Go was asked for a text and had none.
            shown = "%!s(" + (directive.isBoolean() ? "bool" : "int64") + "=" + shown + ")";
        }
        return Statuses.raw("unknown patch type: " + shown + " in map: " + GoText.of(map));
    }

    private static List<String> names(ObjectNode object) {
        List<String> names = new ArrayList<>(object.size());
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static List<JsonNode> items(ArrayNode array) {
        List<JsonNode> items = new ArrayList<>(array.size());
        array.forEach(items::add);
        return items;
    }

    private static ArrayNode array(List<JsonNode> items) {
        return NODES.arrayNode(items.size()).addAll(items);
    }
}
