package io.trimtab.simulate;

import io.trimtab.encoding.GoDuration;
import java.time.Duration;
import java.util.Locale;

/** Times as people write and read them: {@code 1h30m}, {@code +0:05:00}. Stateless. */
final class Times {
    private Times() {}

    static Duration parse(String text, String what) {
        return GoDuration.parse(text)
                .filter(time -> !time.isNegative())
                .orElseThrow(() -> new SimulationException(
                        what + ": \"" + text + "\" is no time; give one such as 90s, 5m or 1h30m"));
    }

    /** {@code +0:05:00.250}: hours, minutes, seconds; thousandths only if there are any. */
    static String at(Duration since) {
        long millis = since.toMillis();
        String whole = String.format(
                Locale.ROOT, "+%d:%02d:%02d", millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
        return millis % 1000 == 0 ? whole : whole + String.format(Locale.ROOT, ".%03d", millis % 1000);
    }

    /** {@code 90 ms}, {@code 3.2 s}, {@code 4 min 10 s}. */
    static String length(Duration time) {
        long millis = time.toMillis();
        if (millis < 1000) {
            return millis + " ms";
        }
        if (millis < 60_000) {
            return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
        }
        long seconds = time.toSeconds();
        return seconds < 3600
                ? seconds / 60 + " min " + seconds % 60 + " s"
                : seconds / 3600 + " h " + seconds / 60 % 60 + " min";
    }
}
