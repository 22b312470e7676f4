package io.trimtab.selector;

/** Decimal 64-bit integers as Kubernetes reads them, without exceptions: labels that are no numbers are ordinary. */
final class Decimal {
    private Decimal() {}

    static boolean isLong(String text) {
        int start = signed(text) ? 1 : 0;
        int digits = text.length() - start;
        if (digits == 0) {
            return false;
        }
        long magnitude = 0; // kept negative: the range reaches one further down than up
        for (int i = start; i < text.length(); i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9 || magnitude < (Long.MIN_VALUE + digit) / 10) {
                return false;
            }
            magnitude = magnitude * 10 - digit;
        }
        return magnitude != Long.MIN_VALUE || text.charAt(0) == '-';
    }

    /** Only for what {@link #isLong} accepts. */
    static long parse(String text) {
        long magnitude = 0;
        for (int i = signed(text) ? 1 : 0; i < text.length(); i++) {
            magnitude = magnitude * 10 - (text.charAt(i) - '0');
        }
        return text.charAt(0) == '-' ? magnitude : -magnitude;
    }

    private static boolean signed(String text) {
        return !text.isEmpty() && (text.charAt(0) == '-' || text.charAt(0) == '+');
    }
}
