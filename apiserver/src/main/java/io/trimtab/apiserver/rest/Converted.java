package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.resource.SlowConversion;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.storage.EventSource;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A stored object that was converted to the served version already, where converting takes another server's help and must not
 * happen as the answer is written. Immutable.
 */
record Converted(StoredObject stored, ObjectNode tree) implements StoredObject {
    /** Events that wait for their reader; then their source keeps the rest. */
    private static final int BUFFER = 64;

    /** The listing with all its objects converted, if that is slow; otherwise the listing. */
    static Storage.Listing listing(Served served, Storage.Listing listing) {
        if (!(served.conversion() instanceof SlowConversion slow)) {
            return listing;
        }
        List<StoredObject> objects = new ArrayList<>();
        listing.objects().forEachRemaining(objects::add);
        List<ObjectNode> trees =
                slow.fromStorage(objects.stream().map(StoredObject::tree).toList());
        List<StoredObject> converted = new ArrayList<>(objects.size());
        for (int i = 0; i < objects.size(); i++) {
            converted.add(new Converted(objects.get(i), Canonical.of(trees.get(i), served.schema())));
        }
        Iterator<StoredObject> iterator = converted.iterator();
        return new Storage.Listing(iterator, listing.revision(), listing.nextKey(), listing.remaining());
    }

    /** The events with their objects converted, on a lane of the driver, if that is slow; otherwise the events. */
    static EventSource events(Served served, EventSource events, Driver driver) {
        return served.conversion() instanceof SlowConversion slow ? new Events(served, slow, events, driver) : events;
    }

    @Override
    public String key() {
        return stored.key();
    }

    @Override
    public String namespace() {
        return stored.namespace();
    }

    @Override
    public String name() {
        return stored.name();
    }

    @Override
    public String uid() {
        return stored.uid();
    }

    @Override
    public long revision() {
        return stored.revision();
    }

    @Override
    public Map<String, String> labels() {
        return stored.labels();
    }

    @Override
    public byte[] json() {
        return Json.compact(tree);
    }

    /** Takes events as its reader empties the buffer. The lane converts; the reader polls. */
    private static final class Events implements EventSource {
        private final Served served;
        private final SlowConversion conversion;
        private final EventSource source;
        private final Driver.Lane lane;
        private final ReentrantLock lock = new ReentrantLock();
        /** Guarded by lock. */
        private final ArrayDeque<Event> ready = new ArrayDeque<>();
        /** Guarded by lock: a step is on its way. */
        private boolean scheduled;
        /** Guarded by lock. */
        private boolean ended;
        /** Guarded by lock. */
        private @Nullable Runnable wakeUp;

        Events(Served served, SlowConversion conversion, EventSource source, Driver driver) {
            this.served = served;
            this.conversion = conversion;
            this.source = source;
            this.lane = driver.lane("watch-conversion");
        }

        @Override
        public @Nullable Event poll() {
            Event event;
            boolean more;
            lock.lock();
            try {
                event = ready.poll();
                more = event != null && ready.size() == BUFFER / 2;
            } finally {
                lock.unlock();
            }
            if (more) {
                schedule();
            }
            return event;
        }

        @Override
        public boolean isEnded() {
            lock.lock();
            try {
                return ended && ready.isEmpty();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void onReady(Runnable wake) {
            lock.lock();
            try {
                wakeUp = wake;
            } finally {
                lock.unlock();
            }
            source.onReady(this::schedule);
        }

        private void schedule() {
            lock.lock();
            try {
                if (scheduled) {
                    return;
                }
                scheduled = true;
            } finally {
                lock.unlock();
            }
            lane.execute(this::step);
        }

        private void step() {
            boolean room;
            lock.lock();
            try {
                scheduled = false;
                room = !ended && ready.size() < BUFFER;
            } finally {
                lock.unlock();
            }
            while (room) {
                Event event = source.poll();
                if (event == null) {
                    break;
                }
                room = offer(convert(event));
            }
            boolean over = source.isEnded();
            Runnable wake;
            lock.lock();
            try {
                ended |= over;
                wake = ready.isEmpty() && !ended ? null : wakeUp;
            } finally {
                lock.unlock();
            }
            if (wake != null) {
                wake.run();
            }
        }

        private boolean offer(Event event) {
            lock.lock();
            try {
                if (ended) {
                    return false;
                }
                ready.add(event);
                if (event.type() == Type.ERROR) {
                    ended = true;
                }
                return ready.size() < BUFFER && !ended;
            } finally {
                lock.unlock();
            }
        }

        private Event convert(Event event) {
            StoredObject object = event.object();
            if (object == null) {
                return event;
            }
            try {
                ObjectNode tree = conversion.fromStorage(List.of(object.tree())).get(0);
                return new Event(
                        event.type(),
                        new Converted(object, Canonical.of(tree, served.schema())),
                        event.revision(),
                        event.initialEventsEnd(),
                        event.error());
            } catch (io.trimtab.apiserver.errors.StatusException e) {
                source.close();
                return new Event(Type.ERROR, null, event.revision(), false, e.status());
            }
        }

        @Override
        public void close() {
            source.close();
            lock.lock();
            try {
                ended = true;
                ready.clear();
            } finally {
                lock.unlock();
            }
        }
    }
}
