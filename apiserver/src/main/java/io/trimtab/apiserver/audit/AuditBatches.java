package io.trimtab.apiserver.audit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds events back and passes them on together, by steps of the driver. What does not fit into the buffer is dropped and
 * counted: no request waits for the audit log. Safe for use by any thread.
 */
public final class AuditBatches implements AuditSink {
    private static final Logger LOG = LoggerFactory.getLogger(AuditBatches.class);

    /**
     * How events are held back.
     *
     * @param buffer how many, before more are dropped
     * @param maxSize of a batch
     * @param maxWait of an event, before it goes out in a smaller batch
     */
    public record Options(int buffer, int maxSize, Duration maxWait) {
        /** For webhooks, as in Kubernetes. */
        public static final Options DEFAULT = new Options(10_000, 400, Duration.ofSeconds(30));

        public Options {
            if (buffer <= 0 || maxSize <= 0) {
                throw new IllegalArgumentException(
                        "audit batches need a buffer and a size above 0, not " + buffer + " and " + maxSize);
            }
        }
    }

    /** Sends a batch on; may take its time, on a thread of the driver. */
    public interface Out {
        void send(List<ObjectNode> events);
    }

    private final Options options;
    private final Out destination;
    private final Driver driver;
    private final Driver.Lane lane;
    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by lock.
    private final ArrayDeque<ObjectNode> waiting = new ArrayDeque<>();
    private Driver.@Nullable Timer timer;
    private boolean sending;
    private long dropped;

    public AuditBatches(Options options, Out destination, Driver driver) {
        this.options = options;
        this.destination = destination;
        this.driver = driver;
        this.lane = driver.lane("audit");
    }

    @Override
    public void take(ObjectNode event) {
        boolean send = false;
        lock.lock();
        try {
            if (waiting.size() >= options.buffer()) {
                if (dropped++ % 1000 == 0) {
                    LOG.error("audit buffer is full, events are dropped: dropped={}", dropped);
                }
                return;
            }
            waiting.addLast(event);
            if (waiting.size() >= options.maxSize()) {
                send = !sending;
                sending = true;
            } else if (timer == null && !sending) {
                timer = driver.schedule(options.maxWait(), this::due);
            }
        } finally {
            lock.unlock();
        }
        if (send) {
            lane.execute(this::send);
        }
    }

    private void due() {
        lock.lock();
        try {
            timer = null;
            if (sending || waiting.isEmpty()) {
                return;
            }
            sending = true;
        } finally {
            lock.unlock();
        }
        lane.execute(this::send);
    }

    private void send() {
        List<ObjectNode> batch = new ArrayList<>();
        lock.lock();
        try {
            while (batch.size() < options.maxSize() && !waiting.isEmpty()) {
                batch.add(waiting.removeFirst());
            }
        } finally {
            lock.unlock();
        }
        try {
            if (!batch.isEmpty()) {
                destination.send(batch);
            }
        } catch (RuntimeException e) {
            LOG.error("audit events lost: count={} why={}", batch.size(), e.getMessage());
        }
        boolean again;
        lock.lock();
        try {
            again = waiting.size() >= options.maxSize();
            sending = again;
            if (!again && !waiting.isEmpty() && timer == null) {
                timer = driver.schedule(options.maxWait(), this::due);
            }
        } finally {
            lock.unlock();
        }
        if (again) {
            lane.execute(this::send);
        }
    }

    /** How many events found the buffer full. */
    public long dropped() {
        lock.lock();
        try {
            return dropped;
        } finally {
            lock.unlock();
        }
    }

    /** Sends what waits, on the caller's stack. */
    @Override
    public void close() {
        Driver.Timer running;
        lock.lock();
        try {
            running = timer;
            timer = null;
        } finally {
            lock.unlock();
        }
        if (running != null) {
            running.cancel();
        }
        while (true) {
            lock.lock();
            try {
                if (waiting.isEmpty()) {
                    return;
                }
            } finally {
                lock.unlock();
            }
            send();
        }
    }
}
