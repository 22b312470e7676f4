package io.trimtab.apiserver.flowcontrol;

import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The queues of one level: fair queuing in virtual time, after Kubernetes' {@code fairqueuing/queueset}. Queues with something to
 * do progress together, at a speed that the level's seats allow; a request's virtual finish is its queue's progress plus its own
 * work, and the one that would finish first goes first.
 *
 * <p>As long as seats are free and nobody waits, a request costs one lock and a dozen additions. Whatever needs all queues to be
 * looked at happens only when there is a queue. Nothing is called with the lock held. Safe for use by any thread.
 */
final class QueueSet {
    /** What a request is taken to last until it has. */
    static final double SERVICE_SECONDS = 0.003;

    /** How a level queues. */
    record Shape(Kind kind, int queues, int handSize, int lengthLimit) {
        static final Shape EXEMPT = new Shape(Kind.EXEMPT, 0, 0, 0);
        static final Shape REJECT = new Shape(Kind.REJECT, 0, 0, 0);
    }

    enum Kind {
        EXEMPT,
        REJECT,
        QUEUE
    }

    final ReentrantLock lock = new ReentrantLock();
    private final Driver driver;
    // All below is guarded by lock.
    private Shape shape;
    private int seats;
    private final List<Queue> queues = new ArrayList<>();
    private double progress;
    private long progressAt;
    private int robin;
    private int enqueues;
    int waiting;
    int executing;
    int seatsInUse;
    int seatsWaiting;
    private int activeQueues;
    long dispatched;
    long rejected;
    long timedOut;
    long cancelled;
    final SeatDemand demand;
    private final Map<String, FlowStats> stats = new HashMap<>();
    /** The latest of those that are served, linked by {@link Ticket#earlier}: for the dump. */
    private @Nullable Ticket latest;

    QueueSet(Driver driver, Shape shape, int seats) {
        this.driver = driver;
        long now = driver.nanoTime();
        this.progressAt = now;
        this.demand = new SeatDemand(now);
        this.shape = shape;
        configure(shape, seats);
    }

    /** Changes shape and seats; what waits may go on by that. */
    void configure(Shape newShape, int newSeats) {
        List<Ticket> decided;
        lock.lock();
        try {
            lockedAdvance(driver.nanoTime());
            if (newShape.kind() == Kind.QUEUE) {
                while (queues.size() < newShape.queues()) {
                    queues.add(new Queue());
                }
            }
            shape = newShape;
            seats = newSeats;
            lockedShrink();
            decided = lockedDispatchAll(null);
        } finally {
            lock.unlock();
        }
        resume(decided);
    }

