package io.trimtab.apiserver.quantity;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An amount such as {@code 500m} or {@code 1Gi}, exact to a billionth. Immutable. Equal by value, whatever the suffix: {@code
 * 1024Mi} equals {@code 1Gi}.
 */
public final class Quantity implements Comparable<Quantity> {

    /** Which family of suffixes an amount is written with. */
    public enum Format {
        DECIMAL_SI,
        BINARY_SI,
        DECIMAL_EXPONENT
    }

    public static final Quantity ZERO = new Quantity(BigDecimal.ZERO, Format.DECIMAL_SI, "0");

    public static final String WRONG_FORMAT =
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    public static final String WRONG_SUFFIX = "unable to parse quantity's suffix";
    public static final String WRONG_NUMBER = "unable to parse numeric part of quantity";

    private static final Map<String, Integer> DECIMAL =
            Map.of("n", -9, "u", -6, "m", -3, "", 0, "k", 3, "M", 6, "G", 9, "T", 12, "P", 15, "E", 18);
    private static final Map<String, Integer> BINARY =
            Map.of("Ki", 10, "Mi", 20, "Gi", 30, "Ti", 40, "Pi", 50, "Ei", 60);
    private static final String[] DECIMAL_SUFFIXES = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
    private static final String[] BINARY_SUFFIXES = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    private static final BigInteger KIBI = BigInteger.valueOf(1024);
    private static final BigDecimal KIBI_DECIMAL = new BigDecimal(KIBI);
    private static final BigDecimal MAX_BINARY = new BigDecimal(Long.MAX_VALUE);
    // Beyond this many digits Kubernetes leaves 64-bit arithmetic, and with it the habit of keeping the text as it
    // came.
    private static final int MAX_INT64_FACTORS = 18;

    // Java reads digits in time by their number squared: what a body has room for would take minutes. No exponent that
    // is
    // allowed, nor anything there is to count, needs as many.
    private static final int MAX_DIGITS = 5000;

    private final BigDecimal value;
    private final Format format;
    private final String text;

    private Quantity(BigDecimal value, Format format, @Nullable String text) {
        this.value = value;
        this.format = format;
        this.text = text == null ? canonical(value, format) : text;
    }

    /** An amount of the given family. */
    public static Quantity of(BigDecimal value, Format format) {
        return new Quantity(value.stripTrailingZeros(), format, null);
    }

    public static Quantity of(long value) {
        return value == 0 ? ZERO : new Quantity(BigDecimal.valueOf(value), Format.DECIMAL_SI, null);
    }

    public static Quantity ofMilli(long milli) {
        return milli == 0 ? ZERO : new Quantity(BigDecimal.valueOf(milli, 3), Format.DECIMAL_SI, null);
    }

    // By hash: the same few amounts come with every pod. Races only lose one.
    private static final Known[] KNOWN = new Known[512];
    private static final int LONGEST_KNOWN = 24;

    private record Known(String text, Quantity quantity) {}

    /** @throws IllegalArgumentException with Kubernetes' own words if the text is no quantity */
    public static Quantity parse(String text) {
        if (text.length() > LONGEST_KNOWN) {
            return read(text);
        }
        int slot = text.hashCode() * 0x9e3779b9 >>> 23;
        Known known = KNOWN[slot];
        if (known != null && known.text.equals(text)) {
            return known.quantity;
        }
        Quantity quantity = read(text);
        KNOWN[slot] = new Known(text, quantity);
        return quantity;
    }

    private static Quantity read(String text) {
        int end = text.length();
        if (end == 0) {
            throw new IllegalArgumentException(WRONG_FORMAT);
        }
        if (text.equals("0")) {
            return ZERO;
        }
        int start = text.charAt(0) == '-' || text.charAt(0) == '+' ? 1 : 0;
        boolean negative = text.charAt(0) == '-';
        int pos = start;
        while (pos < end && text.charAt(pos) == '0') {
            pos++;
        }
        int numberStart = pos;
        pos = skipDigits(text, pos);
        String number = pos == numberStart ? "0" : text.substring(numberStart, pos);
        if (numberStart == end) {
            return ZERO; // a sign and zeros, or a sign alone
        }
        String fraction = "";
        if (pos < end && text.charAt(pos) == '.') {
            int fractionStart = pos + 1;
            pos = skipDigits(text, fractionStart);
            fraction = text.substring(fractionStart, pos);
        }
        String suffix = text.substring(pos);
        checkSuffixShape(suffix);

        Format format;
        int exponent;
        Integer decimal = DECIMAL.get(suffix);
        Integer binary = decimal == null ? BINARY.get(suffix) : null;
        if (decimal != null) {
            format = Format.DECIMAL_SI;
            exponent = decimal;
        } else if (binary != null) {
            format = Format.BINARY_SI;
            exponent = binary;
        } else {
            format = Format.DECIMAL_EXPONENT;
            exponent = parseExponent(suffix);
        }
        if (number.length() + fraction.length() > MAX_DIGITS) {
            throw new IllegalArgumentException(WRONG_NUMBER);
        }
        BigInteger digits = new BigInteger(number + fraction);
        BigDecimal amount = new BigDecimal(digits, fraction.length());
        amount = format == Format.BINARY_SI
                ? amount.multiply(new BigDecimal(BigInteger.ONE.shiftLeft(exponent)))
                : amount.scaleByPowerOfTen(exponent);
        boolean exact = isExact(format, exponent, number, fraction);
        if (!exact) {
            if (amount.scale() > 9) {
                amount = amount.setScale(9, RoundingMode.UP);
            }
            if (format == Format.BINARY_SI && amount.compareTo(MAX_BINARY) > 0) {
                amount = MAX_BINARY;
            }
            if (format == Format.BINARY_SI && amount.signum() > 0 && amount.compareTo(BigDecimal.ONE) < 0) {
                format = Format.DECIMAL_SI;
            }
        }
        if (negative) {
            amount = amount.negate();
        }
        boolean kept = exact && keepsText(format, exponent, digits, number + fraction, fraction.length());
        return new Quantity(amount.stripTrailingZeros(), format, kept ? text : null);
    }

