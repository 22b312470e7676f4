package io.trimtab.apiserver.kinds;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** Points in time as the API writes them. Stateless. */
public final class Times {
    private static final DateTimeFormatter SECONDS =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss'Z'").withZone(ZoneOffset.UTC);

    private Times() {}

    /** To the second, in UTC. */
    public static String seconds(Instant time) {
        return SECONDS.format(time);
    }
}
