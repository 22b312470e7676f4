package io.trimtab.encoding;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as Go writes them: {@code 1h30m}, {@code 1.5s}, {@code 300ms}. Stateless. */
public final class GoDuration {
    private static final Pattern PART = Pattern.compile("(\\d+(?:\\.\\d*)?|\\.\\d+)(ns|us|µs|μs|ms|s|m|h)");
    private static final Map<String, Long> NANOS = Map.of(
            "ns", 1L,
            "us", 1_000L,
            "µs", 1_000L,
            "μs", 1_000L,
            "ms", 1_000_000L,
            "s", 1_000_000_000L,
            "m", 60_000_000_000L,
            "h", 3_600_000_000_000L);

    private GoDuration() {}

    /** The duration; empty if the text is none. */
    public static Optional<Duration> parse(String text) {
        boolean negative = text.startsWith("-");
        String rest = negative || text.startsWith("+") ? text.substring(1) : text;
        if (rest.equals("0")) {
            return Optional.of(Duration.ZERO);
        }
        Matcher part = PART.matcher(rest);
        BigDecimal nanos = BigDecimal.ZERO;
        int at = 0;
        while (at < rest.length() && part.find(at) && part.start() == at) {
            Long unit = NANOS.get(part.group(2));
            nanos = nanos.add(
                    new BigDecimal("0" + part.group(1)).multiply(BigDecimal.valueOf(unit == null ? 0 : unit)));
            at = part.end();
        }
        if (rest.isEmpty() || at < rest.length() || nanos.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
            return Optional.empty();
        }
        Duration duration = Duration.ofNanos(nanos.longValue());
        return Optional.of(negative ? duration.negated() : duration);
    }

    /** The text that Go prints for a duration: {@code 1m30s}, {@code 250ms}, {@code 0s}. */
    public static String format(Duration duration) {
        if (duration.isNegative()) {
            return "-" + format(duration.negated());
        }
        if (duration.isZero()) {
            return "0s";
        }
        BigDecimal nanos = BigDecimal.valueOf(duration.toNanos());
        if (duration.compareTo(Duration.ofSeconds(1)) < 0) {
            String unit = nanos.longValue() < 1_000 ? "ns" : nanos.longValue() < 1_000_000 ? "µs" : "ms";
            return plain(nanos, unit) + unit;
        }
        long hours = duration.toHours();
        long minutes = duration.toMinutesPart();
        BigDecimal seconds =
                nanos.subtract(BigDecimal.valueOf(hours * 60 + minutes).multiply(BigDecimal.valueOf(60_000_000_000L)));
        return (hours > 0 ? hours + "h" : "") + (hours > 0 || minutes > 0 ? minutes + "m" : "") + plain(seconds, "s")
                + "s";
    }

    private static String plain(BigDecimal nanos, String unit) {
        Long size = NANOS.get(unit);
        BigDecimal units = nanos.divide(BigDecimal.valueOf(size == null ? 1 : size));
        return units.signum() == 0 ? "0" : units.stripTrailingZeros().toPlainString();
    }
}
