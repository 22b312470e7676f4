package io.trimtab.apiserver.cel;

import com.google.re2j.PatternSyntaxException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The functions of the language itself; operators are declared here and done by {@link Arithmetic}. Stateless. */
final class StandardLibrary {
    static final CelType A = CelType.parameter("A");
    static final CelType B = CelType.parameter("B");
    private static final CelType LIST_A = CelType.list(A);
    private static final CelType MAP_AB = CelType.map(A, B);
    private static final Overload.Body OPERATOR = args -> {
        throw CelException.noOverload();
    };
    private static final BigDecimal MIN_LONG = BigDecimal.valueOf(Long.MIN_VALUE);
    private static final BigDecimal MAX_LONG = BigDecimal.valueOf(Long.MAX_VALUE);

    private StandardLibrary() {}

    static void declare(Libraries to) {
        operators(to);
        conversions(to);
        to.add("size", size(false, "size_string", CelType.STRING));
        for (boolean member : new boolean[] {false, true}) {
            if (member) {
                to.add("size", size(true, "string_size", CelType.STRING));
            }
            to.add("size", size(member, member ? "bytes_size" : "size_bytes", CelType.BYTES));
            to.add("size", size(member, member ? "list_size" : "size_list", LIST_A));
            to.add("size", size(member, member ? "map_size" : "size_map", MAP_AB));
        }
        to.add("contains", text("contains_string", (a, b) -> a.contains(b)));
        to.add("startsWith", text("starts_with_string", (a, b) -> a.startsWith(b)));
        to.add("endsWith", text("ends_with_string", (a, b) -> a.endsWith(b)));
        to.add(
                "matches",
                Overload.global("matches", CelType.BOOL, StandardLibrary::matches, CelType.STRING, CelType.STRING),
                text("matches_string", (a, b) -> matches(new Object[] {a, b})));
        to.add("sets.contains", sets("list_sets_contains_list", (a, b) -> containsAll(a, b)));
        to.add("sets.equivalent", sets("list_sets_equivalent_list", (a, b) -> containsAll(a, b) && containsAll(b, a)));
        to.add("sets.intersects", sets("list_sets_intersects_list", StandardLibrary::intersects));
        to.add(
                Operators.MAP_INSERT,
                Overload.global(
                        "@mapInsert_map_key_value",
                        MAP_AB,
                        args -> insert((CelMap) args[0], args[1], args[2]),
                        MAP_AB,
                        A,
                        B),
                Overload.global(
                        "@mapInsert_map_map",
                        MAP_AB,
                        args -> insertAll((CelMap) args[0], (CelMap) args[1]),
                        MAP_AB,
                        MAP_AB));
    }

    private interface TextTest {
        boolean test(String a, String b);
    }

    private interface ListTest {
        boolean test(CelList a, CelList b);
    }

    private static Overload text(String id, TextTest test) {
        return Overload.member(
                id,
                CelType.BOOL,
                args -> test.test((String) args[0], (String) args[1]),
                CelType.STRING,
                CelType.STRING);
    }

    private static Overload sets(String id, ListTest test) {
        return Overload.global(
                id, CelType.BOOL, args -> test.test((CelList) args[0], (CelList) args[1]), LIST_A, LIST_A);
    }

    private static Overload size(boolean member, String id, CelType of) {
        return new Overload(id, member, List.of(of), CelType.INT, args -> Values.size(args[0]));
    }

    private static boolean matches(Object[] args) {
        try {
            return Patterns.of((String) args[1]).matcher((String) args[0]).find();
        } catch (PatternSyntaxException e) {
            throw new CelException("error parsing regexp: " + e.getDescription() + ": `" + e.getPattern() + "`");
        }
    }

    private static boolean containsAll(CelList all, CelList some) {
        for (Object item : some) {
            if (!Values.contains(all, item)) {
                return false;
            }
        }
        return true;
    }

    private static boolean intersects(CelList a, CelList b) {
        for (Object item : b) {
            if (Values.contains(a, item)) {
                return true;
            }
        }
        return false;
    }

