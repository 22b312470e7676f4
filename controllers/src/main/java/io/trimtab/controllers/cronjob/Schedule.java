package io.trimtab.controllers.cronjob;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The times that a cron expression names: five fields, or one of the {@code @} words. Immutable. Where a day of the month and a day
 * of the week are both given, one of them is enough.
 */
final class Schedule {
    private static final List<String> MONTHS =
            List.of("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec");
    private static final List<String> DAYS = List.of("sun", "mon", "tue", "wed", "thu", "fri", "sat");
    private static final Pattern TIME_ZONE = Pattern.compile("(?:CRON_)?TZ=(\\S+)\\s+(.*)");
    private static final Pattern DURATION = Pattern.compile("(?:(\\d+)h)?(?:(\\d+)m)?(?:(\\d+)s)?");
    private static final int YEARS = 5;

    private final ZoneId zone;
    private final @Nullable Duration every;
    private final BitSet minutes;
    private final BitSet hours;
    private final BitSet daysOfMonth;
    private final BitSet months;
    private final BitSet daysOfWeek;
    private final boolean eitherDay;

    private Schedule(ZoneId zone, @Nullable Duration every, String[] fields) {
        this.zone = zone;
        this.every = every;
        this.minutes = field(fields[0], 0, 59, List.of());
        this.hours = field(fields[1], 0, 23, List.of());
        this.daysOfMonth = field(fields[2], 1, 31, List.of());
        this.months = field(fields[3], 1, 12, MONTHS);
        BitSet days = field(fields[4], 0, 7, DAYS);
        if (days.get(7)) {
            days.set(0); // Sunday has two numbers
            days.clear(7);
        }
        this.daysOfWeek = days;
        this.eitherDay = !isStar(fields[2]) && !isStar(fields[4]);
    }

    /**
     * Reads an expression.
     *
     * @param zone in which its times are meant, unless it names one itself
     * @throws IllegalArgumentException with a message that says what is wrong
     */
    static Schedule parse(String text, ZoneId zone) {
        String expression = text.trim();
        ZoneId in = zone;
        Matcher named = TIME_ZONE.matcher(expression);
        if (named.matches()) {
            try {
                in = ZoneId.of(named.group(1));
            } catch (java.time.DateTimeException e) {
                throw new IllegalArgumentException(
                        "provided bad location " + named.group(1) + ": " + e.getMessage(), e);
            }
            expression = named.group(2).trim();
        }
        if (expression.isEmpty()) {
            throw new IllegalArgumentException("empty spec string");
        }
        Duration every = null;
        if (expression.startsWith("@every ")) {
            every = duration(expression.substring("@every ".length()).trim());
            expression = "* * * * *";
        } else if (expression.startsWith("@")) {
            expression = word(expression);
        }
        String[] fields = expression.split("\\s+");
        if (fields.length != 5) {
            throw new IllegalArgumentException("expected exactly 5 fields, found " + fields.length + ": "
                    + java.util.Arrays.toString(fields).replace(",", ""));
        }
        return new Schedule(in, every, fields);
    }

    private static String word(String word) {
        return switch (word) {
            case "@yearly", "@annually" -> "0 0 1 1 *";
            case "@monthly" -> "0 0 1 * *";
            case "@weekly" -> "0 0 * * 0";
            case "@daily", "@midnight" -> "0 0 * * *";
            case "@hourly" -> "0 * * * *";
            default -> throw new IllegalArgumentException("unrecognized descriptor: " + word);
        };
    }

    private static Duration duration(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (text.isEmpty() || !matcher.matches()) {
            throw new IllegalArgumentException("failed to parse duration @every " + text);
        }
        Duration duration = Duration.ofHours(number(matcher.group(1)))
                .plusMinutes(number(matcher.group(2)))
                .plusSeconds(number(matcher.group(3)));
        return duration.isZero() ? Duration.ofSeconds(1) : duration;
    }

    private static long number(@Nullable String digits) {
        return digits == null ? 0 : Long.parseLong(digits);
    }

