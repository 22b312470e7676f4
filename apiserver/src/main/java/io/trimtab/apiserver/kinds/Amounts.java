package io.trimtab.apiserver.kinds;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.quantity.Quantity;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * Quantities as they stand in trees. What cannot be parsed counts as zero: decoding has refused it before. Stateless.
 */
public final class Amounts {
    private Amounts() {}

    /** The quantity in a node. */
    public static Quantity of(@Nullable JsonNode node) {
        if (node == null || node.isMissingNode() || node.isNull()) {
            return Quantity.ZERO;
        }
        try {
            return Quantity.parse(node.asText());
        } catch (IllegalArgumentException e) {
            return Quantity.ZERO;
        }
    }

    public static int compare(@Nullable JsonNode a, @Nullable JsonNode b) {
        return of(a).compareTo(of(b));
    }

    public static int sign(@Nullable JsonNode node) {
        return of(node).signum();
    }

    /** Whether it is a number without fraction. */
    public static boolean isWhole(@Nullable JsonNode node) {
        return of(node).value().stripTrailingZeros().scale() <= 0;
    }

    /** Whether it is a multiple of a quantity given as text; false if that is none. */
    public static boolean isMultiple(@Nullable JsonNode node, String unit) {
        BigDecimal divisor;
        try {
            divisor = Quantity.parse(unit).value();
        } catch (IllegalArgumentException e) {
            return false;
        }
        return divisor.signum() > 0 && of(node).value().remainder(divisor).signum() == 0;
    }

    /** The canonical text. */
    public static String text(@Nullable JsonNode node) {
        return of(node).toString();
    }
}
