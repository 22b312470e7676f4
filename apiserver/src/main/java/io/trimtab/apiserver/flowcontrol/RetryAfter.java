package io.trimtab.apiserver.flowcontrol;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Says how long a client that was turned away should stay away: one second, and longer the more are turned away. Safe for use by
 * any thread.
 */
final class RetryAfter {
    private static final long MOST_SECONDS = 32;

    private record Second(long at, long dropped) {}

    // Guarded by this.
    private final Deque<Second> history = new ArrayDeque<>();
    private long second;
    private long dropped;
    private long seconds = 1;
    private long changed;

    /** Notes one that is turned away, at a second of the clock; how long it should stay away. */
    synchronized long turnedAway(long now) {
        if (second == now) {
            dropped++;
            return seconds;
        }
        history.addLast(new Second(second, dropped));
        long keep = Math.min(2 * seconds, MOST_SECONDS);
        while (!history.isEmpty() && second - history.getFirst().at() > keep) {
            history.removeFirst();
        }
        second = now;
        dropped = 1;
        long recent = 0;
        for (Second past : history) {
            if (now - past.at() <= seconds && past.at() < now) {
                recent += past.dropped();
            }
        }
        if (now - changed >= seconds && recent >= 3 * seconds) {
            seconds = Math.min(2 * seconds, MOST_SECONDS);
            changed = now;
        } else if (recent < seconds && seconds > 1) {
            seconds--;
        }
        return seconds;
    }
}
