package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One place in the graph of types: a definition, or a use of one that may add to it (list type, merge key, default). A use finds
 * its definition when it is first asked, which is how the graph can be cyclic and load by parts.
 *
 * <p>Everything is final but {@code target}, {@code speaking} and {@code speaks}, whose races are benign: each thread would store the same.
 */
final class TypeNode implements Schema {

    /**
     * A declared field.
     *
     * @param pointer an absent value differs from a zero one
     * @param omitEmpty a zero value is not written
     * @param omitZero a zero struct is not written either
     * @param place among the fields, in declared order
     */
    record Field(String name, TypeNode type, boolean pointer, boolean omitEmpty, boolean omitZero, int place) {}

    private static final String CUSTOM_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

    private final SchemaRegistry registry;
    private final @Nullable String ref;
    private @Nullable TypeNode target;

    final Shape shape;
    /** As an error of the decoder names it, such as {@code []v1.Container}. */
    final String goType;

    private final String name;
    private final Type type;
    private final String format;
    private final @Nullable TypeNode additional;
    private final @Nullable TypeNode items;
    private final Set<String> required;
    private final @Nullable JsonNode defaultValue;
    private final @Nullable ListType listType;
    private final List<String> listMapKeys;
    private final @Nullable Boolean atomicMap;
    private final @Nullable String mergeKey;
    private final Set<String> strategies;
    private final boolean preserves;
    final boolean nullable;
    final boolean embedded;
    private final Map<String, Field> fields;
    /** The same in declared order. */
    private final Field[] order;

    /** The same by hash, at most half full; what is taken goes to the next free place. */
    private final @Nullable Field[] byHash;

    private Field @Nullable [] speaking;
    private boolean @Nullable [] speaks;

    private final Map<String, Schema> properties;

    /** The bare struct name that errors of the decoder show. */
    final String structName;

    /**
     * @param json the OpenAPI form
     * @param goLine of a definition: its fields in declared order, each {@code name|options|kind|types}; null elsewhere
     */
    TypeNode(
            SchemaRegistry registry,
            String name,
            ObjectNode json,
            String goKind,
            String goTypes,
            String @Nullable [] goLine,
            boolean custom) {
        this.registry = registry;
        this.name = name;
        String reference = json.path("$ref").asText("");
        this.ref = reference.isEmpty() ? null : reference.substring(reference.lastIndexOf('/') + 1);
        int more = goTypes.indexOf('>');
        this.goType = more < 0 ? goTypes : goTypes.substring(0, more);
        this.structName = goType.substring(goType.lastIndexOf('.') + 1);
        String innerTypes = more < 0 ? "" : goTypes.substring(more + 1);
        String bareKind = goKind.startsWith("*") ? goKind.substring(1) : goKind;
        String innerKind = bareKind.startsWith("[]") || bareKind.startsWith("{}") ? bareKind.substring(2) : "";

        this.format = json.path("format").asText("");
        this.type = typeOf(json);
        this.preserves = json.path("x-kubernetes-preserve-unknown-fields").asBoolean()
                || !custom && ref == null && isArbitrary(json);
        this.nullable = json.path("nullable").asBoolean();
        this.embedded = json.path("x-kubernetes-embedded-resource").asBoolean();
        this.required = strings(json.get("required"));
        this.defaultValue = json.get("default");
        String list = json.path("x-kubernetes-list-type").asText("");
        this.listType = list.isEmpty() ? null : ListType.valueOf(list.toUpperCase(java.util.Locale.ROOT));
        this.listMapKeys = List.copyOf(strings(json.get("x-kubernetes-list-map-keys")));
        String map = json.path("x-kubernetes-map-type").asText("");
        this.atomicMap = map.isEmpty() ? null : (Boolean) map.equals("atomic");
        this.mergeKey = json.path("x-kubernetes-patch-merge-key").asText(null);
        String strategy = json.path("x-kubernetes-patch-strategy").asText("");
        this.strategies = strategy.isEmpty() ? Set.of() : Set.of(strategy.split(","));
        this.items = json.get("items") instanceof ObjectNode o ? child(o, innerKind, innerTypes, custom) : null;
        this.additional = json.get("additionalProperties") instanceof ObjectNode o
                ? child(o, innerKind, innerTypes, custom)
                : custom && json.path("additionalProperties").asBoolean()
                        ? child(json.objectNode().put("x-kubernetes-preserve-unknown-fields", true), "", "", true)
                        : null;
        this.shape = custom ? Shape.CUSTOM : shapeOf(goKind, goLine != null);
        this.fields = fields(json, goLine, custom);
        this.order = fields.values().toArray(Field[]::new);
        this.byHash = byHash(order);
        Map<String, Schema> view = new LinkedHashMap<>();
        fields.forEach((n, f) -> view.put(n, f.type()));
        this.properties = Collections.unmodifiableMap(view);
    }

