package io.trimtab.junit;

import io.fabric8.kubernetes.client.CustomResource;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives each test a cluster of its own, in this JVM and in virtual time: API server, controllers, scheduler, simulated nodes. On
 * a method it counts for that test, instead of what its class says. Tests, and methods before and after them, may have
 * parameters of the types {@link Cluster}, {@link io.fabric8.kubernetes.client.KubernetesClient},
 * {@link io.trimtab.client.Client}, {@link io.trimtab.runtime.VirtualDriver}, {@link io.fabric8.kubernetes.client.Config} (how to reach
 * it from outside), and {@link java.nio.file.Path} (a kubeconfig file).
 *
 * <p>The system property {@code trimtab.seed} overrides {@link #seed}: to replay a failure, or to look for one.
 *
 * @since 0.1
 */
@Documented
@Inherited
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(TrimtabExtension.class)
public @interface TrimtabCluster {

    /** How many simulated nodes there are: {@code node-1} and so on. */
    int nodes() default 3;

    /** Which controllers run, as kube-controller-manager's flag has it: {@code *,-garbage-collector-controller}. Empty for none. */
    String controllers() default "*";

    /** Whether pods are given to nodes. */
    boolean scheduler() default true;

    /** Decides everything that is random: the same seed gives the same run. */
    long seed() default 1;

    /** Whether steps that are due at the same moment run in random order, rather than first in, first out. */
    boolean shuffle() default false;

    /**
     * Whether images take time to be pulled, and containers to start and to stop. If not, all of that happens within the moment,
     * so that {@link Cluster#settle} alone brings pods up.
     */
    boolean delays() default false;

    /** Whether {@link Cluster#assertSound} is called after each test. */
    boolean checked() default true;

    /** What the cluster is; the system property {@code trimtab.backend} overrides it. */
    Backend backend() default Backend.VIRTUAL;

    /**
     * Custom resources that the cluster serves, by their classes. Needs {@code io.fabric8:crd-generator-api-v2} on the class path
     * of the tests.
     */
    Class<? extends CustomResource<?, ?>>[] crds() default {};

    /** YAML files that are applied before each test, definitions of custom resources first: on the class path, or in the project. */
    String[] apply() default {};

    /** What need not hold of the test's programs. */
    Oracle[] without() default {};
}