    private static Object insert(CelMap map, Object key, Object value) {
        CelMap.Plain more = new CelMap.Plain();
        for (Object old : map.keys()) {
            more.values.put(old, java.util.Objects.requireNonNull(map.find(old)));
        }
        if (map.find(key) != null) {
            throw new CelException("insert failed: key " + Values.text(key) + " already exists");
        }
        more.values.put(key, value);
        return more;
    }

    private static Object insertAll(CelMap map, CelMap others) {
        Object result = map;
        for (Object key : others.keys()) {
            result = insert((CelMap) result, key, java.util.Objects.requireNonNull(others.find(key)));
        }
        return result;
    }

    private static Overload operator(String id, CelType result, CelType... args) {
        return Overload.global(id, result, OPERATOR, args);
    }

    private static void operators(Libraries to) {
        to.add(Operators.CONDITIONAL, operator("conditional", A, CelType.BOOL, A, A));
        to.add(Operators.AND, operator("logical_and", CelType.BOOL, CelType.BOOL, CelType.BOOL));
        to.add(Operators.OR, operator("logical_or", CelType.BOOL, CelType.BOOL, CelType.BOOL));
        to.add(Operators.NOT, operator("logical_not", CelType.BOOL, CelType.BOOL));
        to.add(Operators.NOT_STRICTLY_FALSE, operator("not_strictly_false", CelType.BOOL, CelType.BOOL));
        to.add(Operators.EQUALS, operator("equals", CelType.BOOL, A, A));
        to.add(Operators.NOT_EQUALS, operator("not_equals", CelType.BOOL, A, A));
        to.add(
                Operators.ADD,
                operator("add_bytes", CelType.BYTES, CelType.BYTES, CelType.BYTES),
                operator("add_double", CelType.DOUBLE, CelType.DOUBLE, CelType.DOUBLE),
                operator("add_duration_duration", CelType.DURATION, CelType.DURATION, CelType.DURATION),
                operator("add_duration_timestamp", CelType.TIMESTAMP, CelType.DURATION, CelType.TIMESTAMP),
                operator("add_timestamp_duration", CelType.TIMESTAMP, CelType.TIMESTAMP, CelType.DURATION),
                operator("add_int64", CelType.INT, CelType.INT, CelType.INT),
                operator("add_list", LIST_A, LIST_A, LIST_A),
                operator("add_string", CelType.STRING, CelType.STRING, CelType.STRING),
                operator("add_uint64", CelType.UINT, CelType.UINT, CelType.UINT));
        to.add(
                "_-_",
                operator("subtract_double", CelType.DOUBLE, CelType.DOUBLE, CelType.DOUBLE),
                operator("subtract_duration_duration", CelType.DURATION, CelType.DURATION, CelType.DURATION),
                operator("subtract_int64", CelType.INT, CelType.INT, CelType.INT),
                operator("subtract_timestamp_duration", CelType.TIMESTAMP, CelType.TIMESTAMP, CelType.DURATION),
                operator("subtract_timestamp_timestamp", CelType.DURATION, CelType.TIMESTAMP, CelType.TIMESTAMP),
                operator("subtract_uint64", CelType.UINT, CelType.UINT, CelType.UINT));
        for (Map.Entry<String, String> op :
                Map.of("_*_", "multiply", "_/_", "divide").entrySet()) {
            to.add(
                    op.getKey(),
                    operator(op.getValue() + "_double", CelType.DOUBLE, CelType.DOUBLE, CelType.DOUBLE),
                    operator(op.getValue() + "_int64", CelType.INT, CelType.INT, CelType.INT),
                    operator(op.getValue() + "_uint64", CelType.UINT, CelType.UINT, CelType.UINT));
        }
        to.add(
                "_%_",
                operator("modulo_int64", CelType.INT, CelType.INT, CelType.INT),
                operator("modulo_uint64", CelType.UINT, CelType.UINT, CelType.UINT));
        to.add(
                Operators.NEGATE,
                operator("negate_double", CelType.DOUBLE, CelType.DOUBLE),
                operator("negate_int64", CelType.INT, CelType.INT));
        for (Map.Entry<String, String> op : Map.of(
                        "_<_", "less", "_<=_", "less_equals", "_>_", "greater", "_>=_", "greater_equals")
                .entrySet()) {
            comparisons(to, op.getKey(), op.getValue());
        }
        to.add(
                Operators.INDEX,
                operator("index_list", A, LIST_A, CelType.INT),
                operator("index_map", B, MAP_AB, A),
                operator("optional_list_index_int", CelType.optional(A), CelType.optional(LIST_A), CelType.INT),
                operator("optional_map_index_value", CelType.optional(B), CelType.optional(MAP_AB), A));
        to.add(
                Operators.OPTIONAL_INDEX,
                operator("list_optindex_optional_int", CelType.optional(A), LIST_A, CelType.INT),
                operator(
                        "optional_list_optindex_optional_int",
                        CelType.optional(A),
                        CelType.optional(LIST_A),
                        CelType.INT),
                operator("map_optindex_optional_value", CelType.optional(B), MAP_AB, A),
                operator("optional_map_optindex_optional_value", CelType.optional(B), CelType.optional(MAP_AB), A));
        to.add(Operators.IN, operator("in_list", CelType.BOOL, A, LIST_A), operator("in_map", CelType.BOOL, A, MAP_AB));
    }

