package io.trimtab.apiserver.cel;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A type with what a schema says of its size: what expressions see of a part of an object, how its JSON is read, and how large it
 * can get. Immutable.
 */
public final class DeclType {
    private static final long UNKNOWN = -1;

    static final DeclType STRING = scalar(CelType.STRING, 2, UNKNOWN, "");
    static final DeclType BOOL = scalar(CelType.BOOL, 4, UNKNOWN, "");
    static final DeclType INT = scalar(CelType.INT, 1, UNKNOWN, "");
    static final DeclType DOUBLE = scalar(CelType.DOUBLE, 1, UNKNOWN, "");
    static final DeclType DYN = scalar(CelType.DYN, 1, UNKNOWN, "");

    private final CelType celType;
    private final String format;
    private final @Nullable DeclType element;
    private final Map<String, Field> fields;
    private final long maxElements;
    private final long minSerializedSize;
    private final String listType;
    private final List<String> mapKeys;

    /**
     * A field of an object.
     *
     * @param name as it stands in JSON, not escaped
     */
    record Field(String name, DeclType type) {}

    private DeclType(
            CelType celType,
            String format,
            @Nullable DeclType element,
            Map<String, Field> fields,
            long maxElements,
            long minSerializedSize,
            String listType,
            List<String> mapKeys) {
        this.celType = celType;
        this.format = format;
        this.element = element;
        this.fields = fields;
        this.maxElements = maxElements;
        this.minSerializedSize = minSerializedSize;
        this.listType = listType;
        this.mapKeys = mapKeys;
    }

    static DeclType scalar(CelType type, long minSerializedSize, long maxElements, String format) {
        return new DeclType(type, format, null, Map.of(), maxElements, minSerializedSize, "", List.of());
    }

    static DeclType list(DeclType element, long maxItems, String listType, List<String> mapKeys) {
        return new DeclType(
                CelType.list(element.celType), "", element, Map.of(), maxItems, 2, listType, List.copyOf(mapKeys));
    }

    static DeclType map(DeclType value, long maxProperties) {
        return new DeclType(
                CelType.map(CelType.STRING, value.celType), "", value, Map.of(), maxProperties, 2, "", List.of());
    }

    /** @param fields by escaped name */
    static DeclType object(String name, Map<String, Field> fields, long minSerializedSize) {
        return new DeclType(
                CelType.struct(name), "", null, new LinkedHashMap<>(fields), 0, minSerializedSize, "", List.of());
    }

    public CelType celType() {
        return celType;
    }

    /** Of a string: how its text is read. */
    String format() {
        return format;
    }

    public boolean isObject() {
        return celType.kind() == CelType.Kind.STRUCT;
    }

    boolean isList() {
        return celType.kind() == CelType.Kind.LIST;
    }

    boolean isMap() {
        return celType.kind() == CelType.Kind.MAP;
    }

    /** Of a list's items, of a map's values; null for others. */
    public @Nullable DeclType element() {
        return element;
    }

    /** By escaped name. */
    Map<String, Field> fields() {
        return fields;
    }

    /** The type of a property, by its name in JSON; null if expressions cannot see it. */
    public @Nullable DeclType property(String name) {
        String escaped = Escaping.escape(name);
        Field field = escaped == null ? null : fields.get(escaped);
        return field == null ? null : field.type();
    }

    /** What the size of a value of this type is taken for: nothing is known of most scalars, and Kubernetes takes 0 for that. */
    long sizeForCosts() {
        return maxElements == UNKNOWN ? 0 : maxElements;
    }

    /** Bytes of the shortest JSON. */
    public long minSerializedSize() {
        return minSerializedSize;
    }

    String listType() {
        return listType;
    }

    List<String> mapKeys() {
        return mapKeys;
    }

    /** The object types in this one, by name. */
    public TypeProvider provider() {
        Map<String, DeclType> objects = new LinkedHashMap<>();
        collect(objects);
        return new TypeProvider() {
            @Override
            public boolean has(String type) {
                return objects.containsKey(type);
            }

            @Override
            public @Nullable CelType field(String type, String field) {
                DeclType object = objects.get(type);
                if (object == null) {
                    return null;
                }
                Field found = object.field(field);
                return found == null ? null : found.type().celType();
            }
        };
    }

    @Nullable
    Field field(String name) {
        Field found = fields.get(name);
        // A word that is reserved only as an identifier may stand after a dot.
        return found == null && Escaping.isReserved(name) ? fields.get("__" + name + "__") : found;
    }

    private void collect(Map<String, DeclType> objects) {
        if (isObject()) {
            objects.put(celType.name(), this);
            fields.values().forEach(field -> field.type().collect(objects));
        } else if (element != null) {
            element.collect(objects);
        }
    }
}
