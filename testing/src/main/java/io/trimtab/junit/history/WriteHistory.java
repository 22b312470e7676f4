package io.trimtab.junit.history;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Records writes and what watches told, and finds what cannot be: a write that built on another state than it named, a
 * resource version out of order, an event that is missing, told twice, out of order or of no write.
 *
 * <pre>{@code
 * WriteHistory history = new WriteHistory();
 * long begun = history.begin();
 * ... // a write
 * history.written(key, expected, revision, begun);
 * assertThat(history.faults()).isEmpty();
 * }</pre>
 *
 * <p>Safe for use by any thread until {@link #faults}, which one thread calls when all is done.
 *
 * @since 0.1
 */
public final class WriteHistory {

    /** What became of a write. */
    private enum Outcome {
        DONE,
        /** No answer: it may have been made. */
        UNKNOWN
    }

    /** @param revision 0 if it is not known */
    private record Write(
            String key, long expected, long revision, boolean deletion, Outcome outcome, long begun, long ended) {}

    private record Event(String key, long revision, boolean deletion) {}

    /** One watcher, over all its connections. */
    public final class Watch {
        private final String name;
        private final long from;
        private final List<Event> events = new ArrayList<>();
        private final List<String> wrong = new ArrayList<>();
        private long last;

        private Watch(String name, long from) {
            this.name = name;
            this.from = from;
            this.last = from;
        }

        /** Where to resume from. */
        public synchronized long last() {
            return last;
        }

        /** A change was told. */
        public synchronized void told(String key, long revision, boolean deletion) {
            if (revision <= last) {
                wrong.add(name + ": told of " + key + " at " + revision + " after " + last);
            }
            events.add(new Event(key, revision, deletion));
            last = Math.max(last, revision);
        }

        /** A bookmark: all up to here was told. */
        public synchronized void bookmarked(long revision) {
            if (revision < last) {
                wrong.add(name + ": bookmark " + revision + " after " + last);
            }
            last = Math.max(last, revision);
        }
    }

    private final List<Write> writes = Collections.synchronizedList(new ArrayList<>());
    private final List<Watch> watches = Collections.synchronizedList(new ArrayList<>());
    private long clock;

    /** A moment in the order of moments. Call before a write is sent. */
    public synchronized long begin() {
        return ++clock;
    }

    /**
     * A write was acknowledged.
     *
     * @param expected the revision it named; 0: the key must not exist
     * @param revision it was given
     */
    public void written(String key, long expected, long revision, long begun) {
        writes.add(new Write(key, expected, revision, false, Outcome.DONE, begun, begin()));
    }

    /** A deletion was acknowledged. */
    public void deleted(String key, long expected, long revision, long begun) {
        writes.add(new Write(key, expected, revision, true, Outcome.DONE, begun, begin()));
    }

    /** A write had no answer. */
    public void lost(String key, long expected, boolean deletion, long begun) {
        writes.add(new Write(key, expected, 0, deletion, Outcome.UNKNOWN, begun, Long.MAX_VALUE));
    }

    /** A watch begins after a revision. */
    public Watch watch(String name, long from) {
        Watch watch = new Watch(name, from);
        watches.add(watch);
        return watch;
    }

    /** How many writes were acknowledged. */
    public long acknowledged() {
        return writes.stream().filter(w -> w.outcome() == Outcome.DONE).count();
    }

    /** What cannot be, each in a line; empty if all is well. */
    public List<String> faults() {
        List<String> faults = new ArrayList<>();
        TreeMap<Long, Write> byRevision = new TreeMap<>();
        Map<String, Integer> unknown = new HashMap<>();
        for (Write write : writes) {
            if (write.outcome() == Outcome.UNKNOWN) {
                unknown.merge(write.key(), 1, Integer::sum);
                continue;
            }
            Write other = byRevision.put(write.revision(), write);
            if (other != null) {
                faults.add("revision " + write.revision() + " was given to " + other.key() + " and " + write.key());
            }
        }
        checkChains(byRevision, unknown, faults);
        checkRealTime(byRevision, faults);
        for (Watch watch : watches) {
            checkWatch(watch, byRevision, unknown, faults);
        }
        return faults;
    }

    /** Each write of a key names the revision of the one before it: compare-and-write is linearizable then. */
    private static void checkChains(
            TreeMap<Long, Write> byRevision, Map<String, Integer> unknown, List<String> faults) {
        Map<String, Write> latest = new HashMap<>();
        for (Write write : byRevision.values()) {
            Write before = latest.put(write.key(), write);
            long found = before == null || before.deletion() ? 0 : before.revision();
            // One that had no answer may stand in between.
            if (found != write.expected() && !unknown.containsKey(write.key())) {
                faults.add(write.key() + " at " + write.revision() + " was written on " + write.expected()
                        + ", but was at " + found);
            }
        }
    }

    /** A write that had been answered before another began has the smaller revision. */
    private static void checkRealTime(TreeMap<Long, Write> byRevision, List<String> faults) {
        long latestBegin = 0;
        for (Write write : byRevision.values()) {
            if (write.ended() < latestBegin) {
                faults.add(write.key() + " at " + write.revision()
                        + " was answered before one of a smaller revision began");
            }
            latestBegin = Math.max(latestBegin, write.begun());
        }
    }

    private static void checkWatch(
            Watch watch, TreeMap<Long, Write> byRevision, Map<String, Integer> unknown, List<String> faults) {
        faults.addAll(watch.wrong);
        Map<Long, Event> told = new HashMap<>();
        for (Event event : watch.events) {
            told.put(event.revision(), event);
            Write write = byRevision.get(event.revision());
            if (write == null) {
                if (!unknown.containsKey(event.key())) {
                    faults.add(watch.name + ": told of " + event.key() + " at " + event.revision()
                            + ", which nobody wrote");
                }
            } else if (!write.key().equals(event.key()) || write.deletion() != event.deletion()) {
                faults.add(watch.name + ": told of " + event + " where " + write + " was made");
            }
        }
        for (Write write :
                byRevision.subMap(watch.from, false, watch.last, true).values()) {
            if (!told.containsKey(write.revision())) {
                faults.add(watch.name + ": not told of " + write.key() + " at " + write.revision());
            }
        }
    }
}