    private static boolean isStar(String field) {
        return field.startsWith("*") || field.startsWith("?");
    }

    private static BitSet field(String text, int min, int max, List<String> names) {
        BitSet set = new BitSet();
        for (String part : text.split(",", -1)) {
            String[] stepped = part.split("/", -1);
            String[] range = stepped[0].split("-", -1);
            if (stepped.length > 2 || range.length > 2) {
                throw new IllegalArgumentException("too many hyphens or slashes: " + part);
            }
            int first;
            int last;
            if (stepped[0].equals("*") || stepped[0].equals("?")) {
                first = min;
                last = max == 7 ? 6 : max;
            } else {
                first = value(range[0], min, names);
                last = range.length == 2 ? value(range[1], min, names) : stepped.length == 2 ? max : first;
            }
            int step = stepped.length == 2 ? value(stepped[1], 0, List.of()) : 1;
            if (first < min) {
                throw new IllegalArgumentException(
                        "beginning of range (" + first + ") below minimum (" + min + "): " + part);
            }
            if (last > max) {
                throw new IllegalArgumentException("end of range (" + last + ") above maximum (" + max + "): " + part);
            }
            if (first > last) {
                throw new IllegalArgumentException(
                        "beginning of range (" + first + ") beyond end of range (" + last + "): " + part);
            }
            if (step == 0) {
                throw new IllegalArgumentException("step of range should be a positive number: " + part);
            }
            for (int i = first; i <= last; i += step) {
                set.set(i);
            }
        }
        return set;
    }

    private static int value(String text, int min, List<String> names) {
        int named = names.indexOf(text.toLowerCase(Locale.ROOT));
        if (named >= 0) {
            return named + min;
        }
        if (!text.matches("\\d{1,4}")) {
            throw new IllegalArgumentException("failed to parse int from " + text);
        }
        return Integer.parseInt(text);
    }

    /** The first time after this one; null if there is none within five years. */
    @Nullable
    Instant next(Instant after) {
        if (every != null) {
            return after.truncatedTo(ChronoUnit.SECONDS).plus(every);
        }
        LocalDateTime time = after.atZone(zone)
                .toLocalDateTime()
                .truncatedTo(ChronoUnit.MINUTES)
                .plusMinutes(1);
        int lastYear = time.getYear() + YEARS;
        while (time.getYear() <= lastYear) {
            if (!months.get(time.getMonthValue())) {
                time = time.truncatedTo(ChronoUnit.DAYS).withDayOfMonth(1).plusMonths(1);
            } else if (!isDay(time)) {
                time = time.truncatedTo(ChronoUnit.DAYS).plusDays(1);
            } else if (!hours.get(time.getHour())) {
                time = time.truncatedTo(ChronoUnit.HOURS).plusHours(1);
            } else if (!minutes.get(time.getMinute())) {
                time = time.plusMinutes(1);
            } else {
                ZonedDateTime zoned = time.atZone(zone);
                // A time that the clocks leave out does not come; one that comes twice counts once.
                if (zoned.toLocalDateTime().equals(time) && zoned.toInstant().isAfter(after)) {
                    return zoned.toInstant();
                }
                time = time.plusMinutes(1);
            }
        }
        return null;
    }

    private boolean isDay(LocalDateTime time) {
        boolean ofMonth = daysOfMonth.get(time.getDayOfMonth());
        boolean ofWeek = daysOfWeek.get(time.getDayOfWeek().getValue() % 7);
        return eitherDay ? ofMonth || ofWeek : ofMonth && ofWeek;
    }

    /**
     * The latest time that was due, and how many were missed before it.
     *
     * @param latest null if none was due
     */
    record Due(@Nullable Instant latest, long count) {}

    /** What was due after a time, up to now. */
    Due due(Instant after, Instant now) {
        Instant latest = null;
        long count = 0;
        for (Instant next = next(after); next != null && !next.isAfter(now); next = next(next)) {
            latest = next;
            count++;
        }
        return new Due(latest, count);
    }
}
