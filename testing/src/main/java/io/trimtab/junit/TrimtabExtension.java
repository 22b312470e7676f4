package io.trimtab.junit;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.trimtab.client.Client;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ClusterOptions;
import java.lang.reflect.AnnotatedElement;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.platform.commons.support.AnnotationSupport;
import org.opentest4j.TestAbortedException;

/** What {@link TrimtabCluster} does. Stateless: clusters live in JUnit's store of each test. */
public final class TrimtabExtension
        implements BeforeEachCallback, AfterEachCallback, ParameterResolver, TestExecutionExceptionHandler {
    static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(TrimtabExtension.class);
    static final String SEED = "trimtab.seed";
    static final String CRASH = "trimtab.crash";
    static final String SCHEDULE = "trimtab.schedule";

    @Override
    public void beforeEach(ExtensionContext context) {
        TrimtabCluster wanted = annotation(context);
        ClusterOptions options = ClusterOptions.IN_MEMORY
                .withNodes(Cluster.nodeNames(wanted.nodes()))
                .withPodCidr(Cluster.podCidr(wanted.nodes()), 24)
                .withControllers(Cluster.selection(wanted.controllers()))
                .withScheduler(wanted.scheduler());
        if (!wanted.delays()) {
            options = options.withSimulation(Cluster.INSTANT);
        }
        Backend backend = backend(wanted);
        if (backend != Backend.VIRTUAL) {
            if (sequence(context) != null && !run(context).isGood()) {
                throw new TestAbortedException(
                        "faults and other orders are for the virtual backend, this is " + backend);
            }
            Cluster real = Cluster.on(RealGround.start(backend, options));
            context.getStore(NAMESPACE).put(Cluster.class, real);
            prepare(real, wanted);
            return;
        }
        Run run = run(context);
        context.publishReportEntry(SEED, Long.toString(run.seed()));
        VirtualDriver.Options driver =
                VirtualDriver.Options.DEFAULT.withSeed(run.seed()).withShuffle(wanted.shuffle());
        Cluster cluster = Cluster.start(options, driver, run, Set.of(wanted.without()));
        context.getStore(NAMESPACE).put(Cluster.class, cluster);
        prepare(cluster, wanted);
    }

    private static Backend backend(TrimtabCluster wanted) {
        String name = System.getProperty("trimtab.backend", "");
        return name.isBlank() ? wanted.backend() : Backend.valueOf(name.toUpperCase(Locale.ROOT));
    }

    private static void prepare(Cluster cluster, TrimtabCluster wanted) {
        if (wanted.crds().length > 0) {
            cluster.define(wanted.crds());
        }
        for (String file : wanted.apply()) {
            cluster.applyFile(file);
        }
    }

    /** The run that the test is in: one of a sequence, or the only one. */
    private static Run run(ExtensionContext context) {
        Run run = context.getStore(NAMESPACE).get(Run.class, Run.class);
        if (run != null) {
            return run;
        }
        Seed seed = FaultRuns.seedOf(context);
        String crash = System.getProperty(CRASH, seed == null ? "" : seed.crash());
        String schedule = System.getProperty(SCHEDULE, seed == null ? "" : seed.schedule());
        return new Run(
                seed(context), Set.of(), CrashPoint.parse(crash), schedule.isBlank() ? null : Schedule.parse(schedule));
    }

    static long seed(ExtensionContext context) {
        Seed seed = FaultRuns.seedOf(context);
        return Long.getLong(
                SEED, seed != null ? seed.value() : annotation(context).seed());
    }

    private static TrimtabCluster annotation(ExtensionContext context) {
        for (ExtensionContext at = context; at != null; at = at.getParent().orElse(null)) {
            Optional<AnnotatedElement> element = at.getElement();
            Optional<TrimtabCluster> found = AnnotationSupport.findAnnotation(element, TrimtabCluster.class);
            if (found.isPresent()) {
                return found.get();
            }
        }
        throw new IllegalStateException("expected @TrimtabCluster on " + context.getDisplayName() + " or its class");
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        Cluster cluster = context.getStore(NAMESPACE).get(Cluster.class, Cluster.class);
        if (cluster == null || failure instanceof TestAbortedException) {
            throw failure;
        }
        cluster.failed();
        if (isSearching(context)) {
            done(context, cluster, failure, null);
            throw new TestAbortedException("fails, a shorter schedule is looked for: " + failure.getMessage(), failure);
        }
        failure.addSuppressed(new ClusterState(cluster, cluster.aftermath(context, failure)));
        done(context, cluster, failure, null);
        throw failure;
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        Cluster cluster = context.getStore(NAMESPACE).remove(Cluster.class, Cluster.class);
        if (cluster == null) {
            return; // it did not start
        }
        try (cluster) {
            if (context.getExecutionException().isPresent()) {
                return; // told already
            }
            EndState end = null;
            try {
                if (annotation(context).checked()) {
                    RunSequence sequence = sequence(context);
                    cluster.settle();
                    int writes = cluster.faults().writes();
                    end = cluster.judge();
                    if (sequence != null) {
                        Trials.compare(cluster, end, sequence.expected());
                        sequence.done(new RunSequence.Result(
                                cluster.thisRun(), null, end, writes, cluster.decisions(), cluster.taken()));
                    }
                } else {
                    done(context, cluster, null, null);
                }
            } catch (RuntimeException | AssertionError failure) {
                cluster.failed();
                if (isSearching(context)) {
                    done(context, cluster, failure, end);
                    throw new TestAbortedException(
                            "fails, a shorter schedule is looked for: " + failure.getMessage(), failure);
                }
                failure.addSuppressed(new ClusterState(cluster, cluster.aftermath(context, failure)));
                done(context, cluster, failure, end);
                throw failure;
            }
        }
    }

    private static @Nullable RunSequence sequence(ExtensionContext context) {
        return context.getStore(NAMESPACE).get(RunSequence.class, RunSequence.class);
    }

    private static boolean isSearching(ExtensionContext context) {
        RunSequence sequence = sequence(context);
        return sequence != null && !sequence.tellsFailures();
    }

    private static void done(
            ExtensionContext context, Cluster cluster, @Nullable Throwable failure, @Nullable EndState end) {
        RunSequence sequence = sequence(context);
        if (sequence != null) {
            sequence.done(new RunSequence.Result(
                    cluster.thisRun(), failure, end, cluster.faults().writes(), cluster.decisions(), cluster.taken()));
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        return type == Cluster.class
                || type == KubernetesClient.class
                || type == Client.class
                || type == VirtualDriver.class
                || type == Config.class
                || type == Path.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Cluster cluster = context.getStore(NAMESPACE).get(Cluster.class, Cluster.class);
        if (cluster == null) {
            throw new ParameterResolutionException("a cluster lives as long as one test: there is none for "
                    + parameter.getDeclaringExecutable() + "; ask for it in the test or in @BeforeEach");
        }
        Class<?> type = parameter.getParameter().getType();
        if (type == KubernetesClient.class) {
            return cluster.client();
        }
        if (type == Client.class) {
            return cluster.api();
        }
        if (type == Config.class) {
            return Config.fromKubeconfig(cluster.kubeconfig());
        }
        if (type == Path.class) {
            return cluster.kubeconfigFile();
        }
        return type == VirtualDriver.class ? cluster.driver() : cluster;
    }

    /** Tells, beside a test's failure, how its cluster was at that moment. Not thrown. */
    private static final class ClusterState extends Exception {
        private static final long serialVersionUID = 1;

        ClusterState(Cluster cluster, String aftermath) {
            super(cluster.describe() + aftermath, null, false, false);
        }

        @Override
        public String toString() {
            return String.valueOf(getMessage());
        }
    }
}