    private TypeNode child(ObjectNode json, String goKind, String goTypes, boolean custom) {
        return new TypeNode(registry, "", json, goKind, goTypes, null, custom);
    }

    private Shape shapeOf(String goKind, boolean isStruct) {
        Shape known = isStruct ? Shape.STRUCT : Shape.ofGoKind(goKind);
        if (known != null) {
            return known;
        }
        return switch (type) {
            case OBJECT -> additional != null ? Shape.MAP : Shape.RAW;
            case ARRAY -> Shape.LIST;
            case STRING -> format.equals("byte") ? Shape.BYTES : format.equals("date-time") ? Shape.TIME : Shape.STRING;
            case INTEGER -> format.equals("int32") ? Shape.INT32 : Shape.INT64;
            case NUMBER -> Shape.DOUBLE;
            case BOOLEAN -> Shape.BOOL;
            case INT_OR_STRING -> Shape.INT_OR_STRING;
            case ANY -> Shape.RAW;
        };
    }

    private Map<String, Field> fields(ObjectNode json, String @Nullable [] goLine, boolean custom) {
        JsonNode declared = json.path("properties");
        Map<String, Field> result = new LinkedHashMap<>();
        if (goLine != null) {
            for (int i = 2; i < goLine.length; i++) {
                String[] parts = goLine[i].split("\\|", -1);
                if (parts.length == 4 && declared.get(parts[0]) instanceof ObjectNode property) {
                    TypeNode type = new TypeNode(registry, "", property, parts[2], parts[3], null, false);
                    boolean pointer = parts[2].startsWith("*");
                    boolean omit = parts[1].indexOf('o') >= 0;
                    boolean zero = parts[1].indexOf('z') >= 0;
                    result.put(parts[0], new Field(parts[0].intern(), type, pointer, omit, zero, result.size()));
                }
            }
            return result;
        }
        // Without declared order: sorted, which is how Kubernetes writes custom resources.
        TreeMap<String, JsonNode> sorted = new TreeMap<>();
        declared.fields().forEachRemaining(e -> sorted.put(e.getKey(), e.getValue()));
        sorted.forEach((n, property) -> {
            if (property instanceof ObjectNode o) {
                result.put(n, new Field(n.intern(), child(o, "", "", custom), true, true, false, result.size()));
            }
        });
        if (custom && embedded) {
            addObjectFields(result);
        }
        return result;
    }

    private void addObjectFields(Map<String, Field> result) {
        ObjectNode string = com.fasterxml.jackson.databind.node.JsonNodeFactory.instance
                .objectNode()
                .put("type", "string");
        addField(result, "apiVersion", child(string, "", "", true));
        addField(result, "kind", child(string, "", "", true));
        ObjectNode meta = string.objectNode().put("$ref", "#/" + CUSTOM_META);
        addField(result, "metadata", child(meta, "S", "v1.ObjectMeta", false));
    }

    private static void addField(Map<String, Field> to, String name, TypeNode type) {
        Field declared = to.get(name);
        to.put(name, new Field(name, type, true, true, false, declared == null ? to.size() : declared.place()));
    }

    private static Type typeOf(ObjectNode json) {
        if (json.path("x-kubernetes-int-or-string").asBoolean()
                || json.path("format").asText().equals("int-or-string")) {
            return Type.INT_OR_STRING;
        }
        return switch (json.path("type").asText()) {
            case "object" -> Type.OBJECT;
            case "array" -> Type.ARRAY;
            case "string" -> Type.STRING;
            case "integer" -> Type.INTEGER;
            case "number" -> Type.NUMBER;
            case "boolean" -> Type.BOOLEAN;
            default -> Type.ANY;
        };
    }

    private static boolean isArbitrary(ObjectNode json) {
        return !json.has("properties")
                && !json.has("additionalProperties")
                && !json.has("oneOf")
                && (json.path("type").asText("object").equals("object"));
    }

