package io.trimtab.junit;

import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.storage.EventSource;
import io.trimtab.apiserver.storage.StoredObject;
import org.jspecify.annotations.Nullable;

/**
 * One watch of a program: records what it is told, one event a step, and makes events late, double or missing. For the thread
 * that drives the cluster.
 */
final class WatchGate implements EventSource {
    private static final Runnable NOBODY = () -> {};

    private final Gate gate;
    private final RequestInfo info;
    private final EventSource events;
    private Runnable wakeUp = NOBODY;
    /** The consumer asks until there is nothing: after each event it is told so once, and woken for the next. */
    private boolean pause;

    private boolean held;
    private boolean ended;
    private @Nullable Event again;
    private @Nullable Event next;

    WatchGate(Gate gate, RequestInfo info, EventSource events) {
        this.gate = gate;
        this.info = info;
        this.events = events;
    }

    RequestInfo info() {
        return info;
    }

    boolean isOf(RequestInfo other) {
        return info.resource().equals(other.resource()) && info.group().equals(other.group());
    }

    @Override
    public @Nullable Event poll() {
        if (pause) {
            pause = false;
            return null;
        }
        if (held || ended || gate.driver().isDead()) {
            return null;
        }
        Event event = again;
        again = null;
        if (event == null) {
            boolean late = next != null;
            event = late ? next : events.poll();
            next = null;
            if (event == null) {
                return null;
            }
            if (!late && event.object() != null && (event = fault(event)) == null) {
                return null;
            }
        }
        tell(event);
        pause = true;
        wakeUp.run();
        return event;
    }

    private @Nullable Event fault(Event event) {
        switch (gate.faults().onEvent()) {
            case NOW -> {
                return event;
            }
            case TWICE -> {
                gate.history().note("fault", "the watch of " + this + " repeats an event");
                again = event;
                return event;
            }
            case LATE -> {
                var time = gate.faults().lateness();
                gate.history().note("fault", "the watch of " + this + " lags by " + time);
                held = true;
                next = event;
                gate.driver().schedule(time, this::release);
                return null;
            }
            case BREAK -> {
                var time = gate.faults().outage();
                gate.history().note("fault", "the watch of " + this + " breaks off, for " + time);
                gate.breakOff(info, time);
                return null;
            }
            case EXPIRE -> {
                gate.history().note("fault", "the watch of " + this + " ends with 410 Gone");
                ended = true;
                next = null;
                gate.expire(info);
                return new Event(
                        Type.ERROR,
                        null,
                        event.revision(),
                        false,
                        Statuses.gone("too old resource version: " + event.revision())
                                .status());
            }
        }
        return event;
    }

    private void tell(Event event) {
        StoredObject object = event.object();
        if (object == null) {
            return;
        }
        History.Target target =
                new History.Target(info.group(), info.resource(), "", object.namespace(), object.name());
        if (event.type() == Type.DELETED) {
            gate.history().deletedAt(event.revision(), target);
        }
        History.Told told = gate.history()
                .told(
                        gate.instance().name(),
                        event.type().name(),
                        target,
                        event.revision(),
                        object.tree().path("metadata").path("generation").asLong());
        gate.shown(target, event.revision());
        // What the consumer hands on in this step is on behalf of this event.
        gate.history().enter(told.number());
    }

    /** What was held back may come. */
    void release() {
        if (held) {
            held = false;
            wakeUp.run();
        }
    }

    /** The stream ends, without a word. */
    void breakOff() {
        ended = true;
        next = null;
        events.close();
        gate.ended(this);
        wakeUp.run();
    }

    @Override
    public boolean isEnded() {
        return ended && !pause || !held && next == null && again == null && events.isEnded();
    }

    @Override
    public void onReady(Runnable consumer) {
        wakeUp = consumer;
        events.onReady(consumer);
    }

    @Override
    public void close() {
        ended = true;
        events.close();
        gate.ended(this);
    }

    @Override
    public String toString() {
        return History.Target.of(info).toString();
    }
}