    private static void comparisons(Libraries to, String operator, String name) {
        Map<CelType, String> numbers = Map.of(CelType.INT, "int64", CelType.UINT, "uint64", CelType.DOUBLE, "double");
        numbers.forEach((one, n) -> numbers.forEach((other, m) -> to.add(
                operator, operator(name + "_" + n + (one.equals(other) ? "" : "_" + m), CelType.BOOL, one, other))));
        Map.of(
                        CelType.BOOL, "bool",
                        CelType.STRING, "string",
                        CelType.BYTES, "bytes",
                        CelType.TIMESTAMP, "timestamp",
                        CelType.DURATION, "duration")
                .forEach((type, n) -> to.add(operator, operator(name + "_" + n, CelType.BOOL, type, type)));
    }

    private static void conversions(Libraries to) {
        to.add("type", Overload.global("type", CelType.typeOf(A), args -> Values.typeOf(args[0]), A));
        to.add("dyn", Overload.global("to_dyn", CelType.DYN, args -> args[0], A));
        identity(to, "bool", "bool_to_bool", CelType.BOOL);
        to.add(
                "bool",
                Overload.global("string_to_bool", CelType.BOOL, args -> toBool((String) args[0]), CelType.STRING));
        identity(to, "bytes", "bytes_to_bytes", CelType.BYTES);
        to.add(
                "bytes",
                Overload.global(
                        "string_to_bytes",
                        CelType.BYTES,
                        args -> new CelBytes(((String) args[0]).getBytes(StandardCharsets.UTF_8)),
                        CelType.STRING));
        identity(to, "double", "double_to_double", CelType.DOUBLE);
        to.add(
                "double",
                Overload.global("int64_to_double", CelType.DOUBLE, args -> (double) (Long) args[0], CelType.INT),
                Overload.global("string_to_double", CelType.DOUBLE, args -> toDouble((String) args[0]), CelType.STRING),
                Overload.global(
                        "uint64_to_double",
                        CelType.DOUBLE,
                        args -> ((CelUnsigned) args[0]).doubleValue(),
                        CelType.UINT));
        identity(to, "int", "int64_to_int64", CelType.INT);
        to.add(
                "int",
                Overload.global("double_to_int64", CelType.INT, args -> toInt((Double) args[0]), CelType.DOUBLE),
                Overload.global(
                        "duration_to_int64", CelType.INT, args -> ((Duration) args[0]).toNanos(), CelType.DURATION),
                Overload.global("string_to_int64", CelType.INT, args -> toInt((String) args[0]), CelType.STRING),
                Overload.global(
                        "timestamp_to_int64",
                        CelType.INT,
                        args -> ((Instant) args[0]).getEpochSecond(),
                        CelType.TIMESTAMP),
                Overload.global("uint64_to_int64", CelType.INT, args -> toInt((CelUnsigned) args[0]), CelType.UINT));
        identity(to, "uint", "uint64_to_uint64", CelType.UINT);
        to.add(
                "uint",
                Overload.global("double_to_uint64", CelType.UINT, args -> toUnsigned((Double) args[0]), CelType.DOUBLE),
                Overload.global("int64_to_uint64", CelType.UINT, args -> toUnsigned((Long) args[0]), CelType.INT),
                Overload.global(
                        "string_to_uint64", CelType.UINT, args -> toUnsigned((String) args[0]), CelType.STRING));
        identity(to, "string", "string_to_string", CelType.STRING);
        to.add(
                "string",
                Overload.global("bool_to_string", CelType.STRING, args -> args[0].toString(), CelType.BOOL),
                Overload.global("bytes_to_string", CelType.STRING, args -> toText((CelBytes) args[0]), CelType.BYTES),
                Overload.global("double_to_string", CelType.STRING, args -> Values.text(args[0]), CelType.DOUBLE),
                Overload.global(
                        "duration_to_string",
                        CelType.STRING,
                        args -> Times.print((Duration) args[0]),
                        CelType.DURATION),
                Overload.global("int64_to_string", CelType.STRING, args -> args[0].toString(), CelType.INT),
                Overload.global(
                        "timestamp_to_string",
                        CelType.STRING,
                        args -> Times.print((Instant) args[0]),
                        CelType.TIMESTAMP),
                Overload.global("uint64_to_string", CelType.STRING, args -> args[0].toString(), CelType.UINT));
    }

