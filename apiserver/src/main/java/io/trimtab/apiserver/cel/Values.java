package io.trimtab.apiserver.cel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The values of the language as Java objects: Boolean, Long, Double, String, Instant, Duration, {@link CelNull}, {@link CelList},
 * {@link CelMap}, {@link CelType}, and some of this package's own. Stateless.
 */
public final class Values {
    private Values() {}

    /** A tree as a value, without copying it. */
    public static Object of(@Nullable JsonNode node) {
        return node == null ? CelNull.NULL : JsonValues.of(node);
    }

    /** A tree as a value of a declared type. */
    public static Object of(JsonNode node, DeclType type) {
        return JsonValues.of(node, type);
    }

    /** As an optional value. */
    public static Object optional(@Nullable Object value) {
        return value == null ? CelOptional.NONE : CelOptional.of(value);
    }

    /** What {@code type(x)} is. */
    static CelType typeOf(Object value) {
        if (value instanceof String) {
            return CelType.STRING;
        } else if (value instanceof Long) {
            return CelType.INT;
        } else if (value instanceof Boolean) {
            return CelType.BOOL;
        } else if (value instanceof Double) {
            return CelType.DOUBLE;
        } else if (value instanceof CelMap map) {
            return map.typeName().equals("map")
                    ? CelType.map(CelType.DYN, CelType.DYN)
                    : CelType.struct(map.typeName());
        } else if (value instanceof CelList) {
            return CelType.list(CelType.DYN);
        } else if (value instanceof CelNull) {
            return CelType.NULL;
        } else if (value instanceof CelUnsigned) {
            return CelType.UINT;
        } else if (value instanceof CelBytes) {
            return CelType.BYTES;
        } else if (value instanceof Instant) {
            return CelType.TIMESTAMP;
        } else if (value instanceof Duration) {
            return CelType.DURATION;
        } else if (value instanceof CelType) {
            return CelType.TYPE;
        } else if (value instanceof CelOptional) {
            return CelType.optional(CelType.DYN);
        } else if (value instanceof Opaque opaque) {
            return opaque.celType();
        }
        throw new IllegalStateException("no value of the language: " + value.getClass());
    }

    /** A value that only functions look into. */
    interface Opaque {
        CelType celType();

        /** What its length counts as. */
        default long size() {
            return 1;
        }
    }

    /** Whether a value may be handed to a parameter of this type. */
    static boolean isOfType(Object value, CelType type) {
        return switch (type.kind()) {
            case DYN, PARAMETER, ERROR -> true;
            case STRING -> value instanceof String;
            case INT -> value instanceof Long;
            case BOOL -> value instanceof Boolean;
            case DOUBLE -> value instanceof Double;
            case UINT -> value instanceof CelUnsigned;
            case BYTES -> value instanceof CelBytes;
            case TIMESTAMP -> value instanceof Instant;
            case DURATION -> value instanceof Duration;
            case NULL -> value instanceof CelNull;
            case LIST ->
                value instanceof CelList list && (list.size() == 0 || isOfType(list.get(0), type.parameter(0)));
            case MAP -> value instanceof CelMap;
            case TYPE -> value instanceof CelType;
            case STRUCT, OPAQUE ->
                type.isOptional()
                        ? value instanceof CelOptional
                        : typeOf(value).name().equals(type.name());
        };
    }

    static boolean equal(Object one, Object other) {
        if (one == other) {
            return !(one instanceof Double d) || !d.isNaN();
        }
        if (isNumber(one)) {
            return isNumber(other) && compareNumbers(one, other) == 0;
        }
        if (one instanceof CelList list) {
            return other instanceof CelList l && list.sameAs(l);
        }
        if (one instanceof CelMap map) {
            return other instanceof CelMap m && map.sameAs(m);
        }
        if (one instanceof CelOptional a && other instanceof CelOptional b) {
            return a.value() == null || b.value() == null ? a.value() == b.value() : equal(a.value(), b.value());
        }
        if (one instanceof CelType a && other instanceof CelType b) {
            return a.name().equals(b.name());
        }
        return one.equals(other);
    }

    static boolean contains(CelList list, Object value) {
        for (Object item : list) {
            if (equal(item, value)) {
                return true;
            }
        }
        return false;
    }

