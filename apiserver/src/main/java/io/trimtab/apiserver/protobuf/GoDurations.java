package io.trimtab.apiserver.protobuf;

import java.math.BigDecimal;

/** Durations the way Go prints them. */
final class GoDurations {
    private GoDurations() {}

    /** {@code 1h0m0s}, {@code 1.5s}, {@code 20ms}, {@code 0s}. */
    static String text(long nanos) {
        if (nanos == 0) {
            return "0s";
        }
        String sign = nanos < 0 ? "-" : "";
        long positive = Math.abs(nanos);
        if (positive < 1_000) {
            return sign + positive + "ns";
        }
        if (positive < 1_000_000) {
            return sign + decimal(positive, 3) + "µs";
        }
        if (positive < 1_000_000_000) {
            return sign + decimal(positive, 6) + "ms";
        }
        long minutes = positive / 60_000_000_000L;
        String seconds = decimal(positive % 60_000_000_000L, 9) + "s";
        if (minutes == 0) {
            return sign + seconds;
        }
        return sign + (minutes >= 60 ? minutes / 60 + "h" : "") + minutes % 60 + "m" + seconds;
    }

    private static String decimal(long value, int scale) {
        return BigDecimal.valueOf(value, scale).stripTrailingZeros().toPlainString();
    }
}
