package io.trimtab.informer;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ListWatch;
import io.trimtab.client.WatchEvent;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a sink equal to what a server has: lists, then watches from the list's revision, and starts over when that breaks.
 *
 * <p>What it promises the sink: a whole state first; then each change in order; a new whole state whenever a change may have
 * been missed, so that no deletion is ever lost. What it promises the server: never more than one request at a time, and
 * after a failure a wait that grows.
 *
 * <p>All fields without a note are touched by steps of the lane only.
 */
final class Reflector<T extends HasMetadata> {
    private static final Logger log = LoggerFactory.getLogger(Reflector.class);

    /** Events handled before other steps of the lane get their turn. */
    private static final int BATCH = 256;

    private static final long MARK_NANOS = Duration.ofMillis(100).toNanos();

    /**
     * Events that may wait for a lane that does not keep up. Beyond, the watch is closed and all is listed again: that costs a
     * list, but memory stays bounded.
     */
    private static final int INBOX_LIMIT = 100_000;

    /** A watch is asked to last this long at least, and up to twice as long, so that many watches do not end at once. */
    private static final Duration MIN_WATCH = Duration.ofMinutes(5);

    /** A streaming list on which nothing comes for so long is one the server has not understood. */
    private static final Duration STREAM_STALL = Duration.ofSeconds(10);

    /** A watch that ends this soon and empty is a failure, even if the server calls it good order. */
    private static final Duration SHORT_WATCH = Duration.ofSeconds(1);

    /** A server that was restored from a backup lists older revisions for ever; one that lags behind catches up. */
    private static final int STALE_LISTS_REFUSED = 3;

    /** A time that the clock never shows. */
    private static final long FINE = Long.MIN_VALUE;

    /** A cache that is behind by so much says so in the log. */
    private static final Duration WORTH_A_WORD = Duration.ofSeconds(10);

    /** Who gets to know. Called on the lane. */
    interface Sink<T extends HasMetadata> {
        /** This is all there is, at this revision. */
        void replace(List<T> objects, long revision);

        /** One change, never {@link WatchEvent.Closed}. */
        void apply(WatchEvent<T> event);

        /** The newest revision that the sink knows. */
        long revision();
    }

    private final String name;
    private final ListWatch<T> source;
    private final Sink<T> sink;
    private final Driver driver;
    private final Driver.Lane lane;
    private final int pageSize;
    private final Backoff backoff;

    private boolean streaming;
    private int generation;
    private @Nullable AutoCloseable watch;
    private @Nullable Inbox inbox;
    private long watchOpenedAt;
    private long eventsOfWatch;
    private String revision = "";
    private @Nullable Map<ObjectKey, T> initial; // not null while a streaming list comes in
    private int staleLists;
    private int failuresInARow;
    private String lastFailure = "";
    private Driver.@Nullable Timer timer;

    private volatile boolean stopped; // set by any thread

    /** Written on the lane: since when nothing is heard from the server; {@link #FINE} if all is well. */
    private volatile long brokenSince = FINE;
    /** Written on the lane: the inbox of the open watch. */
    private volatile @Nullable Inbox reading;

    /** Written on the lane: since when a watch for changes is open. */
    private volatile long openSince = FINE;

    private boolean behindReported;

    Reflector(
            String name,
            ListWatch<T> source,
            Sink<T> sink,
            Driver driver,
            Driver.Lane lane,
            int pageSize,
            boolean streamingLists) {
        this.name = name;
        this.source = source;
        this.sink = sink;
        this.driver = driver;
        this.lane = lane;
        this.pageSize = pageSize;
        this.streaming = streamingLists;
        this.backoff = new Backoff(driver);
    }

    /** Begins. Call once. */
    void start() {
        lane.execute(this::relist);
    }

    /** Ends for good; idempotent. */
    void stop() {
        stopped = true;
        lane.execute(() -> {
            closeWatch();
            cancelTimer();
        });
    }

