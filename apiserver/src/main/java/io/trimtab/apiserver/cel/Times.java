package io.trimtab.apiserver.cel;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Durations and timestamps in Go's text forms. Stateless. */
final class Times {
    private static final Pattern PART = Pattern.compile("(\\d*)(?:\\.(\\d*))?(ns|us|µs|μs|ms|s|m|h)");
    private static final Pattern TIMESTAMP =
            Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)");
    private static final BigDecimal MAX = BigDecimal.valueOf(Long.MAX_VALUE);

    private Times() {}

    /** Such as {@code 1h30m} or {@code -1.5s}; null if it is none, or beyond some 292 years. */
    static @Nullable Duration parseDuration(String text) {
        int at = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
        boolean negative = text.startsWith("-");
        if (text.length() == at) {
            return null;
        }
        if (text.substring(at).equals("0")) {
            return Duration.ZERO;
        }
        BigDecimal nanos = BigDecimal.ZERO;
        Matcher parts = PART.matcher(text);
        while (at < text.length()) {
            parts.region(at, text.length());
            if (!parts.lookingAt()) {
                return null;
            }
            String whole = parts.group(1);
            String fraction = parts.group(2) == null ? "" : parts.group(2);
            if (whole.isEmpty() && fraction.isEmpty()) {
                return null;
            }
            BigDecimal number =
                    new BigDecimal((whole.isEmpty() ? "0" : whole) + (fraction.isEmpty() ? "" : "." + fraction));
            long unit =
                    switch (parts.group(3)) {
                        case "ns" -> 1L;
                        case "us", "µs", "μs" -> 1_000L;
                        case "ms" -> 1_000_000L;
                        case "s" -> 1_000_000_000L;
                        case "m" -> 60_000_000_000L;
                        default -> 3_600_000_000_000L;
                    };
            nanos = nanos.add(number.multiply(BigDecimal.valueOf(unit)));
            at = parts.end();
        }
        nanos = nanos.setScale(0, RoundingMode.DOWN);
        if (nanos.compareTo(MAX) > 0) {
            return null;
        }
        Duration duration = Duration.ofNanos(nanos.longValue());
        return negative ? duration.negated() : duration;
    }

    /** RFC 3339; null if it is not. */
    static @Nullable Instant parseTimestamp(String text) {
        if (!TIMESTAMP.matcher(text).matches()) {
            return null;
        }
        try {
            Instant time = OffsetDateTime.parse(text).toInstant();
            int year = time.atOffset(ZoneOffset.UTC).getYear();
            return year < 1 || year > 9999 ? null : time;
        } catch (DateTimeException e) {
            return null;
        }
    }

    /** In seconds, as the language converts to strings. */
    static String print(Duration duration) {
        BigDecimal seconds = BigDecimal.valueOf(duration.getSeconds())
                .add(BigDecimal.valueOf(duration.getNano(), 9))
                .stripTrailingZeros();
        return seconds.toPlainString() + "s";
    }

    static String print(Instant time) {
        LocalDateTime utc = LocalDateTime.ofInstant(time, ZoneOffset.UTC);
        String fraction = "";
        if (utc.getNano() != 0) {
            fraction = "." + String.format("%09d", utc.getNano()).replaceAll("0+$", "");
        }
        return utc.format(DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss")) + fraction + "Z";
    }

    /**
     * A time at a place.
     *
     * @param zone a name of the time zone database, or an offset such as {@code +02:00}
     */
    static ZonedDateTime at(Instant time, String zone) {
        try {
            Matcher offset = Pattern.compile("([+-]?)(\\d\\d?):(\\d\\d)").matcher(zone);
            ZoneId id = offset.matches()
                    ? ZoneOffset.ofHoursMinutes(
                            (offset.group(1).equals("-") ? -1 : 1) * Integer.parseInt(offset.group(2)),
                            (offset.group(1).equals("-") ? -1 : 1) * Integer.parseInt(offset.group(3)))
                    : ZoneId.of(zone.isEmpty() ? "UTC" : zone);
            return time.atZone(id);
        } catch (DateTimeException e) {
            throw new CelException("unknown time zone " + zone);
        }
    }
}
