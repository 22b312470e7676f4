package io.trimtab.apiserver.cel;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What operators do, whatever the types turn out to be. Stateless. */
final class Arithmetic {
    private static final CelException OVERFLOW = new CelException("integer overflow");

    private Arithmetic() {}

    /** The value; null if the function is no operator of this class. */
    static @Nullable Object apply(String function, Object[] args) {
        return switch (function) {
            case Operators.EQUALS -> Values.equal(args[0], args[1]);
            case Operators.NOT_EQUALS -> !Values.equal(args[0], args[1]);
            case "_<_" -> Values.compare(args[0], args[1]) < 0;
            case "_<=_" -> Values.compare(args[0], args[1]) <= 0;
            case "_>_" -> Values.compare(args[0], args[1]) > 0;
            case "_>=_" -> Values.compare(args[0], args[1]) >= 0;
            case Operators.NOT -> {
                if (args[0] instanceof Boolean b) {
                    yield !b;
                }
                throw new CelException("no such overload");
            }
            case Operators.IN -> in(args[0], args[1]);
            case Operators.ADD -> add(args[0], args[1]);
            case "_-_" -> subtract(args[0], args[1]);
            case "_*_" -> multiply(args[0], args[1]);
            case "_/_" -> divide(args[0], args[1]);
            case "_%_" -> remainder(args[0], args[1]);
            case Operators.NEGATE -> negate(args[0]);
            default -> null;
        };
    }

    private static Object in(Object value, Object container) {
        if (container instanceof CelList list) {
            return Values.contains(list, value);
        }
        if (container instanceof CelMap map) {
            return map.find(value) != null;
        }
        throw CelException.noOverload();
    }

    private static Object add(Object a, Object b) {
        if (a instanceof Long x && b instanceof Long y) {
            long sum = x + y;
            if (((x ^ sum) & (y ^ sum)) < 0) {
                throw OVERFLOW;
            }
            return sum;
        }
        if (a instanceof String x && b instanceof String y) {
            return x + y;
        }
        if (a instanceof CelList x && b instanceof CelList y) {
            return x.plus(y);
        }
        if (a instanceof Double x && b instanceof Double y) {
            return x + y;
        }
        if (a instanceof CelUnsigned x && b instanceof CelUnsigned y) {
            long sum = x.bits() + y.bits();
            if (Long.compareUnsigned(sum, x.bits()) < 0) {
                throw new CelException("unsigned integer overflow");
            }
            return new CelUnsigned(sum);
        }
        if (a instanceof CelBytes x && b instanceof CelBytes y) {
            byte[] both = java.util.Arrays.copyOf(x.octets(), x.size() + y.size());
            System.arraycopy(y.octets(), 0, both, x.size(), y.size());
            return new CelBytes(both);
        }
        if (a instanceof Instant x && b instanceof Duration y) {
            return time(x, y);
        }
        if (a instanceof Duration x && b instanceof Instant y) {
            return time(y, x);
        }
        if (a instanceof Duration x && b instanceof Duration y) {
            return duration(x.plus(y));
        }
        throw CelException.noOverload();
    }

    private static Instant time(Instant time, Duration plus) {
        Instant sum = time.plus(plus);
        if (sum.getEpochSecond() < -62135596800L || sum.getEpochSecond() > 253402300799L) {
            throw new CelException("timestamp overflow");
        }
        return sum;
    }

    private static Duration duration(Duration duration) {
        try {
            return Duration.ofNanos(duration.toNanos());
        } catch (ArithmeticException e) {
            throw new CelException("duration overflow");
        }
    }

    private static Object subtract(Object a, Object b) {
        if (a instanceof Long x && b instanceof Long y) {
            long difference = x - y;
            if (((x ^ y) & (x ^ difference)) < 0) {
                throw OVERFLOW;
            }
            return difference;
        }
        if (a instanceof Double x && b instanceof Double y) {
            return x - y;
        }
        if (a instanceof CelUnsigned x && b instanceof CelUnsigned y) {
            if (x.compareTo(y) < 0) {
                throw new CelException("unsigned integer overflow");
            }
            return new CelUnsigned(x.bits() - y.bits());
        }
        if (a instanceof Instant x && b instanceof Duration y) {
            return time(x, y.negated());
        }
        if (a instanceof Instant x && b instanceof Instant y) {
            return duration(Duration.between(y, x));
        }
        if (a instanceof Duration x && b instanceof Duration y) {
            return duration(x.minus(y));
        }
        throw CelException.noOverload();
    }

    private static Object multiply(Object a, Object b) {
        if (a instanceof Long x && b instanceof Long y) {
            try {
                return Math.multiplyExact(x, y);
            } catch (ArithmeticException e) {
                throw OVERFLOW;
            }
        }
        if (a instanceof Double x && b instanceof Double y) {
            return x * y;
        }
        if (a instanceof CelUnsigned x && b instanceof CelUnsigned y) {
            BigInteger product = new BigInteger(x.toString()).multiply(new BigInteger(y.toString()));
            if (product.bitLength() > 64) {
                throw new CelException("unsigned integer overflow");
            }
            return new CelUnsigned(product.longValue());
        }
        throw CelException.noOverload();
    }

    private static Object divide(Object a, Object b) {
        if (a instanceof Long x && b instanceof Long y) {
            if (y == 0) {
                throw new CelException("division by zero");
            }
            if (x == Long.MIN_VALUE && y == -1) {
                throw OVERFLOW;
            }
            return x / y;
        }
        if (a instanceof Double x && b instanceof Double y) {
            return x / y;
        }
        if (a instanceof CelUnsigned x && b instanceof CelUnsigned y) {
            if (y.bits() == 0) {
                throw new CelException("division by zero");
            }
            return new CelUnsigned(Long.divideUnsigned(x.bits(), y.bits()));
        }
        throw CelException.noOverload();
    }

    private static Object remainder(Object a, Object b) {
        if (a instanceof Long x && b instanceof Long y) {
            if (y == 0) {
                throw new CelException("modulus by zero");
            }
            if (x == Long.MIN_VALUE && y == -1) {
                throw OVERFLOW;
            }
            return x % y;
        }
        if (a instanceof CelUnsigned x && b instanceof CelUnsigned y) {
            if (y.bits() == 0) {
                throw new CelException("modulus by zero");
            }
            return new CelUnsigned(Long.remainderUnsigned(x.bits(), y.bits()));
        }
        throw CelException.noOverload();
    }

    private static Object negate(Object a) {
        if (a instanceof Long x) {
            if (x == Long.MIN_VALUE) {
                throw OVERFLOW;
            }
            return -x;
        }
        if (a instanceof Double x) {
            return -x;
        }
        throw CelException.noOverload();
    }
}
