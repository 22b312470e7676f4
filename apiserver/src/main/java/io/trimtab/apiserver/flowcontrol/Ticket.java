package io.trimtab.apiserver.flowcontrol;

import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.runtime.Driver;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One request's place: it is served, waits, or is turned away. Whoever holds it says when the request is served, by {@link
 * #finish}. Fields are guarded by the lock of the level's queues, unless they are final. Safe for use by any thread.
 */
public final class Ticket {
    enum State {
        WAITING,
        EXECUTING,
        REJECTED,
        FINISHED
    }

    final @Nullable QueueSet queues;
    final FlowStats stats;
    final RequestInfo info;
    final UserInfo user;
    final String distinguisher;
    final long arrived;
    private final Headers headers;
    private final String level;

    Work work;

    @Nullable
    Queue queue;

    double arrivalProgress;
    long started;
    volatile State state = State.WAITING;

    @Nullable
    Consumer<Ticket> continuation;

    Driver.@Nullable Timer patience;

    @Nullable
    Ticket earlier;

    @Nullable
    Ticket later;

    /** The two UIDs that every answer names, made once for each pair. */
    record Headers(List<String> schema, List<String> level) {}

    Ticket(
            @Nullable QueueSet queues,
            FlowStats stats,
            RequestInfo info,
            UserInfo user,
            String distinguisher,
            Work work,
            Headers headers,
            String level,
            long now) {
        this.queues = queues;
        this.stats = stats;
        this.info = info;
        this.user = user;
        this.distinguisher = distinguisher;
        this.work = work;
        this.headers = headers;
        this.level = level;
        this.arrived = now;
    }

    /** True if the request may be served now. */
    public boolean isExecuting() {
        return state == State.EXECUTING;
    }

    /** True if the request is to be answered with 429. */
    public boolean isRejected() {
        return state == State.REJECTED;
    }

    /** True if nothing is decided yet: see {@link #whenDecided}. */
    public boolean isWaiting() {
        return state == State.WAITING;
    }

    /**
     * Sets what is told, once, when the request is to be served or turned away: by a step of the driver, or on the caller's stack
     * if that is known already.
     */
    public void whenDecided(Consumer<Ticket> decided) {
        QueueSet set = queues;
        if (set == null || !set.park(this, decided)) {
            decided.accept(this);
        }
    }

    /** The request has been served, or (a watch) has begun. Idempotent; without effect if it was never served. */
    public void finish() {
        QueueSet set = queues;
        if (set != null) {
            set.finish(this);
        }
    }

    /** Value of {@code X-Kubernetes-PF-FlowSchema-UID}. */
    public List<String> schemaUid() {
        return headers.schema();
    }

    /** Value of {@code X-Kubernetes-PF-PriorityLevel-UID}. */
    public List<String> levelUid() {
        return headers.level();
    }

    /** The name of the priority level. */
    public String level() {
        return level;
    }

    /** The name of the flow schema. */
    public String schema() {
        return stats.schema;
    }
}