    private static Set<String> strings(@Nullable JsonNode array) {
        if (array == null || array.isEmpty()) {
            return Set.of();
        }
        List<String> list = new ArrayList<>();
        array.forEach(n -> list.add(n.asText()));
        return Collections.unmodifiableSet(new LinkedHashSet<>(list));
    }

    /** The definition that this use names; itself if it names none. */
    TypeNode resolved() {
        if (ref == null) {
            return this;
        }
        TypeNode t = target;
        if (t == null) {
            t = registry.definition(ref);
            target = t;
        }
        return t;
    }

    Map<String, Field> fields() {
        return resolved().fields;
    }

    private static @Nullable Field[] byHash(Field[] fields) {
        @Nullable Field[] table = new Field[Math.max(2, Integer.highestOneBit(Math.max(1, fields.length)) * 4)];
        for (Field field : fields) {
            int i = spread(field.name()) & table.length - 1;
            while (table[i] != null) {
                i = i + 1 & table.length - 1;
            }
            table[i] = field;
        }
        return table;
    }

    private static int spread(String name) {
        int hash = name.hashCode();
        return hash ^ hash >>> 16;
    }

    /** A declared field; null if there is none of the name. Quicker than {@link #fields}: each field of each object asks here. */
    @SuppressWarnings("StringEquality") // names are interned as a rule; the comparison of texts comes after
    @Nullable
    Field field(String name) {
        @Nullable Field[] table = resolved().byHash;
        int mask = table.length - 1;
        for (int i = spread(name) & mask; ; i = i + 1 & mask) {
            Field field = table[i];
            if (field == null || field.name == name || field.name.equals(name)) {
                return field;
            }
        }
    }

    @Override
    public @Nullable Schema property(String property) {
        Field field = field(property);
        return field == null ? null : field.type();
    }

    /** All of {@link #fields} in declared order, each at its place; not to be changed. */
    Field[] order() {
        return resolved().order;
    }

    /** The fields of which something is written even if they are not there. */
    Field[] speaking() {
        TypeNode type = resolved();
        Field[] known = type.speaking;
        if (known == null) {
            known = Arrays.stream(type.order).filter(Canonical::speaks).toArray(Field[]::new);
            type.speaking = known;
        }
        return known;
    }

    /** For each of {@link #order}, whether something is written of it even if it is not there; not to be changed. */
    boolean[] speaks() {
        TypeNode type = resolved();
        boolean[] known = type.speaks;
        if (known == null) {
            known = new boolean[type.order.length];
            for (Field field : type.speaking()) {
                known[field.place()] = true;
            }
            type.speaks = known;
        }
        return known;
    }

    @Override
    public Type type() {
        return resolved().type;
    }

    @Override
    public String name() {
        return ref == null ? name : ref;
    }

    @Override
    public String format() {
        return format.isEmpty() ? resolved().format : format;
    }

    @Override
    public Map<String, Schema> properties() {
        return resolved().properties;
    }

    @Override
    public @Nullable TypeNode additionalProperties() {
        return resolved().additional;
    }

    @Override
    public @Nullable TypeNode items() {
        return resolved().items;
    }

    @Override
    public Set<String> required() {
        return resolved().required;
    }

    @Override
    public @Nullable JsonNode defaultValue() {
        return defaultValue != null ? defaultValue : resolved().defaultValue;
    }

    @Override
    public ListType listType() {
        ListType own = listType != null ? listType : resolved().listType;
        return own == null ? ListType.ATOMIC : own;
    }

    @Override
    public List<String> listMapKeys() {
        return listMapKeys.isEmpty() ? resolved().listMapKeys : listMapKeys;
    }

    @Override
    public boolean isAtomicMap() {
        Boolean own = atomicMap != null ? atomicMap : resolved().atomicMap;
        return own != null && own;
    }

    @Override
    public @Nullable String patchMergeKey() {
        return mergeKey;
    }

    @Override
    public Set<String> patchStrategies() {
        return strategies;
    }

    @Override
    public boolean preservesUnknownFields() {
        return resolved().preserves;
    }

    boolean isCustom() {
        return shape == Shape.CUSTOM;
    }

    @Override
    public String toString() {
        return name().isEmpty() ? type + (goType.isEmpty() ? "" : " " + goType) : name();
    }
}
