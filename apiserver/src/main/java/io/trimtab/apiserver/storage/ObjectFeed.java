package io.trimtab.apiserver.storage;

import io.trimtab.apiserver.resource.ApiResource;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Keeps something up to date with all objects of a resource. There is no thread behind it: whoever wants to read calls {@link
 * #refresh}, which takes what has happened since; if nothing has, that costs the read of one field.
 *
 * <p>The sink hears of each change once and in order, by one thread at a time, with this feed's lock held. If the stream broke
 * (the reader was away for longer than the buffer lasts), the feed starts over from the present state and tells the
 * difference. Safe for use by any thread.
 */
public final class ObjectFeed implements AutoCloseable {

    /** Hears of changes. */
    public interface Sink {
        /** The object is new, or has changed. */
        void put(StoredObject object);

        /** The object is gone; what is handed in is the last state that was seen. */
        void remove(StoredObject object);
    }

    private final Storage storage;
    private final ApiResource resource;
    private final Sink sink;
    private final Runnable wake;
    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by lock.
    private final Map<String, StoredObject> known = new HashMap<>();
    private @Nullable EventSource source;
    private boolean closed;
    // Set by the writer's thread, cleared by the reader before it polls.
    private volatile boolean dirty = true;
    // True while a reader polls: others must wait for what it finds, or they would decide on half a list.
    private volatile boolean busy;

    public ObjectFeed(Storage storage, ApiResource resource, Sink sink) {
        this(storage, resource, sink, () -> {});
    }

    /** @param wake told that {@link #refresh} has something to take; runs on the writer's thread, so it must only schedule */
    public ObjectFeed(Storage storage, ApiResource resource, Sink sink, Runnable wake) {
        this.wake = wake;
        this.storage = storage;
        this.resource = resource;
        this.sink = sink;
    }

    /** Tells the sink all that has happened until now. */
    public void refresh() {
        if (!dirty && !busy) {
            return;
        }
        lock.lock();
        boolean done = closed || !dirty;
        try {
            if (!done) {
                busy = true;
                dirty = false;
                lockedDrain();
                done = true;
            }
        } finally {
            if (!done) {
                dirty = true;
            }
            busy = false;
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            if (source != null) {
                source.close();
                source = null;
            }
        } finally {
            lock.unlock();
        }
    }

    private void lockedDrain() {
        if (source == null) {
            lockedStart();
            return;
        }
        for (EventSource.Event event = source.poll(); event != null; event = source.poll()) {
            if (!lockedApply(event)) {
                source.close();
                lockedStart();
                return;
            }
        }
        if (source.isEnded()) {
            source.close();
            lockedStart();
        }
    }

    /** Lists, then watches from there: so the state is complete when this returns, however the watch delivers. */
    private void lockedStart() {
        EventSource fresh = Objects.watchFrom(storage, resource, lockedList());
        source = fresh;
        fresh.onReady(() -> {
            dirty = true;
            wake.run();
        });
    }

    private long lockedList() {
        Map<String, StoredObject> gone = new HashMap<>(known);
        Storage.Listing listing = storage.list(resource, Objects.everything(null));
        listing.objects().forEachRemaining(object -> {
            StoredObject before = gone.remove(object.key());
            if (before == null || before.revision() != object.revision()) {
                lockedPut(object);
            }
        });
        gone.values().forEach(object -> {
            known.remove(object.key());
            sink.remove(object);
        });
        return listing.revision();
    }

    private boolean lockedApply(EventSource.Event event) {
        StoredObject object = event.object();
        switch (event.type()) {
            case ADDED, MODIFIED -> {
                if (object != null) {
                    lockedPut(object);
                }
            }
            case DELETED -> {
                if (object != null) {
                    StoredObject before = known.remove(object.key());
                    sink.remove(before == null ? object : before);
                }
            }
            case ERROR -> {
                return false;
            }
            case BOOKMARK -> {}
        }
        return true;
    }

    private void lockedPut(StoredObject object) {
        StoredObject before = known.put(object.key(), object);
        if (before != null && !before.uid().equals(object.uid())) {
            sink.remove(before);
        }
        sink.put(object);
    }
}