    private static void identity(Libraries to, String name, String id, CelType type) {
        to.add(name, Overload.global(id, type, args -> args[0], type));
    }

    private static Boolean toBool(String text) {
        return switch (text) {
            case "1", "t", "T", "true", "TRUE", "True" -> true;
            case "0", "f", "F", "false", "FALSE", "False" -> false;
            default -> throw conversion("string", "bool");
        };
    }

    static CelException conversion(String from, String to) {
        return new CelException("type conversion error from '" + from + "' to '" + to + "'");
    }

    private static Double toDouble(String text) {
        try {
            return switch (text) {
                case "NaN" -> Double.NaN;
                case "Infinity", "+Infinity", "Inf", "+Inf", "inf" -> Double.POSITIVE_INFINITY;
                case "-Infinity", "-Inf", "-inf" -> Double.NEGATIVE_INFINITY;
                default -> {
                    if (!text.equals(text.trim()) || text.endsWith("d") || text.endsWith("f")) {
                        throw conversion("string", "double");
                    }
                    yield Double.valueOf(text);
                }
            };
        } catch (NumberFormatException e) {
            throw conversion("string", "double");
        }
    }

    private static Long toInt(Double value) {
        if (value.isNaN() || value <= -0x1p63 || value >= 0x1p63) {
            throw new CelException("integer overflow");
        }
        return value.longValue();
    }

    private static Long toInt(String text) {
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException e) {
            throw conversion("string", "int");
        }
    }

    private static Long toInt(CelUnsigned value) {
        if (value.bits() < 0) {
            throw new CelException("integer overflow");
        }
        return value.bits();
    }

    private static CelUnsigned toUnsigned(Double value) {
        if (value.isNaN() || value < 0 || value >= 0x1p64) {
            throw new CelException("unsigned integer overflow");
        }
        return new CelUnsigned(new BigDecimal(value).toBigInteger().longValue());
    }

    private static CelUnsigned toUnsigned(Long value) {
        if (value < 0) {
            throw new CelException("unsigned integer overflow");
        }
        return new CelUnsigned(value);
    }

    private static CelUnsigned toUnsigned(String text) {
        try {
            BigInteger value = new BigInteger(text);
            if (value.signum() < 0 || value.bitLength() > 64) {
                throw conversion("string", "uint");
            }
            return new CelUnsigned(value.longValue());
        } catch (NumberFormatException e) {
            throw conversion("string", "uint");
        }
    }

    private static String toText(CelBytes bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.octets()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new CelException("invalid UTF-8 in bytes, cannot convert to string");
        }
    }

    /** Whether it can be a long without losing anything. */
    static boolean isLong(BigDecimal value) {
        return value.compareTo(MIN_LONG) >= 0
                && value.compareTo(MAX_LONG) <= 0
                && value.stripTrailingZeros().scale() <= 0;
    }

    static List<Object> copy(CelList list) {
        List<Object> values = new ArrayList<>(list.size());
        list.forEach(values::add);
        return values;
    }
}
