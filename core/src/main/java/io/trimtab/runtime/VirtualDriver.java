package io.trimtab.runtime;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs all steps on one thread in virtual time: whoever calls {@link #settle}, {@link #advance}, {@link #runUntil} or
 * {@link #await} drives. Nothing happens between such calls, and time stands still while steps run. With the same seed and the
 * same calls it makes the same run.
 *
 * <p>Any thread may hand steps in; they run only on a thread that drives, and only one drives at a time (others wait their
 * turn). A step may itself call {@link #await}: other steps then run on its stack, except those of a lane that is running
 * already.
 */
public final class VirtualDriver implements Driver {
    private static final Logger log = LoggerFactory.getLogger(VirtualDriver.class);

    /** When virtual time begins, unless said: any moment would do, as long as it is always the same. */
    public static final Instant DEFAULT_START = Instant.parse("2026-01-01T00:00:00Z");

    private static final int MAX_FAILURES_KEPT = 1000;
    private static final int LIVELOCK_SAMPLE = 10_000;

    /**
     * How a virtual driver behaves.
     *
     * @param seed of {@link #random()}, and of the shuffle
     * @param start when virtual time begins
     * @param shuffle pick the next step at random instead of first in, first out; steps of one lane keep their order
     * @param maxStepsPerInstant so many steps without time moving are taken for a livelock
     * @param chooser decides which step is next; null for first in, first out, or at random
     */
    public record Options(
            long seed,
            Instant start,
            boolean shuffle,
            long maxStepsPerInstant,
            @Nullable Chooser chooser) {
        public static final Options DEFAULT = new Options(1, DEFAULT_START, false, 5_000_000, null);

        public Options withSeed(long seed) {
            return new Options(seed, start, shuffle, maxStepsPerInstant, chooser);
        }

        public Options withStart(Instant start) {
            return new Options(seed, start, shuffle, maxStepsPerInstant, chooser);
        }

        public Options withShuffle(boolean shuffle) {
            return new Options(seed, start, shuffle, maxStepsPerInstant, chooser);
        }

        public Options withMaxStepsPerInstant(long max) {
            return new Options(seed, start, shuffle, max, chooser);
        }

        public Options withChooser(@Nullable Chooser chooser) {
            return new Options(seed, start, shuffle, maxStepsPerInstant, chooser);
        }
    }

    /** Decides in which order due steps run; steps of one lane keep their order. */
    @FunctionalInterface
    public interface Chooser {
        /**
         * The next one. Called on the driving thread, whenever there is a choice; must not call the driver.
         *
         * @param due how many are due, two or more, the longest waiting first
         * @return from 0; or negative to set the first one aside until {@link VirtualDriver#callBack}, or until nothing else
         *     is due
         */
        int choose(int due);
    }

    /**
     * A step that threw.
     *
     * @param lane null if it ran on none
     * @param step the class that wrote it
     */
    public record Failure(Instant at, @Nullable String lane, String step, Throwable cause) {}

    private final Options options;
    private final Random random;
    private final Random shuffle;

    /** Held while driving. Order: driving, then state. */
    private final ReentrantLock driving = new ReentrantLock();

    private final Object state = new Object();
    /** Guarded by state. */
    private final Ready ready;
    /** Guarded by state: by due time, then by the order of scheduling. */
    private final PriorityQueue<VirtualTimer> timers = new PriorityQueue<>();
    /** Guarded by state: timers that were cancelled but still lie in the heap. */
    private int cancelledTimers;
    /** Guarded by state. */
    private long sequence;
    /** Guarded by state. */
    private final List<Failure> failures = new ArrayList<>();
    /** Guarded by state. */
    private boolean closed;

    /** Written by the driving thread only. */
    private volatile long elapsedNanos;
    /** Written by the driving thread only. */
    private long stepsThisInstant;
    /** Written by the driving thread only. */
    private long stepsRun;
    /** Written by the driving thread only: who ran last, sampled when a livelock is near. */
    private final Map<String, Integer> sample = new HashMap<>();

    private VirtualDriver(Options options) {
        this.options = options;
        this.random = new Random(options.seed());
        this.shuffle = new Random(options.seed() ^ 0x5DEECE66DL);
        Chooser chooser = options.chooser();
        this.ready = chooser != null
                ? new ChosenReady(chooser)
                : options.shuffle() ? new ShuffledReady(shuffle) : new FifoReady();
    }

    /** First in, first out, seed 1. */
    public static VirtualDriver create() {
        return create(Options.DEFAULT);
    }

    /** First in, first out. */
    public static VirtualDriver seeded(long seed) {
        return create(Options.DEFAULT.withSeed(seed));
    }

    public static VirtualDriver create(Options options) {
        return new VirtualDriver(Objects.requireNonNull(options));
    }

    public Options options() {
        return options;
    }

    // ---- Driver ----------------------------------------------------------------------------------------------------

    @Override
    public Instant now() {
        return options.start().plusNanos(elapsedNanos);
    }

    @Override
    public long nanoTime() {
        return elapsedNanos;
    }

    @Override
    public RandomGenerator random() {
        return random;
    }

    @Override
    public void execute(Runnable step) {
        Objects.requireNonNull(step);
        synchronized (state) {
            if (!closed) {
                ready.add(new FreeStep(step));
            }
        }
    }

    @Override
    public Timer schedule(Duration delay, Runnable step) {
        Objects.requireNonNull(step);
        synchronized (state) {
            long nanos = delay.isNegative() ? 0 : toNanos(delay);
            long due = nanos > Long.MAX_VALUE - elapsedNanos ? Long.MAX_VALUE : elapsedNanos + nanos;
            VirtualTimer timer = new VirtualTimer(due, sequence++, step);
            if (!closed) {
                if (nanos == 0) {
                    ready.add(timer);
                } else {
                    timer.inHeap = true;
                    timers.add(timer);
                }
            }
            return timer;
        }
    }

    private static long toNanos(Duration duration) {
        return duration.getSeconds() >= Long.MAX_VALUE / 1_000_000_000L ? Long.MAX_VALUE : duration.toNanos();
    }

    @Override
    public Lane lane(String name) {
        return new VirtualLane(Objects.requireNonNull(name));
    }

    @Override
    public <T> T await(CompletableFuture<T> future, Duration timeout) throws TimeoutException {
        long deadline = saturatedAdd(elapsedNanos, toNanos(timeout));
        while (!future.isDone()) {
            if (!driving.tryLock()) {
                // Another thread drives, and may be what completes the future.
                pauseFor(future);
                continue;
            }
            try {
                if (!future.isDone() && !runOne() && !fireNextTimersUpTo(deadline)) {
                    moveTimeTo(deadline);
                    throw new TimeoutException(
                            "not complete after " + timeout + " of virtual time; " + describePending());
                }
            } finally {
                driving.unlock();
            }
        }
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw new CompletionException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CompletionException("interrupted while waiting", e);
        }
    }

    private static void pauseFor(CompletableFuture<?> future) {
        try {
            future.get(1, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            // Looked at by the caller.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CompletionException("interrupted while waiting", e);
        }
    }

    @Override
    public boolean isVirtual() {
        return true;
    }

    @Override
    public void close() {
        synchronized (state) {
            closed = true;
            ready.clear();
            timers.clear();
            cancelledTimers = 0;
        }
    }

    // ---- Driving ---------------------------------------------------------------------------------------------------

    /**
     * Runs steps until nothing is due at this moment.
     *
     * @throws IllegalStateException if steps keep making steps without time moving, or if called by a step
     */
    public void settle() {
        drive(this::settleHere);
    }

    /** Lets this much time pass, firing timers in the order of their due times and settling at each. */
    public void advance(Duration duration) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException("time only moves forward, not by " + duration);
        }
        drive(() -> {
            long target = saturatedAdd(elapsedNanos, toNanos(duration));
            settleHere();
            while (fireNextTimersUpTo(target)) {
                settleHere();
            }
            moveTimeTo(target);
        });
    }

    /** Lets time pass until this moment; does nothing but settle if it is past. */
    public void advanceTo(Instant moment) {
        Duration rest = Duration.between(now(), moment);
        advance(rest.isNegative() ? Duration.ZERO : rest);
    }

    /**
     * Settles, and lets time pass from one timer to the next, until the condition holds.
     *
     * @param condition looked at whenever nothing more is due at a moment
     * @param limit of virtual time
     * @return false if it did not hold within the limit
     */
    public boolean runUntil(BooleanSupplier condition, Duration limit) {
        boolean[] held = new boolean[1];
        drive(() -> {
            long target = saturatedAdd(elapsedNanos, toNanos(limit));
            settleHere();
            while (!(held[0] = condition.getAsBoolean())) {
                if (!fireNextTimersUpTo(target)) {
                    moveTimeTo(target);
                    held[0] = condition.getAsBoolean();
                    return;
                }
                settleHere();
            }
        });
        return held[0];
    }

    /**
     * Runs the next due step, if there is one, without moving time: for schedulers of tests that look at the world between steps.
     *
     * @return false if nothing is due
     */
    public boolean step() {
        boolean[] ran = new boolean[1];
        drive(() -> ran[0] = runOne());
        return ran[0];
    }

    /** Whether the calling thread is in a step of this driver. */
    public boolean isDriving() {
        return driving.isHeldByCurrentThread();
    }

    /**
     * Runs up to so many due steps on the stack of the step that calls this, without moving time; steps of lanes that are running
     * wait. For tests that let others act in the middle of a step.
     *
     * @return how many ran
     * @throws IllegalStateException if no step calls
     */
    public int stepInside(int atMost) {
        if (!isDriving()) {
            throw new IllegalStateException("expected a step to call this; others call step()");
        }
        int ran = 0;
        while (ran < atMost && runOne()) {
            ran++;
        }
        return ran;
    }

    /**
     * Lets the steps that a chooser has set aside come first.
     *
     * @return how many there are
     */
    public int callBack() {
        synchronized (state) {
            return ready instanceof ChosenReady chosen ? chosen.callBack() : 0;
        }
    }

    /**
     * Waits in real time until a step is due: for libraries with timers on threads of their own, whose steps come from there.
     *
     * @return whether one is due
     */
    public boolean awaitOutsiders(Duration atMost) {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (isSettled() && System.nanoTime() < deadline) {
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return !isSettled();
    }

    private void drive(Runnable body) {
        if (driving.isHeldByCurrentThread()) {
            throw new IllegalStateException("a step cannot drive the driver that runs it; use await");
        }
        driving.lock();
        try {
            body.run();
        } finally {
            driving.unlock();
        }
    }

    private void settleHere() {
        while (runOne()) {
            // Each call is one step.
        }
    }

    /** Runs one due step. Held by caller: driving. */
    private boolean runOne() {
        Runnable step;
        VirtualLane lane = null;
        synchronized (state) {
            while (true) {
                Unit unit = ready.poll();
                if (unit == null) {
                    return false;
                }
                lane = unit.lane();
                if (lane != null && lane.running) {
                    // A step of this lane is further up the stack, in await: its successors wait until it has ended.
                    lane.owed++;
                    continue;
                }
                step = unit.take();
                if (step != null) {
                    break;
                }
            }
            if (lane != null) {
                lane.running = true;
            }
        }
        countStep(step, lane);
        try {
            step.run();
        } catch (Throwable e) {
            failed(step, lane, e);
        } finally {
            if (lane != null) {
                synchronized (state) {
                    lane.running = false;
                    for (; lane.owed > 0; lane.owed--) {
                        if (!closed) {
                            ready.addFirst(lane);
                        }
                    }
                }
            }
        }
        return true;
    }

    private void countStep(Runnable step, @Nullable VirtualLane lane) {
        stepsRun++;
        long count = ++stepsThisInstant;
        if (count > options.maxStepsPerInstant() - LIVELOCK_SAMPLE) {
            sample.merge((lane == null ? "" : "lane " + lane.name + ": ") + StepNames.of(step), 1, Integer::sum);
            if (count > options.maxStepsPerInstant()) {
                Map<String, Integer> culprits = Map.copyOf(sample);
                sample.clear();
                stepsThisInstant = 0;
                throw new IllegalStateException("livelock: " + count + " steps ran at " + now()
                        + " and more are due; the last " + LIVELOCK_SAMPLE + " of them: " + top(culprits));
            }
        }
    }

    private static String top(Map<String, Integer> counts) {
        StringBuilder text = new StringBuilder();
        counts.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue()
                        .reversed()
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(8)
                .forEach(e -> text.append(text.length() == 0 ? "" : ", ")
                        .append(e.getValue())
                        .append("x ")
                        .append(e.getKey()));
        return text.toString();
    }

    private void failed(Runnable step, @Nullable VirtualLane lane, Throwable cause) {
        String laneName = lane == null ? null : lane.name;
        log.error(
                "Step failed: lane={} step={} at={}",
                laneName == null ? "-" : laneName,
                StepNames.of(step),
                now(),
                cause);
        synchronized (state) {
            if (failures.size() < MAX_FAILURES_KEPT) {
                failures.add(new Failure(now(), laneName, StepNames.of(step), cause));
            }
        }
    }

    /** Moves time to the next timer, if it is due by the deadline, and makes all timers of that moment ready. */
    private boolean fireNextTimersUpTo(long deadline) {
        synchronized (state) {
            dropCancelledHead();
            VirtualTimer next = timers.peek();
            if (next == null || next.due > deadline) {
                return false;
            }
            moveTimeTo(next.due);
            while (next != null && next.due <= elapsedNanos) {
                timers.poll();
                next.inHeap = false;
                ready.add(next);
                dropCancelledHead();
                next = timers.peek();
            }
            return true;
        }
    }

    private void dropCancelledHead() {
        for (VirtualTimer head = timers.peek(); head != null && head.step == null; head = timers.peek()) {
            timers.poll();
            cancelledTimers--;
        }
    }

    private void moveTimeTo(long nanos) {
        if (nanos > elapsedNanos) {
            elapsedNanos = nanos;
            stepsThisInstant = 0;
            sample.clear();
        }
    }

    private static long saturatedAdd(long a, long b) {
        return b > Long.MAX_VALUE - a ? Long.MAX_VALUE : a + b;
    }

    // ---- Looking at it ---------------------------------------------------------------------------------------------

    /** What would run next: due steps first, then timers by due time. For failure messages. */
    public List<String> pending() {
        synchronized (state) {
            List<String> lines = new ArrayList<>();
            ready.forEach(unit -> lines.add("due: " + unit.describe()));
            timers.stream()
                    .filter(t -> t.step != null)
                    .sorted()
                    .forEach(t -> lines.add("in " + Duration.ofNanos(t.due - elapsedNanos) + ": " + t.describe()));
            return lines;
        }
    }

    private String describePending() {
        List<String> lines = pending();
        return lines.isEmpty() ? "nothing is pending" : "pending: " + lines.subList(0, Math.min(10, lines.size()));
    }

    /** When the next timer is due; empty if there is none. */
    public Optional<Instant> nextTimer() {
        synchronized (state) {
            dropCancelledHead();
            VirtualTimer next = timers.peek();
            return next == null ? Optional.empty() : Optional.of(options.start().plusNanos(next.due));
        }
    }

    /** True if no step is due at this moment. */
    public boolean isSettled() {
        synchronized (state) {
            return ready.isEmpty();
        }
    }

    /** The steps that threw so far (the first 1000), oldest first. */
    public List<Failure> failures() {
        synchronized (state) {
            return List.copyOf(failures);
        }
    }

    /** How many steps have run. */
    public long stepsRun() {
        return stepsRun;
    }

    @Override
    public String toString() {
        return "virtual driver, seed " + options.seed() + ", at " + now();
    }

    // ---- Parts -----------------------------------------------------------------------------------------------------

    /** Something in the line of what is due. */
    private abstract static class Unit {
        @Nullable
        VirtualLane lane() {
            return null;
        }

        /** The step to run now, or null if there is none any more. */
        abstract @Nullable Runnable take();

        abstract String describe();
    }

    private static final class FreeStep extends Unit {
        private final Runnable step;

        FreeStep(Runnable step) {
            this.step = step;
        }

        @Override
        Runnable take() {
            return step;
        }

        @Override
        String describe() {
            return StepNames.of(step);
        }
    }

    private final class VirtualTimer extends Unit implements Timer, Comparable<VirtualTimer> {
        private final long due;
        private final long number;
        /** Guarded by state: null once it has begun or was cancelled. */
        private @Nullable Runnable step;
        /** Guarded by state. */
        private boolean inHeap;

        VirtualTimer(long due, long number, Runnable step) {
            this.due = due;
            this.number = number;
            this.step = step;
        }

        @Override
        public boolean cancel() {
            synchronized (state) {
                if (step == null || closed) {
                    return false;
                }
                step = null;
                if (inHeap && ++cancelledTimers > 1000 && cancelledTimers > timers.size() / 2) {
                    timers.removeIf(t -> t.step == null);
                    cancelledTimers = 0;
                }
                return true;
            }
        }

        @Override
        @Nullable
        Runnable take() {
            Runnable taken = step;
            step = null;
            return taken;
        }

        @Override
        String describe() {
            return step == null ? "cancelled" : "timer of " + StepNames.of(step);
        }

        @Override
        public int compareTo(VirtualTimer other) {
            int byDue = Long.compare(due, other.due);
            return byDue != 0 ? byDue : Long.compare(number, other.number);
        }
    }

    /** Stands in the line once for each of its steps; whichever place is served, the oldest step runs. */
    private final class VirtualLane extends Unit implements Lane {
        private final String name;
        /** Guarded by state. */
        private final ArrayDeque<Runnable> steps = new ArrayDeque<>();
        /** Guarded by state. */
        private boolean running;
        /** Guarded by state: places in the line that came up while it was running. */
        private int owed;

        VirtualLane(String name) {
            this.name = name;
        }

        @Override
        public void execute(Runnable step) {
            Objects.requireNonNull(step);
            synchronized (state) {
                if (!closed) {
                    steps.add(step);
                    ready.add(this);
                }
            }
        }

        @Override
        VirtualLane lane() {
            return this;
        }

        @Override
        @Nullable
        Runnable take() {
            return steps.poll();
        }

        @Override
        String describe() {
            Runnable first = steps.peek();
            return "lane " + name + ": " + (first == null ? "nothing" : StepNames.of(first));
        }

        @Override
        public String toString() {
            return "lane " + name;
        }
    }

    /** The line of what is due. */
    private interface Ready {
        void add(Unit unit);

        void addFirst(Unit unit);

        @Nullable
        Unit poll();

        boolean isEmpty();

        void clear();

        void forEach(Consumer<Unit> action);
    }

    private static final class FifoReady implements Ready {
        private final ArrayDeque<Unit> units = new ArrayDeque<>();

        @Override
        public void add(Unit unit) {
            units.addLast(unit);
        }

        @Override
        public void addFirst(Unit unit) {
            units.addFirst(unit);
        }

        @Override
        public @Nullable Unit poll() {
            return units.pollFirst();
        }

        @Override
        public boolean isEmpty() {
            return units.isEmpty();
        }

        @Override
        public void clear() {
            units.clear();
        }

        @Override
        public void forEach(Consumer<Unit> action) {
            units.forEach(action);
        }
    }

    /** In the order of arrival, out of which somebody chooses. */
    private static final class ChosenReady implements Ready {
        private final Chooser chooser;
        private final ArrayList<Unit> units = new ArrayList<>();
        private final ArrayList<Unit> aside = new ArrayList<>();

        ChosenReady(Chooser chooser) {
            this.chooser = chooser;
        }

        /** What was set aside comes first now. */
        int callBack() {
            int count = aside.size();
            units.addAll(0, aside);
            aside.clear();
            return count;
        }

        @Override
        public void add(Unit unit) {
            units.add(unit);
        }

        @Override
        public void addFirst(Unit unit) {
            units.add(0, unit);
        }

        @Override
        public @Nullable Unit poll() {
            while (units.size() > 1) {
                int choice = chooser.choose(units.size());
                if (choice >= 0) {
                    return units.remove(choice);
                }
                aside.add(units.remove(0));
            }
            return units.isEmpty() ? aside.isEmpty() ? null : aside.remove(0) : units.remove(0);
        }

        @Override
        public boolean isEmpty() {
            return units.isEmpty() && aside.isEmpty();
        }

        @Override
        public void clear() {
            units.clear();
            aside.clear();
        }

        @Override
        public void forEach(Consumer<Unit> action) {
            units.forEach(action);
            aside.forEach(action);
        }
    }

    private static final class ShuffledReady implements Ready {
        private final Random random;
        private final ArrayList<Unit> units = new ArrayList<>();

        ShuffledReady(Random random) {
            this.random = random;
        }

        @Override
        public void add(Unit unit) {
            units.add(unit);
        }

        @Override
        public void addFirst(Unit unit) {
            units.add(unit);
        }

        @Override
        public @Nullable Unit poll() {
            if (units.isEmpty()) {
                return null;
            }
            int last = units.size() - 1;
            int pick = random.nextInt(units.size());
            Unit unit = units.get(pick);
            units.set(pick, units.get(last));
            units.remove(last);
            return unit;
        }

        @Override
        public boolean isEmpty() {
            return units.isEmpty();
        }

        @Override
        public void clear() {
            units.clear();
        }

        @Override
        public void forEach(Consumer<Unit> action) {
            units.forEach(action);
        }
    }
}
