package io.trimtab.apiserver.allocation;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Objects;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Gives out node ports.
 *
 * <p>What is taken follows from the stored Services, and is kept in memory; it is read again every few minutes. Ports that are
 * held for a write which has not been stored yet survive that. Where other servers use the store too, a port is given out only
 * when it has been written to the record that all share.
 *
 * <p>The lowest ports are left to those who ask for a certain one. Safe for use by any thread.
 */
public final class NodePortAllocator {
    /** As often as Kubernetes' own repair loop runs. */
    private static final Duration STALE = Duration.ofMinutes(3);

    private final int first;
    private final int last;
    private final ReentrantLock lock = new ReentrantLock();

    /** Offsets from the first port; guarded by the lock. */
    private final BitSet taken = new BitSet();

    /** Ports of writes under way; guarded by the lock. */
    private final Set<Integer> held = new HashSet<>();

    private @Nullable Instant loaded;

    /** Offsets that are in the shared record for no Service; guarded by the lock. */
    private final BitSet suspects = new BitSet();

    private final SharedPorts shared;

    /** @param range {@code first-last}, both included */
    public NodePortAllocator(String range) {
        int dash = range.indexOf('-');
        if (dash < 0) {
            throw new IllegalArgumentException("not a range of ports: " + range);
        }
        this.first = Integer.parseInt(range.substring(0, dash).trim());
        this.last = Integer.parseInt(range.substring(dash + 1).trim());
        if (first < 1 || last > 65535 || last < first) {
            throw new IllegalArgumentException("not a range of ports: " + range);
        }
        this.shared = new SharedPorts(first + "-" + last);
    }

    /**
     * Takes a certain port, held until {@link #settle}.
     *
     * @throws AllocationException if it is not in the range or taken
     */
    public void allocate(int port, Storage storage, Driver driver) throws AllocationException {
        if (port < first || port > last) {
            throw new AllocationException(
                    "provided port is not in the valid range. The range of valid ports is " + first + "-" + last);
        }
        load(storage, driver);
        lock.lock();
        try {
            if (taken.get(port - first) && !storage.hasOtherWriters()) {
                throw new AllocationException("provided port is already allocated");
            }
            take(port);
        } finally {
            lock.unlock();
        }
        if (!isOurs(port, storage)) {
            settle(port);
            throw new AllocationException("provided port is already allocated");
        }
    }

    private boolean isOurs(int port, Storage storage) {
        if (!storage.hasOtherWriters()) {
            return true;
        }
        BitSet known;
        lock.lock();
        try {
            known = (BitSet) taken.clone();
        } finally {
            lock.unlock();
        }
        known.clear(port - first);
        return shared.take(port - first, known, storage);
    }

    /**
     * Takes any free port, held until {@link #settle}.
     *
     * @throws AllocationException if there is none
     */
    public int allocateNext(Storage storage, Driver driver) throws AllocationException {
        load(storage, driver);
        while (true) {
            int port = pick(driver);
            if (isOurs(port, storage)) {
                return port;
            }
            settle(port);
        }
    }

    private int pick(Driver driver) throws AllocationException {
        int size = last - first + 1;
        int band = band(size);
        lock.lock();
        try {
            int offset = free(band, size, driver);
            if (offset < 0) {
                offset = free(0, band, driver);
            }
            if (offset < 0) {
                throw new AllocationException("range is full");
            }
            take(first + offset);
            return first + offset;
        } finally {
            lock.unlock();
        }
    }

    /** A random port of the range, taken or not: what a dry run shows. */
    public int anyPort(Driver driver) {
        return first + driver.random().nextInt(last - first + 1);
    }

    private int free(int from, int to, Driver driver) {
        int count = to - from;
        if (count <= 0) {
            return -1;
        }
        int start = driver.random().nextInt(count);
        int found = taken.nextClearBit(from + start);
        if (found >= to) {
            found = taken.nextClearBit(from);
        }
        return found < to ? found : -1;
    }

    private void take(int port) {
        taken.set(port - first);
        held.add(port);
    }

    /** Says that the write for which a port was held has been stored: the port is now the Service's. */
    public void settle(int port) {
        lock.lock();
        try {
            held.remove(port);
        } finally {
            lock.unlock();
        }
    }

    /** Gives a port back. */
    public void release(int port, Storage storage) {
        if (storage.hasOtherWriters() && port >= first && port <= last) {
            shared.release(port - first, storage);
        }
        lock.lock();
        try {
            held.remove(port);
            if (port >= first && port <= last) {
                taken.clear(port - first);
            }
        } finally {
            lock.unlock();
        }
    }

    private void load(Storage storage, Driver driver) {
        Instant now = driver.now();
        lock.lock();
        try {
            if (loaded != null && loaded.plus(STALE).isAfter(now)) {
                return;
            }
            loaded = now;
        } finally {
            lock.unlock();
        }
        // Read without the lock; what was taken meanwhile is held, and stays taken.
        BitSet stored = new BitSet();
        for (StoredObject service : Objects.list(storage, CoreResources.SERVICES, null)) {
            JsonNode spec = Trees.child(service.tree(), "spec");
            for (JsonNode port : Trees.items(spec, "ports")) {
                mark(stored, (int) Trees.number(port, "nodePort"));
            }
            mark(stored, (int) Trees.number(spec, "healthCheckNodePort"));
        }
        if (storage.hasOtherWriters()) {
            repair(stored, storage);
        }
        lock.lock();
        try {
            if (storage.hasOtherWriters()) {
                // What others gave back is free; what was forgotten wrongly, the record refuses.
                taken.clear();
            }
            // A port that was released between the read and now is marked once more: it comes free at the next read.
            taken.or(stored);
            held.forEach(port -> taken.set(port - first));
        } finally {
            lock.unlock();
        }
    }

    /**
     * Brings the shared record in line with the Services, and adds what is in the record: writes under way. A port of no Service
     * that was there at the last look too, minutes ago, belongs to a write that came to nothing when its server died.
     */
    private void repair(BitSet stored, Storage storage) {
        BitSet recorded = shared.taken(storage);
        BitSet missing = (BitSet) stored.clone();
        missing.andNot(recorded);
        missing.stream().forEach(offset -> shared.take(offset, stored, storage));
        BitSet unused = (BitSet) recorded.clone();
        unused.andNot(stored);
        BitSet leaked = (BitSet) unused.clone();
        lock.lock();
        try {
            held.forEach(port -> leaked.clear(port - first));
            leaked.and(suspects);
            suspects.clear();
            suspects.or(unused);
        } finally {
            lock.unlock();
        }
        leaked.stream().forEach(offset -> shared.release(offset, storage));
        recorded.andNot(leaked);
        stored.or(recorded);
    }

    private void mark(BitSet ports, int port) {
        if (port >= first && port <= last) {
            ports.set(port - first);
        }
    }

    /** How many ports at the start are left to explicit requests: min(max(16, size/32), 128), none in small ranges. */
    private static int band(int size) {
        int band = Math.min(Math.max(16, size / 32), 128);
        return size <= band ? 0 : band;
    }
}
