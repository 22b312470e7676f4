package io.trimtab.scheduler;

import io.trimtab.runtime.Driver;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * Runs writes to the API beside the lane: several at once, those about one pod in order, so that a late word about a failure
 * never follows a binding. Used on the scheduler's lane only.
 */
final class PodWrites {
    private record Write(String uid, Runnable step) {}

    private final Driver driver;
    private final Driver.Lane lane;
    private final int atOnce;
    private final Runnable room;
    /** Writes of pods that have one running, by uid. */
    private final Map<String, Deque<Write>> behind = new HashMap<>();

    private final Deque<Write> ready = new ArrayDeque<>();
    private int running;
    private int waiting;

    /**
     * Nothing to write yet.
     *
     * @param atOnce how many run beside each other
     * @param room runs on the lane whenever a write has ended
     */
    PodWrites(Driver driver, Driver.Lane lane, int atOnce, Runnable room) {
        this.driver = driver;
        this.lane = lane;
        this.atOnce = atOnce;
        this.room = room;
    }

    /** Writes that have not begun. */
    int waiting() {
        return waiting;
    }

    void submit(String uid, Runnable step) {
        Write write = new Write(uid, step);
        waiting++;
        Deque<Write> queue = behind.get(uid);
        if (queue != null) {
            queue.add(write);
            return;
        }
        behind.put(uid, new ArrayDeque<>(1));
        ready.add(write);
        fill();
    }

    private void fill() {
        while (running < atOnce && !ready.isEmpty()) {
            Write write = ready.remove();
            running++;
            waiting--;
            driver.execute(() -> {
                try {
                    write.step().run();
                } finally {
                    lane.execute(() -> ended(write.uid()));
                }
            });
        }
    }

    private void ended(String uid) {
        running--;
        Deque<Write> queue = behind.get(uid);
        Write next = queue == null ? null : queue.poll();
        if (next == null) {
            behind.remove(uid);
        } else {
            ready.add(next);
        }
        fill();
        room.run();
    }
}
