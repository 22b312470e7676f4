package io.trimtab.apiserver.cel;

import io.trimtab.apiserver.cel.CostEstimator.Range;

/** What a call has cost, by the sizes of its actual arguments. Stateless. */
final class CallCosts {
    private static final double TRAVERSAL = 0.1;
    private static final double REGEX = 0.25;

    private CallCosts() {}

    /** A selector is read, and becomes a list of requirements. */
    static Range selector(Range length) {
        return Range.of(10).plus(length.times(TRAVERSAL)).plus(length.times(0.5).times(50.0));
    }

    private static long scaled(double size, double factor) {
        return (long) Math.ceil(size * factor);
    }

    private static long traversal(Object value) {
        return scaled(Values.size(value), TRAVERSAL);
    }

    private static long pattern(Object text, double length) {
        return scaled(1.0 + Values.size(text), TRAVERSAL) * scaled(length, REGEX);
    }

    /** Of going through a value as a tree. */
    private static long deep(Object value) {
        if (value instanceof String s) {
            return (long) (s.getBytes(java.nio.charset.StandardCharsets.UTF_8).length * TRAVERSAL);
        } else if (value instanceof CelBytes bytes) {
            return (long) (bytes.size() * TRAVERSAL);
        } else if (value instanceof CelList list) {
            long sum = 0;
            for (Object item : list) {
                sum += deep(item);
            }
            return sum;
        } else if (value instanceof CelMap map) {
            long sum = 0;
            for (Object key : map.keys()) {
                Object of = map.find(key);
                sum += deep(key) + (of == null ? 1 : deep(of));
            }
            return sum;
        }
        return 1;
    }

    static long of(String function, String id, Object[] args, Object result) {
        switch (function) {
            case "check":
                return 350_000;
            case "fieldSelector", "labelSelector":
                return selector(Range.of(Values.size(args[1]))).max();
            case "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf":
                return deep(args[0]);
            case "url",
                    "lowerAscii",
                    "upperAscii",
                    "substring",
                    "trim",
                    "jsonpatch.escapeKey",
                    "cidr",
                    "isIP",
                    "isCIDR",
                    "quantity",
                    "isQuantity",
                    "semver",
                    "isSemver":
                return traversal(args[0]);
            case "ip":
                return id.equals("cidr_ip") ? 1 : traversal(args[0]);
            case "replace", "split", "ip.isCanonical":
                return scaled(Values.size(args[0]), 2 * TRAVERSAL);
            case "join":
                return scaled(Values.size(result), 2 * TRAVERSAL);
            case "find", "findAll":
                return pattern(args[0], Values.size(args[1]));
            case "containsIP", "containsCIDR": {
                long octets = Values.size(args[0]);
                long cost = scaled(octets + octets, TRAVERSAL);
                if (function.equals("containsCIDR")) {
                    cost += scaled(octets, TRAVERSAL) + 1;
                }
                return id.endsWith("_string") ? cost + traversal(args[1]) : cost;
            }
            case "validate":
                return args[0] instanceof NamedFormat format ? pattern(args[1], format.regexSize()) : 1;
            case "sets.contains", "sets.intersects", "sets.equivalent": {
                long product = Values.size(args[0]) * Values.size(args[1]);
                return 1 + (function.equals("sets.equivalent") ? 2 * product : product);
            }
            case Operators.EQUALS:
                if (args[0] instanceof Values.Opaque) {
                    return 1;
                }
                return equality(args);
            case Operators.NOT_EQUALS:
                return equality(args);
            case Operators.IN:
                return args[1] instanceof CelList ? Values.size(args[1]) : 1;
            case "_<_", "_<=_", "_>_", "_>=_":
                return args[0] instanceof String || args[0] instanceof CelBytes ? equality(args) : 1;
            case Operators.ADD:
                return args[0] instanceof String || args[0] instanceof CelBytes
                        ? scaled(Values.size(args[0]) + Values.size(args[1]), TRAVERSAL)
                        : 1;
            case "matches":
                return pattern(args[0], Values.size(args[1]));
            case "contains":
                return traversal(args[0]) * traversal(args[1]);
            case "startsWith", "endsWith", "format", "strings.quote", "bytes":
                return traversal(args[0]);
            case "string":
                return args[0] instanceof CelBytes ? traversal(args[0]) : 1;
            default:
                return 1;
        }
    }

    private static long equality(Object[] args) {
        return scaled(Math.min(Values.size(args[0]), Values.size(args[1])), TRAVERSAL);
    }
}