    /** For how long the sink has been behind the server, as far as we know. Any thread. */
    Duration lag() {
        long since = brokenSince;
        long openFor = openSince;
        if (openFor != FINE && driver.nanoTime() - openFor > 2 * SHORT_WATCH.toNanos()) {
            since = FINE; // a watch that the server did not want would be closed by now
        }
        Inbox open = reading;
        long waiting = open == null ? FINE : open.oldest();
        if (waiting != FINE && (since == FINE || waiting - since < 0)) {
            since = waiting;
        }
        return since == FINE ? Duration.ZERO : Duration.ofNanos(Math.max(0, driver.nanoTime() - since));
    }

    /** The server answers again. */
    private void heard() {
        brokenSince = FINE;
    }

    /** Once when it begins, once when it ends. */
    private void reportLag() {
        Duration lag = lag();
        if (!behindReported && lag.compareTo(WORTH_A_WORD) > 0) {
            behindReported = true;
            log.warn("Falls behind the server: informer={} lagMillis={} revision={}", name, lag.toMillis(), revision);
        } else if (behindReported && lag.isZero()) {
            behindReported = false;
            log.info("Has caught up with the server: informer={} revision={}", name, revision);
        }
    }

    // ---- the whole state -------------------------------------------------------------------------------------------

    private void relist() {
        if (stopped) {
            return;
        }
        closeWatch();
        if (streaming) {
            initial = new LinkedHashMap<>();
            openWatch(null);
            watchForStall(0);
            return;
        }
        List<T> objects;
        String listed;
        try {
            objects = new ArrayList<>();
            Client.Page<T> page = source.list(null, pageSize, null);
            listed = page.resourceVersion();
            while (true) {
                objects.addAll(page.items());
                String token = page.continueToken();
                if (token == null || stopped) {
                    break;
                }
                try {
                    page = source.list(null, pageSize, token);
                } catch (ApiException e) {
                    if (!e.isExpired()) {
                        throw e;
                    }
                    // The first pages' snapshot is gone: one request for all of it cannot expire half way.
                    objects.clear();
                    page = source.list(null, 0, null);
                    listed = page.resourceVersion();
                }
            }
        } catch (RuntimeException e) {
            failed(e, "list", this::relist);
            return;
        }
        if (replace(objects, listed)) {
            rewatch();
        }
    }

    /** Hands a whole state to the sink, unless it is older than what the sink has. */
    private boolean replace(List<T> objects, String listed) {
        long number = Revisions.parse(listed);
        if (number < sink.revision() && staleLists < STALE_LISTS_REFUSED) {
            staleLists++;
            failed(
                    new ApiException(
                            "listed revision " + listed + " is older than " + sink.revision() + ", which was seen",
                            null),
                    "list",
                    this::relist);
            return false;
        }
        staleLists = 0;
        revision = listed;
        sink.replace(objects, number);
        succeeded();
        return true;
    }

    /** Looks at a streaming list now and then: a server that does not know them would leave us waiting for ever. */
    private void watchForStall(long eventsBefore) {
        int ours = generation;
        cancelTimer();
        timer = driver.schedule(
                STREAM_STALL,
                () -> lane.execute(() -> {
                    if (ours != generation || initial == null || stopped) {
                        return;
                    }
                    if (eventsOfWatch > eventsBefore) {
                        watchForStall(eventsOfWatch);
                    } else {
                        log.info("Streaming list stalls, listing in pages: informer={}", name);
                        streaming = false;
                        initial = null;
                        relist();
                    }
                }));
    }

    // ---- changes ---------------------------------------------------------------------------------------------------

    private void rewatch() {
        if (!stopped) {
            openWatch(revision);
        }
    }

