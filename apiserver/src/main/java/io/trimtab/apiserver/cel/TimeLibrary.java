package io.trimtab.apiserver.cel;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoField;
import java.util.function.ToLongFunction;

/** Timestamps and durations: made from text, and taken apart. Stateless. */
final class TimeLibrary {
    private TimeLibrary() {}

    static void declare(Libraries to) {
        to.add(
                "duration",
                Overload.global("duration_to_duration", CelType.DURATION, args -> args[0], CelType.DURATION),
                Overload.global(
                        "int64_to_duration", CelType.DURATION, args -> Duration.ofNanos((Long) args[0]), CelType.INT),
                Overload.global(
                        "string_to_duration", CelType.DURATION, args -> duration((String) args[0]), CelType.STRING));
        to.add(
                "timestamp",
                Overload.global("timestamp_to_timestamp", CelType.TIMESTAMP, args -> args[0], CelType.TIMESTAMP),
                Overload.global(
                        "int64_to_timestamp", CelType.TIMESTAMP, args -> timestamp((Long) args[0]), CelType.INT),
                Overload.global(
                        "string_to_timestamp", CelType.TIMESTAMP, args -> timestamp((String) args[0]), CelType.STRING));
        part(to, "getFullYear", "year", t -> t.getYear());
        part(to, "getMonth", "month", t -> t.getMonthValue() - 1);
        part(to, "getDayOfYear", "day_of_year", t -> t.getDayOfYear() - 1);
        part(to, "getDayOfMonth", "day_of_month", t -> t.getDayOfMonth() - 1);
        part(to, "getDate", "day_of_month_with_offset", t -> t.getDayOfMonth());
        part(to, "getDayOfWeek", "day_of_week", t -> t.getDayOfWeek().getValue() % 7);
        part(to, "getHours", "hours", t -> t.getHour());
        part(to, "getMinutes", "minutes", t -> t.getMinute());
        part(to, "getSeconds", "seconds", t -> t.getSecond());
        part(to, "getMilliseconds", "milliseconds", t -> t.get(ChronoField.MILLI_OF_SECOND));
        length(to, "getHours", "hours", d -> d.toHours());
        length(to, "getMinutes", "minutes", d -> d.toMinutes());
        length(to, "getSeconds", "seconds", d -> d.toSeconds());
        length(to, "getMilliseconds", "milliseconds", d -> d.toMillis());
    }

    private static Duration duration(String text) {
        Duration duration = Times.parseDuration(text);
        if (duration == null) {
            throw StandardLibrary.conversion("string", "google.protobuf.Duration");
        }
        return duration;
    }

    private static Instant timestamp(String text) {
        Instant time = Times.parseTimestamp(text);
        if (time == null) {
            throw StandardLibrary.conversion("string", "google.protobuf.Timestamp");
        }
        return time;
    }

    private static Instant timestamp(long seconds) {
        try {
            Instant time = Instant.ofEpochSecond(seconds);
            if (seconds < -62135596800L || seconds > 253402300799L) {
                throw new CelException("timestamp overflow");
            }
            return time;
        } catch (DateTimeException e) {
            throw new CelException("timestamp overflow");
        }
    }

    private static void part(Libraries to, String name, String id, ToLongFunction<ZonedDateTime> part) {
        to.add(
                name,
                Overload.member(
                        "timestamp_to_" + id,
                        CelType.INT,
                        args -> part.applyAsLong(Times.at((Instant) args[0], "UTC")),
                        CelType.TIMESTAMP),
                Overload.member(
                        "timestamp_to_" + id + "_with_tz",
                        CelType.INT,
                        args -> part.applyAsLong(Times.at((Instant) args[0], (String) args[1])),
                        CelType.TIMESTAMP,
                        CelType.STRING));
    }

    private static void length(Libraries to, String name, String id, ToLongFunction<Duration> length) {
        to.add(
                name,
                Overload.member(
                        "duration_to_" + id,
                        CelType.INT,
                        args -> length.applyAsLong((Duration) args[0]),
                        CelType.DURATION));
    }
}