    static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof Double || value instanceof CelUnsigned;
    }

    /** Negative, zero or positive; 2 where one of them is not a number. */
    private static int compareNumbers(Object one, Object other) {
        if (one instanceof Long a && other instanceof Long b) {
            return Long.compare(a, b);
        }
        if (one instanceof CelUnsigned a && other instanceof CelUnsigned b) {
            return a.compareTo(b);
        }
        double a = toDouble(one);
        double b = toDouble(other);
        if (Double.isNaN(a) || Double.isNaN(b)) {
            return 2;
        }
        if (one instanceof Double && other instanceof Double || Double.isInfinite(a) || Double.isInfinite(b)) {
            return a == b ? 0 : a < b ? -1 : 1;
        }
        return exact(one).compareTo(exact(other));
    }

    private static double toDouble(Object number) {
        return number instanceof Long l
                ? (double) l
                : number instanceof Double d ? d : ((CelUnsigned) number).doubleValue();
    }

    private static BigDecimal exact(Object number) {
        return number instanceof Long l
                ? BigDecimal.valueOf(l)
                : number instanceof Double d ? new BigDecimal(d) : new BigDecimal(number.toString());
    }

    /**
     * Orders two values.
     *
     * @throws CelException if they have no order
     */
    static int compare(Object one, Object other) {
        if (isNumber(one) && isNumber(other)) {
            int order = compareNumbers(one, other);
            if (order == 2) {
                throw new CelException("NaN values cannot be ordered");
            }
            return order;
        }
        if (one instanceof String a && other instanceof String b) {
            return compareText(a, b);
        }
        if (one instanceof Boolean a && other instanceof Boolean b) {
            return a.compareTo(b);
        }
        if (one instanceof Instant a && other instanceof Instant b) {
            return a.compareTo(b);
        }
        if (one instanceof Duration a && other instanceof Duration b) {
            return a.compareTo(b);
        }
        if (one instanceof CelBytes a && other instanceof CelBytes b) {
            return a.compareTo(b);
        }
        throw CelException.noOverload();
    }

    /** By code points, as bytes of UTF-8 would be ordered. */
    private static int compareText(String a, String b) {
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                boolean highX = Character.isSurrogate(x);
                boolean highY = Character.isSurrogate(y);
                return highX != highY ? highX ? 1 : -1 : x - y;
            }
        }
        return a.length() - b.length();
    }

    /** The length that costs are counted by: 1 for what has none. */
    static long size(Object value) {
        if (value instanceof String s) {
            return s.codePointCount(0, s.length());
        } else if (value instanceof CelList list) {
            return list.size();
        } else if (value instanceof CelMap map) {
            return map.size();
        } else if (value instanceof CelBytes bytes) {
            return bytes.size();
        } else if (value instanceof CelOptional optional && optional.value() != null) {
            return size(optional.value());
        } else if (value instanceof Opaque opaque) {
            return opaque.size();
        }
        return 1;
    }

    /** As it stands in messages. */
    static String text(Object value) {
        if (value instanceof Double d) {
            return Numbers.print(d);
        } else if (value instanceof CelNull) {
            return "NULL_VALUE";
        } else if (value instanceof Duration d) {
            return Times.print(d);
        } else if (value instanceof CelList list) {
            StringBuilder out = new StringBuilder("[");
            for (Object item : list) {
                out.append(out.length() > 1 ? ", " : "").append(text(item));
            }
            return out.append(']').toString();
        }
        return String.valueOf(value);
    }

    /**
     * A value as JSON.
     *
     * @throws CelException for values that JSON has no form for
     */
    public static JsonNode toJson(Object value) {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        if (value instanceof String s) {
            return nodes.textNode(s);
        } else if (value instanceof Long l) {
            return nodes.numberNode(l);
        } else if (value instanceof Double d) {
            return nodes.numberNode(d);
        } else if (value instanceof CelUnsigned u) {
            return nodes.numberNode(new java.math.BigInteger(u.toString()));
        } else if (value instanceof Boolean b) {
            return nodes.booleanNode(b);
        } else if (value instanceof CelNull) {
            return nodes.nullNode();
        } else if (value instanceof CelBytes bytes) {
            return nodes.textNode(java.util.Base64.getEncoder().encodeToString(bytes.octets()));
        } else if (value instanceof Instant time) {
            return nodes.textNode(Times.print(time));
        } else if (value instanceof Duration duration) {
            return nodes.textNode(Times.print(duration));
        } else if (value instanceof CelList list) {
            ArrayNode array = nodes.arrayNode();
            list.forEach(item -> array.add(toJson(item)));
            return array;
        } else if (value instanceof CelMap map) {
            ObjectNode object = nodes.objectNode();
            for (Object key : map.keys()) {
                if (!(key instanceof String name)) {
                    throw new CelException("unsupported type conversion to 'string'");
                }
                object.set(name, toJson(java.util.Objects.requireNonNull(map.find(key))));
            }
            return object;
        } else if (value instanceof CelOptional optional) {
            return optional.value() == null ? nodes.nullNode() : toJson(optional.value());
        }
        return nodes.textNode(String.valueOf(value));
    }

    /** Values of strings. */
    static List<Object> strings(List<String> texts) {
        return List.copyOf(texts);
    }
}
