package io.trimtab.apiserver.schema;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the decoder takes and the encoder leaves out: the memory type that Kubernetes keeps a value in. */
enum Shape {
    STRUCT,
    MAP,
    LIST,
    STRING,
    INT32,
    INT64,
    BOOL,
    DOUBLE,
    BYTES,
    TIME,
    MICRO_TIME,
    QUANTITY,
    INT_OR_STRING,
    /** Any JSON, kept as it came. */
    RAW,
    /** A schema, or a boolean. */
    SCHEMA_OR_BOOL,
    /** A schema, or a list of them. */
    SCHEMA_OR_ARRAY,
    /** A schema, or a list of strings. */
    SCHEMA_OR_STRINGS,
    /** Part of a custom resource: mistakes of type are left to validation. */
    CUSTOM;

    private static final Map<String, Shape> BY_GO_KIND = Map.ofEntries(
            Map.entry("S", STRUCT),
            Map.entry("string", STRING),
            Map.entry("int32", INT32),
            Map.entry("int64", INT64),
            Map.entry("int", INT64),
            Map.entry("bool", BOOL),
            Map.entry("float64", DOUBLE),
            Map.entry("bytes", BYTES),
            Map.entry("Time", TIME),
            Map.entry("MicroTime", MICRO_TIME),
            Map.entry("Quantity", QUANTITY),
            Map.entry("IntOrString", INT_OR_STRING),
            Map.entry("RawExtension", RAW),
            Map.entry("FieldsV1", RAW),
            Map.entry("JSON", RAW),
            Map.entry("JSONSchemaPropsOrBool", SCHEMA_OR_BOOL),
            Map.entry("JSONSchemaPropsOrArray", SCHEMA_OR_ARRAY),
            Map.entry("JSONSchemaPropsOrStringArray", SCHEMA_OR_STRINGS));

    /** Of a kind such as {@code []S} or {@code *int32}; pointers do not count. */
    static @Nullable Shape ofGoKind(String kind) {
        String bare = kind.startsWith("*") ? kind.substring(1) : kind;
        if (bare.startsWith("[]")) {
            return LIST;
        }
        if (bare.startsWith("{}")) {
            return MAP;
        }
        return BY_GO_KIND.get(bare);
    }
}