    /** The counts of a schema at this level. */
    FlowStats statsOf(String schema) {
        lock.lock();
        try {
            return stats.computeIfAbsent(schema, FlowStats::new);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Decides about a request that comes.
     *
     * @param hand the queues it may wait in
     */
    void enter(Ticket ticket, int[] hand) {
        List<Ticket> decided = null;
        lock.lock();
        try {
            lockedAdvance(ticket.arrived);
            ticket.stats.estimatedSeats.observe(ticket.work.maxSeats());
            if (shape.kind() != Kind.QUEUE) {
                if (lockedFits(ticket.work.maxSeats())) {
                    lockedExecute(ticket, null, ticket.arrived);
                } else {
                    ticket.stats.rejectedLimit++;
                    rejected++;
                    ticket.state = Ticket.State.REJECTED;
                }
                return;
            }
            Queue queue = lockedChoose(hand);
            if (seatsInUse >= seats && queue.waiting.size() >= shape.lengthLimit()) {
                ticket.stats.rejectedFull++;
                rejected++;
                ticket.state = Ticket.State.REJECTED;
                return;
            }
            boolean idle = !queue.isActive();
            if (idle) {
                queue.nextDispatch = progress;
            }
            ticket.queue = queue;
            ticket.arrivalProgress = progress;
            if (waiting == 0 && seatsInUse < seats && lockedFits(ticket.work.maxSeats())) {
                // Nobody else waits, so it would be taken from its queue at once.
                ticket.stats.queueLengths.observe(1);
                queue.nextDispatch = Math.max(queue.nextDispatch, progress);
                lockedExecute(ticket, queue, ticket.arrived);
                return;
            }
            lockedEnqueue(ticket, queue);
            decided = lockedDispatchAll(ticket);
        } finally {
            lock.unlock();
        }
        resume(decided);
    }

    /** Parks a request that waits; false if it does not. */
    boolean park(Ticket ticket, Consumer<Ticket> continuation) {
        lock.lock();
        try {
            if (ticket.state != Ticket.State.WAITING) {
                return false;
            }
            ticket.continuation = continuation;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Lets a request wait no longer than this. */
    void limitWait(Ticket ticket, Duration patience) {
        Driver.Timer timer = driver.schedule(patience, () -> giveUp(ticket));
        lock.lock();
        try {
            if (ticket.state == Ticket.State.WAITING) {
                ticket.patience = timer;
                return;
            }
        } finally {
            lock.unlock();
        }
        timer.cancel();
    }

    private void giveUp(Ticket ticket) {
        lock.lock();
        try {
            Queue queue = ticket.queue;
            if (ticket.state != Ticket.State.WAITING || queue == null) {
                return;
            }
            long now = driver.nanoTime();
            lockedAdvance(now);
            queue.waiting.remove(ticket);
            lockedLeave(ticket, queue, now);
            lockedBound(queue);
            ticket.stats.rejectedTimeout++;
            ticket.stats.waitedInVain.observe((now - ticket.arrived) / 1e9);
            rejected++;
            timedOut++;
            cancelled++;
            ticket.patience = null;
            ticket.state = Ticket.State.REJECTED;
        } finally {
            lock.unlock();
        }
        resume(List.of(ticket));
    }

    /** A request has been served. */
    void finish(Ticket ticket) {
        List<Ticket> decided = null;
        Work work = ticket.work;
        lock.lock();
        try {
            if (ticket.state != Ticket.State.EXECUTING) {
                return;
            }
            ticket.state = Ticket.State.FINISHED;
            long now = driver.nanoTime();
            lockedAdvance(now);
            double took = (now - ticket.started) / 1e9;
            executing--;
            ticket.stats.executing--;
            (ticket.info.verb().equals("watch") ? ticket.stats.watchStarted : ticket.stats.executed).observe(took);
            Queue queue = ticket.queue;
            if (queue != null) {
                queue.executing--;
                if (!queue.isActive()) {
                    activeQueues--;
                }
                // It was charged with an estimate: now what it took is known.
                queue.nextDispatch -= work.initialSeats() * (SERVICE_SECONDS - took);
                lockedBound(queue);
            }
            lockedUnlink(ticket);
            if (work.additionalNanos() <= 0) {
                lockedRelease(ticket, now);
                decided = lockedDispatchAll(null);
            }
        } finally {
            lock.unlock();
        }
        if (work.additionalNanos() > 0) {
            driver.schedule(Duration.ofNanos(work.additionalNanos()), () -> release(ticket));
        }
        resume(decided);
    }

    private void release(Ticket ticket) {
        List<Ticket> decided;
        lock.lock();
        try {
            long now = driver.nanoTime();
            lockedAdvance(now);
            lockedRelease(ticket, now);
            decided = lockedDispatchAll(null);
        } finally {
            lock.unlock();
        }
        resume(decided);
    }

    private void resume(@Nullable List<Ticket> decided) {
        if (decided == null) {
            return;
        }
        for (Ticket ticket : decided) {
            Driver.Timer timer;
            Consumer<Ticket> continuation;
            lock.lock();
            try {
                timer = ticket.patience;
                ticket.patience = null;
                continuation = ticket.continuation;
                ticket.continuation = null;
            } finally {
                lock.unlock();
            }
            if (timer != null) {
                timer.cancel();
            }
            if (continuation != null) {
                driver.execute(() -> continuation.accept(ticket));
            }
        }
    }

    // ---- With the lock held ----------------------------------------------------------------------------------------

    private void lockedAdvance(long now) {
        if (now <= progressAt) {
            return; // it was read before another came in
        }
        if (activeQueues > 0) {
            double speed = Math.min(seatsInUse + seatsWaiting, seats) / (double) activeQueues;
            progress += speed * (now - progressAt) / 1e9;
        }
        progressAt = now;
    }

    private boolean lockedFits(int wanted) {
        return switch (shape.kind()) {
            case EXEMPT -> true;
            case REJECT, QUEUE -> wanted > seats ? executing == 0 && seatsInUse == 0 : seatsInUse + wanted <= seats;
        };
    }

    /**
     * The queue of the flow's hand with the least work waiting; ties go round.
     *
     * @param hand dealt for this shape, or for the one before it
     */
    private Queue lockedChoose(int[] hand) {
        int deck = queues.size();
        int offset = hand.length == 0 ? 0 : Math.floorMod(enqueues++, hand.length);
        Queue best = queues.get(hand.length == 0 ? 0 : hand[offset] % deck);
        if (waiting == 0) {
            return best;
        }
        for (int i = 1; i < hand.length; i++) {
            Queue other = queues.get(hand[(offset + i) % hand.length] % deck);
            if (other.workWaiting < best.workWaiting) {
                best = other;
            }
        }
        return best;
    }

    private void lockedEnqueue(Ticket ticket, Queue queue) {
        if (!queue.isActive()) {
            activeQueues++;
        }
        queue.waiting.addLast(ticket);
        int width = ticket.work.maxSeats();
        queue.seatsWaiting += width;
        queue.initialSeatsWaiting += ticket.work.initialSeats();
        queue.workWaiting += ticket.work.total(SERVICE_SECONDS);
        waiting++;
        seatsWaiting += width;
        ticket.stats.waiting++;
        ticket.stats.seatsWaiting += width;
        ticket.stats.queueLengths.observe(queue.waiting.size());
        lockedBound(queue);
        demand.set(seatsInUse + seatsWaiting, progressAt);
    }

    /** Books a request that has been taken from its queue. */
    private void lockedLeave(Ticket ticket, Queue queue, long now) {
        int width = ticket.work.maxSeats();
        queue.seatsWaiting -= width;
        queue.initialSeatsWaiting -= ticket.work.initialSeats();
        queue.workWaiting = queue.waiting.isEmpty() ? 0 : queue.workWaiting - ticket.work.total(SERVICE_SECONDS);
        waiting--;
        seatsWaiting -= width;
        ticket.stats.waiting--;
        ticket.stats.seatsWaiting -= width;
        if (!queue.isActive()) {
            activeQueues--;
        }
        demand.set(seatsInUse + seatsWaiting, now);
    }

    private void lockedExecute(Ticket ticket, @Nullable Queue queue, long now) {
        int width = ticket.work.maxSeats();
        ticket.started = now;
        ticket.state = Ticket.State.EXECUTING;
        ticket.earlier = latest;
        if (latest != null) {
            latest.later = ticket;
        }
        latest = ticket;
        executing++;
        seatsInUse += width;
        dispatched++;
        ticket.stats.executing++;
        ticket.stats.seatsInUse += width;
        ticket.stats.dispatched++;
        if (shape.kind() != Kind.EXEMPT) {
            ticket.stats.waitedThenExecuted.observe((now - ticket.arrived) / 1e9);
        }
        if (queue != null) {
            if (!queue.isActive()) {
                activeQueues++;
            }
            queue.executing++;
            queue.seatsInUse += width;
            queue.nextDispatch += ticket.work.total(SERVICE_SECONDS);
        }
        demand.set(seatsInUse + seatsWaiting, now);
    }

    private void lockedUnlink(Ticket ticket) {
        Ticket later = ticket.later;
        Ticket earlier = ticket.earlier;
        if (later != null) {
            later.earlier = earlier;
        } else {
            latest = earlier;
        }
        if (earlier != null) {
            earlier.later = later;
        }
        ticket.later = null;
        ticket.earlier = null;
    }

    private void lockedRelease(Ticket ticket, long now) {
        int width = ticket.work.maxSeats();
        seatsInUse -= width;
        ticket.stats.seatsInUse -= width;
        demand.set(seatsInUse + seatsWaiting, now);
        Queue queue = ticket.queue;
        if (queue != null) {
            queue.seatsInUse -= width;
            lockedShrink();
        }
    }

    /** Takes out queues that are no longer wanted, once they are empty. */
    private void lockedShrink() {
        int wanted = shape.kind() == Kind.QUEUE ? shape.queues() : 0;
        for (int i = queues.size() - 1; i >= wanted; i--) {
            // Only from the end: hands of the present size never reach those.
            if (!queues.get(i).isActive() && queues.get(i).seatsInUse == 0) {
                queues.remove(i);
            }
        }
        if (robin >= queues.size()) {
            robin = 0;
        }
    }

    /** A queue whose next request came late does not get to catch up on time in which it wanted nothing. */
    private static void lockedBound(Queue queue) {
        Ticket oldest = queue.waiting.peekFirst();
        if (oldest != null && queue.nextDispatch < oldest.arrivalProgress) {
            queue.nextDispatch = oldest.arrivalProgress;
        }
    }

    /** @param arriving who looks for itself whether it was among them; null for none */
    private @Nullable List<Ticket> lockedDispatchAll(@Nullable Ticket arriving) {
        List<Ticket> decided = null;
        while (waiting > 0 && seatsInUse < seats) {
            Ticket next = lockedDispatch();
            if (next == null) {
                break;
            }
            if (next != arriving) {
                if (decided == null) {
                    decided = new ArrayList<>();
                }
                decided.add(next);
            }
        }
        return decided;
    }

    private @Nullable Ticket lockedDispatch() {
        Queue best = null;
        int bestIndex = 0;
        double earliest = Double.MAX_VALUE;
        int count = queues.size();
        int at = robin;
        for (int i = 0; i < count; i++) {
            at = at + 1 == count ? 0 : at + 1;
            Queue queue = queues.get(at);
            Ticket oldest = queue.waiting.peekFirst();
            if (oldest != null) {
                double finish = queue.nextDispatch + oldest.work.total(SERVICE_SECONDS);
                if (finish < earliest) {
                    earliest = finish;
                    best = queue;
                    bestIndex = at;
                }
            }
        }
        if (best == null) {
            return null;
        }
        Ticket ticket = best.waiting.getFirst();
        if (!lockedFits(ticket.work.maxSeats())) {
            ticket.stats.notAccommodated++;
            return null;
        }
        robin = bestIndex;
        best.waiting.removeFirst();
        lockedLeave(ticket, best, progressAt);
        ticket.work = ticket.work.narrowedTo(Math.max(1, seats));
        lockedExecute(ticket, best, progressAt);
        lockedBound(best);
        return ticket;
    }

    // ---- What others want to know ----------------------------------------------------------------------------------

    boolean isIdle() {
        lock.lock();
        try {
            return waiting == 0 && executing == 0;
        } finally {
            lock.unlock();
        }
    }

    int seats() {
        lock.lock();
        try {
            return seats;
        } finally {
            lock.unlock();
        }
    }

    /** Reads under the lock; must be quick. */
    <T> T look(Supplier<T> reader) {
        lock.lock();
        try {
            return reader.get();
        } finally {
            lock.unlock();
        }
    }

    double lockedProgress() {
        return progress;
    }

    List<Queue> lockedQueues() {
        return queues;
    }

    /** Those that are served, in the order in which that began. */
    List<Ticket> lockedServed() {
        ArrayDeque<Ticket> all = new ArrayDeque<>();
        for (Ticket ticket = latest; ticket != null; ticket = ticket.earlier) {
            all.addFirst(ticket);
        }
        return List.copyOf(all);
    }

    Collection<FlowStats> lockedStats() {
        return stats.values();
    }
}
