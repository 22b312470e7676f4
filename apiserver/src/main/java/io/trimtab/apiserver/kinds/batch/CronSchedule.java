package io.trimtab.apiserver.kinds.batch;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Checks schedules in cron's language of five fields, with the sentences of the parser that Kubernetes uses (robfig/cron v3).
 * Stateless.
 */
final class CronSchedule {
    private static final Set<String> NAMED =
            Set.of("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly");
    private static final Map<String, Integer> MONTHS = Map.ofEntries(
            Map.entry("jan", 1),
            Map.entry("feb", 2),
            Map.entry("mar", 3),
            Map.entry("apr", 4),
            Map.entry("may", 5),
            Map.entry("jun", 6),
            Map.entry("jul", 7),
            Map.entry("aug", 8),
            Map.entry("sep", 9),
            Map.entry("oct", 10),
            Map.entry("nov", 11),
            Map.entry("dec", 12));
    private static final Map<String, Integer> DAYS =
            Map.of("sun", 0, "mon", 1, "tue", 2, "wed", 3, "thu", 4, "fri", 5, "sat", 6);
    private static final Pattern GO_DURATION = Pattern.compile("([0-9]*\\.?[0-9]+(ns|us|µs|ms|s|m|h))+");

    private record Field(int min, int max, Map<String, Integer> names) {}

    private static final List<Field> FIELDS = List.of(
            new Field(0, 59, Map.of()),
            new Field(0, 23, Map.of()),
            new Field(1, 31, Map.of()),
            new Field(1, 12, MONTHS),
            new Field(0, 6, DAYS));

    /** A schedule is not one; carries the sentence. */
    private static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(String message) {
            super(message, null, false, false);
        }
    }

    private CronSchedule() {}

    /** What is wrong with the schedule; empty if nothing is. */
    static String wrong(String schedule) {
        try {
            check(schedule);
            return "";
        } catch (Malformed e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static void check(String schedule) throws Malformed {
        String rest = schedule;
        if (rest.startsWith("TZ=") || rest.startsWith("CRON_TZ=")) {
            int blank = rest.indexOf(' ');
            String zone = rest.substring(rest.indexOf('=') + 1, blank < 0 ? rest.length() : blank);
            if (blank < 0 || !TimeZones.isKnown(zone)) {
                throw new Malformed("provided bad location " + zone + ": unknown time zone " + zone);
            }
            rest = rest.substring(blank).strip();
        }
        if (rest.startsWith("@")) {
            descriptor(rest);
            return;
        }
        String[] fields = rest.isBlank() ? new String[0] : rest.strip().split("\\s+");
        if (fields.length != 5) {
            throw new Malformed("expected exactly 5 fields, found " + fields.length + ": ["
                    + String.join(" ", Arrays.asList(fields)) + "]");
        }
        for (int i = 0; i < 5; i++) {
            for (String part : fields[i].split(",")) {
                if (!part.isEmpty()) {
                    range(part, FIELDS.get(i));
                }
            }
        }
    }

    private static void descriptor(String text) throws Malformed {
        if (NAMED.contains(text)) {
            return;
        }
        if (text.startsWith("@every ")) {
            String duration = text.substring("@every ".length());
            String bare = duration.startsWith("-") || duration.startsWith("+") ? duration.substring(1) : duration;
            Matcher matcher = GO_DURATION.matcher(bare);
            if (!bare.equals("0") && !matcher.matches()) {
                throw new Malformed(
                        "failed to parse duration " + text + ": time: invalid duration \"" + duration + "\"");
            }
            return;
        }
        throw new Malformed("unrecognized descriptor: " + text);
    }

    private static void range(String expression, Field field) throws Malformed {
        String[] rangeAndStep = expression.split("/", -1);
        String[] ends = rangeAndStep[0].split("-", -1);
        boolean single = ends.length == 1;
        long start;
        long end;
        if (ends[0].equals("*") || ends[0].equals("?")) {
            start = field.min();
            end = field.max();
        } else {
            start = value(ends[0], field);
            if (single) {
                end = start;
            } else if (ends.length == 2) {
                end = value(ends[1], field);
            } else {
                throw new Malformed("too many hyphens: " + expression);
            }
        }
        long step = 1;
        if (rangeAndStep.length == 2) {
            step = number(rangeAndStep[1]);
            if (single) {
                end = field.max();
            }
        } else if (rangeAndStep.length > 2) {
            throw new Malformed("too many slashes: " + expression);
        }
        if (start < field.min()) {
            throw new Malformed(
                    "beginning of range (" + start + ") below minimum (" + field.min() + "): " + expression);
        }
        if (end > field.max()) {
            throw new Malformed("end of range (" + end + ") above maximum (" + field.max() + "): " + expression);
        }
        if (start > end) {
            throw new Malformed("beginning of range (" + start + ") beyond end of range (" + end + "): " + expression);
        }
        if (step == 0) {
            throw new Malformed("step of range should be a positive number: " + expression);
        }
    }

    private static long value(String text, Field field) throws Malformed {
        Integer named = field.names().get(text.toLowerCase(Locale.ROOT));
        return named != null ? named : number(text);
    }

    private static long number(String text) throws Malformed {
        long number;
        try {
            number = Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new Malformed(
                    "failed to parse int from " + text + ": strconv.Atoi: parsing \"" + text + "\": invalid syntax");
        }
        if (number < 0) {
            throw new Malformed("negative number (" + number + ") not allowed: " + text);
        }
        return number;
    }
}
