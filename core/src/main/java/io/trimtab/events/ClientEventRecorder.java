package io.trimtab.events;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.runtime.Driver;
import io.trimtab.selector.LabelSyntax;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes core/v1 events through a client, in the background and in order, counted and combined by {@link EventCorrelator}.
 *
 * <p>Nobody waits for an event, so events are written when there is nothing else to do, in the driver's background. At most
 * 10,000 wait to be written; more are dropped and counted. While the server does not answer, everything waits: an event is
 * tried 12 times, 10 seconds apart, then given up. What the server refuses is not tried again.
 * Safe for use by any thread.
 */
public final class ClientEventRecorder implements EventRecorder, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ClientEventRecorder.class);
    private static final ResourceType<Event> EVENTS = ResourceType.of(Event.class);

    private static final int MAX_WAITING = 10_000;
    private static final int MAX_TRIES = 12;
    private static final Duration RETRY_PERIOD = Duration.ofSeconds(10);
    /** Another component may have written about the same object in the same nanosecond; in virtual time that is likely. */
    private static final int MAX_NAMES = 5;

    private final Driver driver;
    private final Client client;
    private final String component;
    private final @Nullable String host;
    private final Driver.Lane lane;
    private final AtomicLong dropped = new AtomicLong();
    private final AtomicLong lastNameNanos = new AtomicLong();

    private final Object lock = new Object();
    /** Guarded by lock. */
    private final ArrayDeque<Note> waiting = new ArrayDeque<>();
    /** Guarded by lock. */
    private boolean closed;

    // Used on the lane only.
    private final EventCorrelator correlator = new EventCorrelator();
    private EventCorrelator.@Nullable Correlated current;
    private int tries;
    private boolean holding;

    /** What is to be told, for as long as it waits: an event is several times as big. */
    private record Note(
            Instant time,
            ObjectReference regarding,
            @Nullable ObjectReference related,
            String type,
            String reason,
            @Nullable String action,
            String message) {}

    /** Records events of this component, which runs on no particular host. */
    public ClientEventRecorder(Driver driver, Client client, String component) {
        this(driver, client, component, null);
    }

    /**
     * Records events of this component.
     *
     * @param host where the component runs; null if that does not matter
     */
    public ClientEventRecorder(Driver driver, Client client, String component, @Nullable String host) {
        this.driver = driver;
        this.client = client;
        this.component = component;
        this.host = host;
        this.lane = driver.backgroundLane("events " + component);
    }

    /** Publishes how many events were dropped. */
    public ClientEventRecorder bindTo(MeterRegistry registry) {
        FunctionCounter.builder("trimtab.events.dropped", dropped, AtomicLong::get)
                .tag("component", component)
                .description("Events that were never written: too many waited, or the server did not take them")
                .register(registry);
        return this;
    }

    /** How many events were never written: too many waited, or the server did not take them. */
    public long dropped() {
        return dropped.get();
    }

    @Override
    public void record(ObjectReference regarding, String type, String reason, String message) {
        add(new Note(driver.now(), regarding, null, type, reason, null, message));
    }

    @Override
    public void record(
            ObjectReference regarding,
            @Nullable ObjectReference related,
            String type,
            String reason,
            String action,
            String message) {
        add(new Note(driver.now(), regarding, related, type, reason, action, message));
    }

    private void add(Note note) {
        synchronized (lock) {
            if (closed) {
                return;
            }
            if (waiting.size() >= MAX_WAITING) {
                dropped.incrementAndGet();
                return;
            }
            waiting.add(note);
        }
        lane.execute(this::writeNext);
    }

    /** Drops what waits and writes no more. */
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            waiting.clear();
        }
    }

    private Event event(Note note) {
        ObjectReference regarding = note.regarding();
        String namespace = regarding.getNamespace();
        String time = note.time().truncatedTo(ChronoUnit.SECONDS).toString();
        return new EventBuilder()
                .withNewMetadata()
                .withNamespace(namespace == null || namespace.isEmpty() ? "default" : namespace)
                .withName(nameFor(regarding, note.time()))
                .endMetadata()
                .withInvolvedObject(regarding)
                .withRelated(note.related())
                .withType(note.type())
                .withReason(note.reason())
                .withAction(note.action())
                .withMessage(note.message())
                .withCount(1)
                .withFirstTimestamp(time)
                .withLastTimestamp(time)
                .withNewSource(component, host)
                .withReportingComponent(component)
                .withReportingInstance(host == null ? "" : host)
                .build();
    }

    /** The object's name and the time in nanoseconds, made distinct for each event of this recorder. */
    private String nameFor(ObjectReference regarding, Instant time) {
        long nanos = time.getEpochSecond() * 1_000_000_000L + time.getNano();
        long distinct = lastNameNanos.updateAndGet(last -> Math.max(nanos, last + 1));
        String name = regarding.getName() + "." + Long.toHexString(distinct);
        // An object's name may be no DNS name (an RBAC role's, for instance), but an event's must be one.
        return LabelSyntax.subdomainErrors(name).isEmpty() ? name : "event-" + Long.toHexString(distinct);
    }

    // ---- On the lane -----------------------------------------------------------------------------------------------

    /** Writes one event, unless an earlier one waits for its next try. */
    private void writeNext() {
        if (holding) {
            return;
        }
        Note note;
        synchronized (lock) {
            note = waiting.poll();
        }
        if (note != null) {
            current = correlator.correlate(event(note), driver.now(), nameFor(note.regarding(), driver.now()));
            tries = 0;
            tryCurrent();
        }
    }

    private void retry() {
        holding = false;
        synchronized (lock) {
            if (closed) {
                return;
            }
        }
        tryCurrent();
        // Steps of the events that came meanwhile found the recorder holding: take them up again.
        int left;
        synchronized (lock) {
            left = holding ? 0 : waiting.size();
        }
        for (int i = 0; i < left; i++) {
            lane.execute(this::writeNext);
        }
    }

    private void tryCurrent() {
        EventCorrelator.Correlated correlated = current;
        if (correlated == null) {
            return; // too much of it: left out
        }
        try {
            correlator.written(correlated, write(correlated));
        } catch (ApiException e) {
            if (e.code() == 0) {
                tryLater(correlated, e);
                return;
            }
            dropped.incrementAndGet();
            if (!e.isAlreadyExists() && !e.hasCause("NamespaceTerminating")) {
                log.warn(
                        "Server rejected event, will not retry: namespace={} name={} reason={} code={} message={}",
                        correlated.event().getMetadata().getNamespace(),
                        correlated.event().getMetadata().getName(),
                        correlated.event().getReason(),
                        e.code(),
                        e.getMessage());
            }
        }
        current = null;
    }

    /** The event as the server has it now. */
    private Event write(EventCorrelator.Correlated correlated) {
        Event event = correlated.event();
        if (correlated.isRepeated()) {
            try {
                client.patchOnly(
                        EVENTS,
                        event.getMetadata().getNamespace(),
                        event.getMetadata().getName(),
                        Patch.strategic(repetition(event)));
                return event;
            } catch (ApiException e) {
                if (!e.isNotFound()) {
                    throw e;
                }
                // The server forgets events after an hour: begin anew, and keep the count.
            }
        }
        for (int names = 1; ; names++) {
            try {
                client.createOnly(EVENTS, event);
                return event;
            } catch (ApiException e) {
                if (!e.isAlreadyExists() || names == MAX_NAMES) {
                    throw e;
                }
                lastNameNanos.addAndGet(1 + driver.random().nextInt(1_000_000));
                event = new EventBuilder(event)
                        .editMetadata()
                        .withName(nameFor(event.getInvolvedObject(), driver.now()))
                        .endMetadata()
                        .build();
            }
        }
    }

    private static String repetition(Event event) {
        ObjectNode patch = JsonNodeFactory.instance.objectNode();
        patch.put("count", event.getCount());
        patch.put("lastTimestamp", event.getLastTimestamp());
        patch.put("message", event.getMessage());
        return patch.toString();
    }

    private void tryLater(EventCorrelator.Correlated correlated, ApiException cause) {
        tries++;
        if (tries >= MAX_TRIES) {
            log.warn(
                    "Unable to write event, retry limit exceeded: namespace={} name={} reason={}",
                    correlated.event().getMetadata().getNamespace(),
                    correlated.event().getMetadata().getName(),
                    correlated.event().getReason(),
                    cause);
            dropped.incrementAndGet();
            current = null;
            return;
        }
        holding = true;
        // The first wait is random, so that the clients of a server that comes back do not come all at once.
        Duration wait = tries == 1
                ? Duration.ofNanos(
                        (long) (RETRY_PERIOD.toNanos() * driver.random().nextDouble()))
                : RETRY_PERIOD;
        driver.schedule(wait, () -> lane.execute(this::retry));
    }
}
