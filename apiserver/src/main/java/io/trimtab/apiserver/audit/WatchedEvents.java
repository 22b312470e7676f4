package io.trimtab.apiserver.audit;

import io.trimtab.apiserver.storage.EventSource;
import org.jspecify.annotations.Nullable;

/** A watch whose end somebody wants to hear of. */
final class WatchedEvents implements EventSource {
    private final EventSource events;
    private final Runnable ended;

    /** @param ended may be told more than once */
    WatchedEvents(EventSource events, Runnable ended) {
        this.events = events;
        this.ended = ended;
    }

    @Override
    public @Nullable Event poll() {
        return events.poll();
    }

    @Override
    public boolean isEnded() {
        boolean over = events.isEnded();
        if (over) {
            ended.run();
        }
        return over;
    }

    @Override
    public void onReady(Runnable wakeUp) {
        events.onReady(wakeUp);
    }

    @Override
    public void close() {
        events.close();
        ended.run();
    }
}
