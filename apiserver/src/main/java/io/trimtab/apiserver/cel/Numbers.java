package io.trimtab.apiserver.cel;

import java.math.BigDecimal;

/** Doubles in the forms that Go prints. Stateless. */
final class Numbers {
    private Numbers() {}

    /** Go's {@code %v}: shortest, with an exponent from 1e21 on. */
    static String print(double d) {
        if (Double.isNaN(d)) {
            return "NaN";
        }
        if (Double.isInfinite(d)) {
            return d > 0 ? "+Inf" : "-Inf";
        }
        if (d == 0) {
            return 1 / d < 0 ? "-0" : "0";
        }
        double size = Math.abs(d);
        if (size >= 1e21 || size < 1e-4) {
            BigDecimal exact = new BigDecimal(Double.toString(d)).stripTrailingZeros();
            int exponent = exact.precision() - exact.scale() - 1;
            String digits = exact.unscaledValue().abs().toString();
            return (d < 0 ? "-" : "")
                    + digits.charAt(0)
                    + (digits.length() > 1 ? "." + digits.substring(1) : "")
                    + "e"
                    + (exponent < 0 ? "-" : "+")
                    + (Math.abs(exponent) < 10 ? "0" : "")
                    + Math.abs(exponent);
        }
        return plain(d);
    }

    /** The shortest digits that read back as the same, never with an exponent. */
    static String plain(double d) {
        String text = new BigDecimal(Double.toString(d)).stripTrailingZeros().toPlainString();
        return text.equals("0") && 1 / d < 0 ? "-0" : text;
    }
}
