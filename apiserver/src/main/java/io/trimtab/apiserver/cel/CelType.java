package io.trimtab.apiserver.cel;

import java.util.List;
import java.util.stream.Collectors;

/** A type of the expression language. Immutable; equal if name and parameters are. Also the value of {@code type(x)}. */
public record CelType(Kind kind, String name, List<CelType> parameters) {

    /** What sort of type. */
    public enum Kind {
        DYN,
        NULL,
        BOOL,
        INT,
        UINT,
        DOUBLE,
        STRING,
        BYTES,
        TIMESTAMP,
        DURATION,
        LIST,
        MAP,
        STRUCT,
        OPAQUE,
        TYPE,
        PARAMETER,
        ERROR
    }

    public static final CelType DYN = simple(Kind.DYN, "dyn");
    public static final CelType NULL = simple(Kind.NULL, "null_type");
    public static final CelType BOOL = simple(Kind.BOOL, "bool");
    public static final CelType INT = simple(Kind.INT, "int");
    public static final CelType UINT = simple(Kind.UINT, "uint");
    public static final CelType DOUBLE = simple(Kind.DOUBLE, "double");
    public static final CelType STRING = simple(Kind.STRING, "string");
    public static final CelType BYTES = simple(Kind.BYTES, "bytes");
    public static final CelType TIMESTAMP = simple(Kind.TIMESTAMP, "google.protobuf.Timestamp");
    public static final CelType DURATION = simple(Kind.DURATION, "google.protobuf.Duration");
    public static final CelType ERROR = simple(Kind.ERROR, "*error*");
    public static final CelType LIST = simple(Kind.LIST, "list");
    public static final CelType MAP = simple(Kind.MAP, "map");
    public static final CelType TYPE = simple(Kind.TYPE, "type");
    static final String OPTIONAL = "optional_type";

    private static CelType simple(Kind kind, String name) {
        return new CelType(kind, name, List.of());
    }

    public static CelType list(CelType element) {
        return new CelType(Kind.LIST, "list", List.of(element));
    }

    public static CelType map(CelType key, CelType value) {
        return new CelType(Kind.MAP, "map", List.of(key, value));
    }

    /** A type with fields, or one that only functions can look into. */
    public static CelType struct(String name) {
        return simple(Kind.STRUCT, name);
    }

    static CelType opaque(String name, CelType... parameters) {
        return new CelType(Kind.OPAQUE, name, List.of(parameters));
    }

    public static CelType optional(CelType of) {
        return opaque(OPTIONAL, of);
    }

    static CelType typeOf(CelType type) {
        return new CelType(Kind.TYPE, "type", List.of(type));
    }

    static CelType parameter(String name) {
        return simple(Kind.PARAMETER, name);
    }

    CelType parameter(int i) {
        return i < parameters.size() ? parameters.get(i) : DYN;
    }

    boolean isDyn() {
        return kind == Kind.DYN;
    }

    boolean isDynOrError() {
        return kind == Kind.DYN || kind == Kind.ERROR;
    }

    boolean isOptional() {
        return kind == Kind.OPAQUE && name.equals(OPTIONAL);
    }

    boolean isScalar() {
        return switch (kind) {
            case BOOL, DOUBLE, DURATION, INT, TIMESTAMP, UINT -> true;
            case OPAQUE -> isOptional() && parameter(0).isScalar();
            case DYN, NULL, STRING, BYTES, LIST, MAP, STRUCT, TYPE, PARAMETER, ERROR -> false;
        };
    }

    /** As messages about the type of a whole expression have it. */
    public String declared() {
        return parameters.isEmpty()
                ? name
                : name + parameters.stream().map(CelType::declared).collect(Collectors.joining(", ", "(", ")"));
    }

    /** As messages of the type checker have it. */
    @Override
    public String toString() {
        return switch (kind) {
            case DURATION -> "duration";
            case TIMESTAMP -> "timestamp";
            case ERROR -> "!error!";
            case NULL -> "null";
            default ->
                parameters.isEmpty()
                        ? name
                        : name + parameters.stream().map(CelType::toString).collect(Collectors.joining(", ", "(", ")"));
        };
    }
}