    private void openWatch(@Nullable String from) {
        closeWatch();
        Inbox fresh = new Inbox(++generation);
        inbox = fresh;
        reading = fresh;
        openSince = from == null ? FINE : driver.nanoTime();
        watchOpenedAt = driver.nanoTime();
        eventsOfWatch = 0;
        Duration timeout = MIN_WATCH.plusNanos(
                (long) (MIN_WATCH.toNanos() * driver.random().nextDouble()));
        try {
            watch = source.watch(from, from == null, timeout, fresh);
        } catch (RuntimeException e) {
            fresh.accept(new WatchEvent.Closed<>(
                    e instanceof ApiException known ? known : new ApiException("cannot watch: " + e.getMessage(), e)));
        }
    }

    private void closeWatch() {
        generation++;
        inbox = null;
        reading = null;
        openSince = FINE;
        AutoCloseable open = watch;
        watch = null;
        if (open != null) {
            try {
                open.close();
            } catch (Exception e) {
                log.warn("Watch did not close well: informer={}", name, e);
            }
        }
    }

    private void handle(WatchEvent<T> event) {
        eventsOfWatch++;
        if (event instanceof WatchEvent.Closed<T> closed) {
            onClosed(closed.cause());
            return;
        }
        if (brokenSince != FINE && initial == null) {
            heard();
        }
        Map<ObjectKey, T> state = initial;
        if (state != null) {
            collect(state, event);
            return;
        }
        if (event instanceof WatchEvent.Bookmark<T> bookmark) {
            revision = bookmark.resourceVersion();
        } else {
            revision = Objects.requireNonNullElse(
                    Revisions.objectOf(event).getMetadata().getResourceVersion(), revision);
        }
        sink.apply(event);
    }

    private void collect(Map<ObjectKey, T> state, WatchEvent<T> event) {
        if (event instanceof WatchEvent.Bookmark<T> bookmark) {
            if (bookmark.initialEventsEnd()) {
                initial = null;
                cancelTimer();
                replace(new ArrayList<>(state.values()), bookmark.resourceVersion());
            }
        } else if (event instanceof WatchEvent.Deleted<T> deleted) {
            state.remove(ObjectKey.of(deleted.object()));
        } else {
            T object = Revisions.objectOf(event);
            state.put(ObjectKey.of(object), object);
        }
    }

    private void onClosed(@Nullable ApiException cause) {
        watch = null;
        closeWatch();
        int code = cause == null ? 200 : cause.code();
        if (initial != null) {
            initial = null;
            cancelTimer();
            if (cause == null || code == 400 || code == 422) {
                streaming = false; // a server of before 1.32, or with the feature switched off
                relist();
            } else {
                failed(cause, "streaming list", this::relist);
            }
        } else if (cause == null) {
            boolean tooShort = eventsOfWatch <= 1 && driver.nanoTime() - watchOpenedAt < SHORT_WATCH.toNanos();
            if (tooShort) {
                failed(new ApiException("the watch ended at once, and empty", null), "watch", this::rewatch);
            } else {
                rewatch();
            }
        } else if (cause.isExpired()) {
            if (backoff.isQuiet()) {
                backoff.failure(); // so that the next one waits
                log.debug("Watch expired, listing again: informer={} revision={}", name, revision);
                relist();
            } else {
                failed(cause, "watch", this::relist);
            }
        } else if (code == 0 || code == 429 || code >= 500 && !cause.hasCause("ResourceVersionTooLarge")) {
            failed(cause, "watch", this::rewatch); // nothing is missed as long as the revision is kept
        } else {
            failed(cause, "watch", this::relist);
        }
    }

    // ---- failures --------------------------------------------------------------------------------------------------

    private void failed(RuntimeException e, String doing, Runnable next) {
        closeWatch();
        cancelTimer();
        if (stopped) {
            return;
        }
        if (brokenSince == FINE) {
            brokenSince = driver.nanoTime();
        }
        Duration wait = backoff.failure();
        if (e instanceof ApiException known && known.retryAfter().isPresent()) {
            Duration asked = known.retryAfter().get();
            wait = asked.compareTo(wait) > 0 ? asked : wait;
        }
        String message = String.valueOf(e.getMessage());
        failuresInARow++;
        // One line for each new reason. An API that is not served may stay so for days, and is looked for all the time.
        if (message.equals(lastFailure)) {
            log.debug("Still failing: informer={} doing={} failures={}", name, doing, failuresInARow, e);
        } else if (e instanceof ApiException) {
            log.warn("Failed, will try again: informer={} doing={} wait={} cause={}", name, doing, wait, message);
        } else {
            log.warn("Failed, will try again: informer={} doing={} wait={}", name, doing, wait, e);
        }
        lastFailure = message;
        timer = driver.schedule(wait, () -> lane.execute(next));
    }