    private static int skipDigits(String text, int pos) {
        while (pos < text.length() && text.charAt(pos) >= '0' && text.charAt(pos) <= '9') {
            pos++;
        }
        return pos;
    }

    private static void checkSuffixShape(String suffix) {
        int pos = 0;
        while (pos < suffix.length() && "eEinumkKMGTP".indexOf(suffix.charAt(pos)) >= 0) {
            pos++;
        }
        if (pos < suffix.length() && (suffix.charAt(pos) == '-' || suffix.charAt(pos) == '+')) {
            pos++;
        }
        if (skipDigits(suffix, pos) != suffix.length()) {
            throw new IllegalArgumentException(WRONG_FORMAT);
        }
    }

    private static int parseExponent(String suffix) {
        if (suffix.length() > 1 && (suffix.charAt(0) == 'e' || suffix.charAt(0) == 'E')) {
            try {
                int exponent = Integer.parseInt(suffix.substring(1));
                if (Math.abs(exponent) <= 1000) {
                    return exponent;
                }
            } catch (NumberFormatException e) {
                // falls through: the same refusal
            }
        }
        throw new IllegalArgumentException(WRONG_SUFFIX);
    }

    private static boolean isExact(Format format, int exponent, String number, String fraction) {
        if (format == Format.BINARY_SI) {
            return fraction.isEmpty() && 15 - number.length() - (int) (exponent * 3f / 10) - 1 >= 0;
        }
        return MAX_INT64_FACTORS - number.length() - fraction.length() >= 0 && exponent - fraction.length() >= -9;
    }

    // Kubernetes keeps the text of what it takes to be canonical already, and so do we, oddities like "1.500" included.
    private static boolean keepsText(Format format, int exponent, BigInteger digits, String shifted, int fraction) {
        if (format == Format.BINARY_SI) {
            return exponent % 10 == 0 && (digits.intValue() & 7) != 0;
        }
        return (exponent - fraction) % 3 == 0 && !shifted.endsWith("000") && shifted.charAt(0) != '0';
    }

    private static String canonical(BigDecimal value, Format format) {
        if (value.signum() == 0) {
            return "0";
        }
        if (format == Format.BINARY_SI
                && value.abs().compareTo(KIBI_DECIMAL) >= 0
                && value.stripTrailingZeros().scale() <= 0) {
            BigInteger number = value.toBigIntegerExact();
            int power = 0;
            while (power < BINARY_SUFFIXES.length - 1) {
                BigInteger[] parts = number.divideAndRemainder(KIBI);
                if (parts[1].signum() != 0) {
                    break;
                }
                number = parts[0];
                power++;
            }
            return number + BINARY_SUFFIXES[power];
        }
        BigDecimal stripped = value.stripTrailingZeros();
        int exponent = -stripped.scale();
        int shift = Math.floorMod(exponent, 3);
        exponent -= shift;
        BigInteger number = stripped.unscaledValue().multiply(BigInteger.TEN.pow(shift));
        if (format == Format.DECIMAL_EXPONENT) {
            return exponent == 0 ? number.toString() : number + "e" + exponent;
        }
        if (exponent > 18) {
            number = number.multiply(BigInteger.TEN.pow(exponent - 18));
            exponent = 18;
        }
        return number + DECIMAL_SUFFIXES[exponent / 3 + 3];
    }

    public BigDecimal value() {
        return value;
    }

    public Format format() {
        return format;
    }

    public boolean isZero() {
        return value.signum() == 0;
    }

    public int signum() {
        return value.signum();
    }

    /** The whole amount, rounded away from zero. */
    public long toLong() {
        return clamp(value.setScale(0, RoundingMode.UP));
    }

    /** The amount in thousandths, rounded away from zero. */
    public long toMilli() {
        return clamp(value.movePointRight(3).setScale(0, RoundingMode.UP));
    }

    private static long clamp(BigDecimal whole) {
        return whole.precision() - whole.scale() > 19
                ? whole.signum() > 0 ? Long.MAX_VALUE : Long.MIN_VALUE
                : clampBig(whole.toBigInteger());
    }

    private static long clampBig(BigInteger n) {
        return n.bitLength() > 63 ? n.signum() > 0 ? Long.MAX_VALUE : Long.MIN_VALUE : n.longValue();
    }

    /** The sum, in the family of this amount; of the other if this is zero. */
    public Quantity add(Quantity other) {
        return of(value.add(other.value), isZero() ? other.format : format);
    }

    /** The difference, in the family of this amount; of the other if this is zero. */
    public Quantity subtract(Quantity other) {
        return of(value.subtract(other.value), isZero() ? other.format : format);
    }

    public Quantity negate() {
        return of(value.negate(), format);
    }

    /** Rounded up to thousandths, which is as fine as resource lists get. */
    public Quantity roundUpToMilli() {
        return value.scale() <= 3 ? this : of(value.setScale(3, RoundingMode.UP), format);
    }

    @Override
    public int compareTo(Quantity other) {
        return value.compareTo(other.value);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Quantity q && value.compareTo(q.value) == 0;
    }

    @Override
    public int hashCode() {
        return value.stripTrailingZeros().hashCode();
    }

    /** The canonical text. */
    @Override
    public String toString() {
        return text;
    }
}
