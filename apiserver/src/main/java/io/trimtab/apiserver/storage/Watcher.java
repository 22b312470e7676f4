package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.storage.ResourceCache.Dispatch;
import io.trimtab.apiserver.store.PersistentMap;
import io.trimtab.runtime.Driver;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One watch. What it begins with is walked lazily out of a snapshot; what happens afterwards waits in a bounded buffer. The
 * feeder adds, the consumer takes; both under the monitor, briefly. The wake-up is called with no lock of the watch held.
 */
final class Watcher implements EventSource {
    private final Filter filter;
    private final int maxBuffered;

    /** What to do when it ends, whoever ends it: timers and lists. */
    private volatile @Nullable Runnable onEnd;

    /** Changes up to here are known to the consumer, or were not asked for. Written when begun. */
    private long after;

    /** Written before the watch is handed out; then the consumer's own, so that a long walk holds up nobody. */
    private Iterator<Event> initial = Collections.emptyIterator();

    private volatile boolean closed;

    /** Guarded by this. */
    private final ArrayDeque<Event> buffer = new ArrayDeque<>();

    /** Guarded by this: no event will be added. */
    private boolean ended;

    /** Guarded by this. */
    private @Nullable Runnable wakeUp;

    /** Guarded by this. */
    private final List<Driver.Timer> timers = new ArrayList<>(2);

    /** Guarded by this. */
    private Driver.@Nullable Timer bookmarkTimer;

    Watcher(Filter filter, int maxBuffered) {
        this.filter = filter;
        this.maxBuffered = maxBuffered;
    }

    /** A watch that says one thing and ends. */
    static Watcher failed(ObjectNode status) {
        Watcher watcher = new Watcher(Filter.NOTHING, 1);
        watcher.buffer.add(new Event(Type.ERROR, null, 0, false, status));
        watcher.ended = true;
        return watcher;
    }

    Filter filter() {
        return filter;
    }

    // ---- The feeder's side -----------------------------------------------------------------------------------------

    /** Begins with a state; {@code endMark} says when that is complete. */
    void begin(PersistentMap<Stored> objects, long revision, boolean endMark) {
        after = revision;
        initial = new Mapped<>(filter.walk(objects), o -> new Event(Type.ADDED, o, o.revision(), false, null));
        if (endMark) {
            addInitialBookmark(revision);
        }
    }

    void begin(Iterator<ResourceCache.Event> missed, long revision) {
        after = revision;
        initial = new Mapped<>(missed, event -> event.revision() <= revision ? null : eventFor(new Dispatch(event)));
    }

    private void addInitialBookmark(long revision) {
        Iterator<Event> before = initial;
        Iterator<Event> bookmark =
                List.of(new Event(Type.BOOKMARK, null, revision, true, null)).iterator();
        initial = new Iterator<>() {
            @Override
            public boolean hasNext() {
                return before.hasNext() || bookmark.hasNext();
            }

            @Override
            public Event next() {
                return before.hasNext() ? before.next() : bookmark.next();
            }
        };
    }

    void whenEnded(Runnable action) {
        onEnd = action;
    }

    void addTimer(Driver.Timer timer) {
        boolean late;
        synchronized (this) {
            late = ended;
            timers.add(timer);
        }
        if (late) {
            timer.cancel();
        }
    }

    /** The one timer that comes again and again. */
    void replaceBookmarkTimer(Driver.Timer timer) {
        boolean late;
        synchronized (this) {
            late = ended;
            bookmarkTimer = timer;
        }
        if (late) {
            timer.cancel();
        }
    }

    void onEvent(Dispatch dispatch) {
        if (dispatch.event.revision() <= after) {
            return;
        }
        Event event = eventFor(dispatch);
        if (event != null) {
            add(event);
        }
    }

    /** A bookmark takes the place of one that nobody took, and never ends a watch that is full. */
    void onBookmark(long revision) {
        Event bookmark = new Event(Type.BOOKMARK, null, revision, false, null);
        synchronized (this) {
            Event last = buffer.peekLast();
            if (revision < after || buffer.size() >= maxBuffered) {
                return;
            }
            if (last != null && last.type() == Type.BOOKMARK) {
                buffer.removeLast();
                buffer.addLast(bookmark);
                return;
            }
        }
        add(bookmark);
    }

    private @Nullable Event eventFor(Dispatch dispatch) {
        Stored now = dispatch.event.now();
        Stored before = dispatch.event.before();
        boolean matches = now != null && filter.matches(now);
        boolean matched = before != null && filter.matches(before);
        return matches ? (matched ? dispatch.modified() : dispatch.added()) : matched ? dispatch.deleted() : null;
    }

    private void add(Event event) {
        Runnable wake;
        boolean overflow;
        synchronized (this) {
            if (ended) {
                return;
            }
            wake = buffer.isEmpty() ? wakeUp : null;
            overflow = buffer.size() >= maxBuffered;
            if (!overflow) {
                buffer.addLast(event);
            }
        }
        if (overflow) {
            // Too slow: it takes what it has and lists anew. Nobody waits for it.
            endNow();
        } else if (wake != null) {
            wake.run();
        }
    }

    /** No further events; what is buffered can still be taken. */
    void endNow() {
        Runnable wake;
        List<Driver.Timer> cancelled;
        synchronized (this) {
            if (ended) {
                return;
            }
            ended = true;
            wake = wakeUp;
            if (bookmarkTimer != null) {
                timers.add(bookmarkTimer);
            }
            cancelled = List.copyOf(timers);
            timers.clear();
        }
        cancelled.forEach(Driver.Timer::cancel);
        Runnable action = onEnd;
        if (action != null) {
            action.run();
        }
        if (wake != null) {
            wake.run();
        }
    }

    // ---- The consumer's side ---------------------------------------------------------------------------------------

    @Override
    public @Nullable Event poll() {
        if (hasInitial()) {
            return initial.next();
        }
        synchronized (this) {
            return buffer.pollFirst();
        }
    }

    private boolean hasInitial() {
        return !closed && initial.hasNext();
    }

    @Override
    public boolean isEnded() {
        synchronized (this) {
            if (!ended || !buffer.isEmpty()) {
                return false;
            }
        }
        return !hasInitial();
    }

    @Override
    public void onReady(Runnable action) {
        boolean now;
        synchronized (this) {
            wakeUp = action;
            now = ended || !buffer.isEmpty();
        }
        if (now || hasInitial()) {
            action.run();
        }
    }

    @Override
    public void close() {
        closed = true;
        endNow();
        synchronized (this) {
            buffer.clear();
        }
    }

    /** Maps, and leaves out what maps to null. */
    private static final class Mapped<A> implements Iterator<Event> {
        private final Iterator<A> source;
        private final Function<A, @Nullable Event> function;
        private @Nullable Event next;

        Mapped(Iterator<A> source, Function<A, @Nullable Event> function) {
            this.source = source;
            this.function = function;
        }

        @Override
        public boolean hasNext() {
            while (next == null && source.hasNext()) {
                next = function.apply(source.next());
            }
            return next != null;
        }

        @Override
        public Event next() {
            if (!hasNext()) {
                throw new java.util.NoSuchElementException();
            }
            Event event = Objects.requireNonNull(next);
            next = null;
            return event;
        }
    }
}
