package io.trimtab.apiserver.http;

import io.trimtab.apiserver.storage.EventSource;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** Bookmarks, as a test adds them. */
public final class ScriptedEvents implements EventSource {
    private final Queue<Event> queue = new ArrayDeque<>();
    private final CountDownLatch closedLatch = new CountDownLatch(1);
    private @Nullable Runnable ready;
    private boolean closed;

    public void add(long revision) {
        Runnable wake;
        synchronized (this) {
            queue.add(new Event(Type.BOOKMARK, null, revision, false, null));
            wake = ready;
        }
        if (wake != null) {
            wake.run();
        }
    }

    public CountDownLatch closed() {
        return closedLatch;
    }

    @Override
    public synchronized @Nullable Event poll() {
        return queue.poll();
    }

    @Override
    public synchronized boolean isEnded() {
        return closed && queue.isEmpty();
    }

    @Override
    public void onReady(Runnable wakeUp) {
        boolean now;
        synchronized (this) {
            ready = wakeUp;
            now = !queue.isEmpty() || closed;
        }
        if (now) {
            wakeUp.run();
        }
    }

    @Override
    public void close() {
        Runnable wake;
        synchronized (this) {
            closed = true;
            wake = ready;
        }
        closedLatch.countDown();
        if (wake != null) {
            wake.run();
        }
    }
}