    private void succeeded() {
        heard();
        if (failuresInARow > 0) {
            log.info("Works again: informer={} failures={} revision={}", name, failuresInARow, revision);
        }
        failuresInARow = 0;
        lastFailure = "";
    }

    private void cancelTimer() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    /** Takes events on the source's thread, and hands them to the lane in batches. */
    private final class Inbox implements Consumer<WatchEvent<T>> {
        private final int number;
        private final ReentrantLock lock = new ReentrantLock();

        @GuardedBy("lock")
        private final ArrayDeque<WatchEvent<T>> events = new ArrayDeque<>();

        /** When which event came: the number of the event and the time, a tenth of a second apart or more. */
        @GuardedBy("lock")
        private final ArrayDeque<long[]> marks = new ArrayDeque<>();

        @GuardedBy("lock")
        private long taken;

        @GuardedBy("lock")
        private long came;

        @GuardedBy("lock")
        private boolean draining;

        @GuardedBy("lock")
        private boolean overflown;

        Inbox(int number) {
            this.number = number;
        }

        @Override
        public void accept(WatchEvent<T> event) {
            lock.lock();
            try {
                if (overflown) {
                    return;
                }
                if (events.size() >= INBOX_LIMIT) {
                    overflown = true;
                    events.clear();
                    events.add(
                            new WatchEvent.Closed<>(new ApiException(new io.fabric8.kubernetes.api.model.StatusBuilder()
                                    .withStatus("Failure")
                                    .withCode(410)
                                    .withReason("Expired")
                                    .withMessage("more than " + INBOX_LIMIT + " events wait to be handled")
                                    .build())));
                } else {
                    events.add(event);
                    mark();
                }
                if (draining) {
                    return;
                }
                draining = true;
            } finally {
                lock.unlock();
            }
            lane.execute(this::drain);
        }

        @GuardedBy("lock")
        private void mark() {
            long now = driver.nanoTime();
            long[] last = marks.peekLast();
            if (last == null || now - last[1] > MARK_NANOS) {
                marks.add(new long[] {came, now});
            }
            came++;
        }

        /** When the oldest event came that is not dealt with, give or take a tenth of a second; {@link #FINE} if there is none. */
        long oldest() {
            lock.lock();
            try {
                long[] first = marks.peekFirst();
                return first == null ? FINE : first[1];
            } finally {
                lock.unlock();
            }
        }

        /** One event more is dealt with; marks that only stand for such events go. */
        private void passed() {
            lock.lock();
            try {
                taken++;
                if (taken >= came) {
                    marks.clear();
                    return;
                }
                while (marks.size() > 1) {
                    long[] first = marks.pollFirst();
                    long[] second = marks.peekFirst();
                    if (second == null || second[0] > taken) {
                        marks.addFirst(first);
                        return;
                    }
                }
            } finally {
                lock.unlock();
            }
        }

        private void drain() {
            boolean more = true;
            try {
                for (int i = 0; i < BATCH && more; i++) {
                    WatchEvent<T> next;
                    lock.lock();
                    try {
                        next = events.poll();
                        if (next == null) {
                            draining = false;
                            more = false;
                        }
                    } finally {
                        lock.unlock();
                    }
                    if (next != null && inbox == this && number == generation && !stopped) {
                        handle(next);
                    }
                    if (next != null) {
                        passed();
                    }
                }
                reportLag();
            } finally {
                if (more) {
                    lane.execute(this::drain);
                }
            }
        }
    }
}
