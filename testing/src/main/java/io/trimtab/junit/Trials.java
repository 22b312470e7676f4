package io.trimtab.junit;

import io.trimtab.junit.fault.Fault;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ClusterOptions;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Runs a scenario many times: as it is, with a crash at every write, with faults, in other orders; each time on a cluster of its own,
 * judged by the {@link Oracle}s and by the end state of the good run. What the annotations do for a test method, for programs that
 * search. Immutable.
 *
 * <pre>{@code
 * Trials.small().crashAtEveryWrite().faults(Fault.STALE_READS).check(cluster -> {
 *     cluster.run(MyController::controller).apply(web).settle();
 * });
 * }</pre>
 *
 * @since 0.1
 */
public final class Trials {
    /** What is done with each cluster. It must not keep anything from one run to the next. */
    @FunctionalInterface
    public interface Scenario {
        void play(Cluster cluster) throws Exception;
    }

    /**
     * The first run that failed.
     *
     * @param run its seed, and what went wrong in it
     * @param oracle whose claim did not hold; empty if the scenario's own assertions failed
     * @param crash where the program died, such as {@code after 3}; empty for nowhere
     * @param schedule in which order steps ran; empty for the ordinary one
     * @param replay how to have it again, as flags of Maven or Java
     */
    public record Failure(
            String run,
            long seed,
            String crash,
            String schedule,
            Optional<Oracle> oracle,
            Throwable cause,
            String replay) {}

    private final ClusterOptions options;
    private final RunSequence.Settings settings;
    private final Set<Oracle> without;
    private final @Nullable Run only;

    private Trials(ClusterOptions options, RunSequence.Settings settings, Set<Oracle> without, @Nullable Run only) {
        this.options = options;
        this.settings = settings;
        this.without = without;
        this.only = only;
    }

    /** On clusters of this kind; the good run only, until more is said. */
    public static Trials on(ClusterOptions options) {
        return new Trials(options, new RunSequence.Settings(1, false, 0, Set.of(), 0, 0), Set.of(), null);
    }

    /** On clusters without nodes and with two controllers only, garbage collection and namespaces: the quickest. */
    public static Trials small() {
        return on(ClusterOptions.IN_MEMORY
                .withNodes(List.of())
                .withScheduler(false)
                .withSimulation(Cluster.INSTANT)
                .withControllers(List.of("garbage-collector-controller", "namespace-controller")));
    }

    private Trials with(RunSequence.Settings changed) {
        return new Trials(options, changed, without, only);
    }

    /** From which all other seeds are drawn; 1 unless said. */
    public Trials seed(long seed) {
        return with(new RunSequence.Settings(
                seed,
                settings.crashes(),
                settings.crashesAtMost(),
                settings.faults(),
                settings.runs(),
                settings.orders()));
    }

    /** How many runs with faults there are; 30 unless said. */
    public Trials runs(int count) {
        return with(new RunSequence.Settings(
                settings.seed(),
                settings.crashes(),
                settings.crashesAtMost(),
                settings.faults(),
                count,
                settings.orders()));
    }

    /** Makes runs with these faults, up to three kinds at a time; with all kinds if none is named. */
    public Trials faults(Fault... kinds) {
        Set<Fault> faults = kinds.length == 0 ? EnumSet.allOf(Fault.class) : EnumSet.copyOf(List.of(kinds));
        return with(new RunSequence.Settings(
                settings.seed(),
                settings.crashes(),
                settings.crashesAtMost(),
                faults,
                settings.runs() == 0 ? 30 : settings.runs(),
                settings.orders()));
    }

    /** Lets programs die before and after each write of the good run. */
    public Trials crashAtEveryWrite() {
        return with(new RunSequence.Settings(
                settings.seed(), true, 100, settings.faults(), settings.runs(), settings.orders()));
    }

