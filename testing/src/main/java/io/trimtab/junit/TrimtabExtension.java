package io.trimtab.junit;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ClusterOptions;
import java.lang.reflect.AnnotatedElement;
import java.util.Optional;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.platform.commons.support.AnnotationSupport;

/** What {@link TrimtabCluster} does. Stateless: clusters live in JUnit's store of each test. */
public final class TrimtabExtension
        implements BeforeEachCallback, AfterEachCallback, ParameterResolver, TestExecutionExceptionHandler {
    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(TrimtabExtension.class);
    private static final String SEED = "trimtab.seed";

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
        VirtualDriver.Options driver = VirtualDriver.Options.DEFAULT
                .withSeed(Long.getLong(SEED, wanted.seed()))
                .withShuffle(wanted.shuffle());
        context.getStore(NAMESPACE).put(Cluster.class, Cluster.start(options, driver));
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
        if (cluster != null) {
            cluster.failed();
            failure.addSuppressed(new ClusterState(cluster));
        }
        throw failure;
    }

    @Override
    public void afterEach(ExtensionContext context) {
        Cluster cluster = context.getStore(NAMESPACE).remove(Cluster.class, Cluster.class);
        if (cluster == null) {
            return; // it did not start
        }
        try (cluster) {
            if (annotation(context).checked() && context.getExecutionException().isEmpty()) {
                cluster.assertSound();
            }
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        return type == Cluster.class || type == KubernetesClient.class || type == VirtualDriver.class;
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
        return type == VirtualDriver.class ? cluster.driver() : cluster;
    }

    /** Tells, beside a test's failure, how its cluster was at that moment. Not thrown. */
    private static final class ClusterState extends Exception {
        private static final long serialVersionUID = 1;

        ClusterState(Cluster cluster) {
            super(cluster.describe(), null, false, false);
        }

        @Override
        public String toString() {
            return String.valueOf(getMessage());
        }
    }
}
