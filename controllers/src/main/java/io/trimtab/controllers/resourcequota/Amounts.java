package io.trimtab.controllers.resourcequota;

import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Adds up quantities by the name of their resource. Belongs to one count. */
final class Amounts {
    private static final String[] BINARY = {"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    private static final String[] DECIMAL = {"k", "M", "G", "T", "P", "E"};
    private static final BigDecimal BINARY_STEP = BigDecimal.valueOf(1024);
    private static final BigDecimal DECIMAL_STEP = BigDecimal.valueOf(1000);

    /** @param binary written with Ki, Mi, ...: taken from the first that is not zero */
    private record Sum(BigDecimal amount, boolean binary) {}

    private final Map<String, Sum> sums = new LinkedHashMap<>();

    void add(String resource, @Nullable Quantity quantity) {
        if (quantity != null) {
            String format = quantity.getFormat() == null ? "" : quantity.getFormat();
            add(resource, quantity.getNumericalAmount(), format.endsWith("i"));
        }
    }

    void add(String resource, long count) {
        add(resource, BigDecimal.valueOf(count), false);
    }

    void add(Amounts other) {
        other.sums.forEach((resource, sum) -> add(resource, sum.amount, sum.binary));
    }

    private void add(String resource, BigDecimal amount, boolean binary) {
        sums.merge(
                resource,
                new Sum(amount, binary),
                (a, b) -> new Sum(a.amount.add(b.amount), a.amount.signum() == 0 ? b.binary : a.binary));
    }

    /** Raises each to the other's, where that is more. */
    void max(Amounts other) {
        other.sums.forEach(
                (resource, sum) -> sums.merge(resource, sum, (a, b) -> a.amount.compareTo(b.amount) >= 0 ? a : b));
    }

    /** Takes the other's value of a resource, whatever there was before. */
    void set(String resource, Quantity quantity) {
        sums.remove(resource);
        add(resource, quantity);
    }

    Map<String, Quantity> quantities() {
        Map<String, Quantity> result = new LinkedHashMap<>();
        sums.forEach((resource, sum) -> result.put(resource, Quantity.parse(text(sum))));
        return result;
    }

    boolean contains(String resource) {
        return sums.containsKey(resource);
    }

    /** The canonical text: the largest suffix with which the number is whole. */
    private static String text(Sum sum) {
        BigDecimal amount = sum.amount.setScale(9, RoundingMode.UP).stripTrailingZeros();
        if (amount.signum() == 0) {
            return "0";
        }
        if (sum.binary && amount.abs().compareTo(BINARY_STEP) >= 0 && amount.scale() <= 0) {
            return whole(amount, BINARY_STEP, BINARY);
        }
        if (amount.scale() <= 0) {
            return whole(amount, DECIMAL_STEP, DECIMAL);
        }
        if (amount.scale() <= 3) {
            return amount.movePointRight(3).toPlainString() + "m";
        }
        return amount.scale() <= 6
                ? amount.movePointRight(6).toPlainString() + "u"
                : amount.movePointRight(9).toPlainString() + "n";
    }

    private static String whole(BigDecimal amount, BigDecimal step, String[] suffixes) {
        String suffix = "";
        for (String next : suffixes) {
            BigDecimal[] divided = amount.divideAndRemainder(step);
            if (divided[1].signum() != 0) {
                break;
            }
            amount = divided[0];
            suffix = next;
        }
        return amount.toPlainString() + suffix;
    }
}
