package io.trimtab.apiserver.table;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;

/** Spans of time the way people read them: the older, the rougher (apimachinery's duration.HumanDuration). */
public final class Ages {
    static final String UNKNOWN = "<unknown>";

    private Ages() {}

    /** How long ago a timestamp was; {@code <unknown>} if there is none. */
    static String since(JsonNode timestamp, Instant now) {
        Instant at = instant(timestamp);
        return at == null ? UNKNOWN : human(Duration.between(at, now));
    }

    /** How old an object is. */
    static String of(JsonNode object, Instant now) {
        return since(object.path("metadata").path("creationTimestamp"), now);
    }

    static @Nullable Instant instant(JsonNode timestamp) {
        String text = timestamp.asText("");
        if (text.isEmpty() || timestamp.isNull()) {
            return null;
        }
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    /** {@code 95s, 5m30s, 2h, 3d4h, 1y}. */
    public static String human(Duration span) {
        long nanos = span.toNanos();
        long seconds = nanos / 1_000_000_000L; // toward zero, as Go's conversion does
        if (seconds < -1) {
            return "<invalid>";
        }
        if (seconds < 0) {
            return "0s";
        }
        if (seconds < 120) {
            return seconds + "s";
        }
        long minutes = seconds / 60;
        if (minutes < 10) {
            return two(minutes, "m", seconds % 60, "s");
        }
        if (minutes < 180) {
            return minutes + "m";
        }
        long hours = minutes / 60;
        if (hours < 8) {
            return two(hours, "h", minutes % 60, "m");
        }
        if (hours < 48) {
            return hours + "h";
        }
        long days = hours / 24;
        if (days < 8) {
            return two(days, "d", hours % 24, "h");
        }
        if (days < 730) {
            return days + "d";
        }
        if (days < 365 * 8) {
            return two(days / 365, "y", days % 365, "d");
        }
        return days / 365 + "y";
    }

    private static String two(long large, String largeUnit, long small, String smallUnit) {
        return small == 0 ? large + largeUnit : large + largeUnit + small + smallUnit;
    }
}