    /** Tries so many other orders of steps. */
    public Trials interleavings(int orders) {
        return with(new RunSequence.Settings(
                settings.seed(),
                settings.crashes(),
                settings.crashesAtMost(),
                settings.faults(),
                settings.runs(),
                orders));
    }

    /** Does without these oracles. */
    public Trials without(Oracle... oracles) {
        return new Trials(options, settings, Set.of(oracles), only);
    }

    /** Only the run of this seed, after the good one. */
    public Trials replay(long seed) {
        return new Trials(options, settings, without, RunSequence.faulty(seed, settings.faults()));
    }

    /** Only the run that failed, after the good one. */
    public Trials replay(Failure failure) {
        if (failure.crash().isEmpty() && failure.schedule().isEmpty()) {
            return failure.seed() == settings.seed()
                    ? new Trials(options, settings, without, Run.good(failure.seed()))
                    : replay(failure.seed());
        }
        return new Trials(
                options,
                settings,
                without,
                new Run(
                        failure.seed(),
                        Set.of(),
                        CrashPoint.parse(failure.crash()),
                        failure.schedule().isEmpty() ? null : Schedule.parse(failure.schedule())));
    }

    /** The first failure; empty if there is none. */
    public Optional<Failure> find(Scenario scenario) {
        RunSequence sequence = new RunSequence(settings, only);
        for (Run run = sequence.next(); run != null; run = sequence.next()) {
            sequence.done(play(run, scenario, sequence.expected()));
        }
        RunSequence.Result failed = sequence.failed();
        Throwable cause = failed == null ? null : failed.failure();
        return failed == null || cause == null
                ? Optional.empty()
                : Optional.of(new Failure(
                        failed.run().describe(),
                        failed.run().seed(),
                        failed.run().crash() == null ? "" : failed.run().crash().toString(),
                        failed.run().schedule() == null
                                ? ""
                                : failed.run().schedule().toString(),
                        cause instanceof OracleViolation violation ? Optional.of(violation.oracle()) : Optional.empty(),
                        cause,
                        failed.run().replay()));
    }

    /** Fails as the first run that fails does. */
    public void check(Scenario scenario) {
        find(scenario).ifPresent(failure -> {
            throw new AssertionError(
                    "run failed (" + failure.run() + "): " + failure.cause().getMessage(), failure.cause());
        });
    }

    /** All runs' histories of one seed are equal: what the run of this seed looks like. For tests of replay. */
    String history(Scenario scenario, long seed) {
        Run run = settings.faults().isEmpty() ? Run.good(seed) : RunSequence.faulty(seed, settings.faults());
        try (Cluster cluster = start(run)) {
            scenario.play(cluster);
            cluster.settle();
            return cluster.history().toString();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private Cluster start(Run run) {
        return Cluster.start(options, VirtualDriver.Options.DEFAULT.withSeed(run.seed()), run, without);
    }

    private RunSequence.Result play(Run run, Scenario scenario, @Nullable EndState expected) {
        Cluster cluster = start(run);
        Throwable failure = null;
        EndState end = null;
        int writes = 0;
        try {
            scenario.play(cluster);
            cluster.settle();
            writes = cluster.faults().writes();
            end = cluster.judge();
            compare(cluster, end, expected);
        } catch (Exception | AssertionError e) {
            failure = e;
            cluster.failed();
        }
        int decisions = cluster.decisions();
        Schedule taken = cluster.taken();
        cluster.close();
        return new RunSequence.Result(run, failure, end, writes, decisions, taken);
    }

    /** @throws OracleViolation if the end state is another than in the good run */
    static void compare(Cluster cluster, EndState end, @Nullable EndState expected) {
        if (expected == null || !cluster.mayJudge(Oracle.SAME_END_STATE)) {
            return;
        }
        String differences = end.differencesTo(expected);
        if (!differences.isEmpty()) {
            throw cluster.oracles()
                    .unequal("expected the run to end as the good one did ("
                            + cluster.thisRun().describe() + "), but:" + differences);
        }
    }
}
