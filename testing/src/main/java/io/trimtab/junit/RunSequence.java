package io.trimtab.junit;

import io.trimtab.junit.fault.Fault;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides which runs a scenario makes, one after the other, by how the ones before went: a good run first; crashes, faults, other
 * orders after it. Stops at the first failure; if that was of a schedule, shrinks it first. For one thread.
 */
final class RunSequence {
    /** What is to be tried. */
    record Settings(long seed, boolean crashes, int crashesAtMost, Set<Fault> faults, int runs, int orders) {}

    /**
     * How a run went.
     *
     * @param failure null if it went well
     * @param end null if it failed before
     */
    record Result(
            Run run, @Nullable Throwable failure, @Nullable EndState end, int writes, int decisions, Schedule taken) {}

    private enum Phase {
        GOOD,
        CRASHES,
        FAULTS,
        ORDERS,
        SHRINK,
        LAST,
        OVER
    }

    private final Settings settings;
    private final @Nullable Run only;
    private Phase phase = Phase.GOOD;
    private @Nullable Result good;
    private @Nullable Result failed;
    private int next;
    private final Random random;

    /** Departures that are still to be tried without, and the schedule that fails with the fewest so far. */
    private Schedule shortest = Schedule.ORDINARY;

    private List<Schedule> candidates = new ArrayList<>();
    private int attempts;

    /** @param only the run to be repeated, after a good one; null to make all */
    RunSequence(Settings settings, @Nullable Run only) {
        this.settings = settings;
        this.only = only;
        this.random = new Random(settings.seed() ^ 0x6f7264657273L);
    }

    /** The run to make now; null if there is none any more. */
    @Nullable
    Run next() {
        while (true) {
            switch (phase) {
                case GOOD -> {
                    return only != null && only.isGood() ? only : Run.good(settings.seed());
                }
                case CRASHES -> {
                    int writes = good == null ? 0 : Math.min(good.writes(), settings.crashesAtMost());
                    if (settings.crashes() && next < 2 * writes) {
                        CrashPoint crash = new CrashPoint(next / 2 + 1, next % 2 == 1);
                        return new Run(settings.seed(), Set.of(), crash, null);
                    }
                    begin(Phase.FAULTS);
                }
                case FAULTS -> {
                    if (!settings.faults().isEmpty() && next < settings.runs()) {
                        return faulty(seedOf(settings.seed(), next), settings.faults());
                    }
                    begin(Phase.ORDERS);
                }
                case ORDERS -> {
                    if (next < settings.orders()) {
                        return new Run(settings.seed(), Set.of(), null, draw());
                    }
                    begin(Phase.OVER);
                }
                case SHRINK -> {
                    if (next < candidates.size() && attempts < 60) {
                        return new Run(settings.seed(), Set.of(), null, candidates.get(next));
                    }
                    begin(Phase.LAST);
                }
                case LAST -> {
                    return only != null ? only : new Run(settings.seed(), Set.of(), null, shortest);
                }
                case OVER -> {
                    return null;
                }
            }
        }
    }

    static long seedOf(long seed, int index) {
        return (Cluster.mix(seed + 0x9E37L * (index + 1)) >>> 16) % 1_000_000_000L;
    }

    /** The run of a seed among these faults: up to three kinds at once, as the seed has it. */
    static Run faulty(long seed, Set<Fault> among) {
        List<Fault> all = new ArrayList<>(EnumSet.copyOf(among));
        if (all.size() > 2) {
            Random pick = new Random(seed);
            Collections.shuffle(all, pick);
            all = all.subList(0, 1 + pick.nextInt(3));
        }
        return new Run(seed, Set.copyOf(all), null, null);
    }

    /** First single departures, spread over the run; then two and three at a time. */
    private Schedule draw() {
        int decisions = Math.max(1, good == null ? 1 : good.decisions());
        Schedule schedule = Schedule.ORDINARY;
        int departures = next < settings.orders() / 2 ? 1 : 2 + next % 2;
        for (int i = 0; i < departures; i++) {
            schedule = schedule.with(1 + random.nextInt(decisions), 1 + random.nextInt(Orders.CHOICES - 1));
        }
        return schedule;
    }

    private void begin(Phase to) {
        phase = to;
        next = 0;
    }

    /** Whether a failure of the run that was handed out last is one to be told; if not, a shorter one is looked for. */
    boolean tellsFailures() {
        return phase != Phase.ORDERS && phase != Phase.SHRINK;
    }

    /** What the run's end state is compared with; null for nothing. */
    @Nullable
    EndState expected() {
        return good == null ? null : good.end();
    }

    void done(Result result) {
        boolean bad = result.failure() != null;
        switch (phase) {
            case GOOD -> {
                good = result;
                if (bad) {
                    failed = result;
                    begin(Phase.OVER);
                } else if (only == null) {
                    begin(Phase.CRASHES);
                } else {
                    begin(only.isGood() ? Phase.OVER : Phase.LAST);
                }
            }
            case CRASHES, FAULTS -> {
                next++;
                if (bad) {
                    failed = result;
                    begin(Phase.OVER);
                }
            }
            case ORDERS -> {
                next++;
                if (bad) {
                    failed = result;
                    shrinkFrom(result.taken());
                }
            }
            case SHRINK -> {
                attempts++;
                next++;
                if (bad && result.taken().size() <= shortest.size()) {
                    failed = result;
                    shrinkFrom(result.taken());
                }
            }
            case LAST -> {
                failed = bad ? result : failed;
                begin(Phase.OVER);
            }
            case OVER -> throw new IllegalStateException("no run was asked for");
        }
    }

    private void shrinkFrom(Schedule schedule) {
        shortest = schedule;
        candidates = new ArrayList<>();
        if (schedule.size() > 1) {
            schedule.departures().keySet().stream().sorted().forEach(d -> candidates.add(schedule.with(d, 0)));
        }
        schedule.departures().forEach((decision, choice) -> {
            if (choice > 1) {
                candidates.add(schedule.with(decision, 1));
            }
        });
        begin(Phase.SHRINK);
    }

    /** The failure to tell; null if all went well. */
    @Nullable
    Result failed() {
        return failed;
    }
}
