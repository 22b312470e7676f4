package io.trimtab.scheduler;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraintBuilder;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.PodInfo;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Measures how many pods a second are decided, without an API server: parse the pod, find a node, assume it. Run it by hand:
 * {@code java -cp ... io.trimtab.scheduler.ThroughputCheck}.
 */
public final class ThroughputCheck {
    private static final int WARM_UP = 2000;

    private ThroughputCheck() {}

    public static void main(String[] args) {
        try (Driver driver = RealDriver.create("throughput")) {
            Consumer<PodBuilder> plain =
                    TestCluster.asking("100m", "500Mi").andThen(TestCluster.labelled("app", "web"));
            run(driver, "warm-up", 100, WARM_UP, false, plain);
            run(driver, "plain", 100, 2000, false, plain);
            run(driver, "plain", 1000, 10_000, false, plain);
            run(driver, "plain", 5000, 10_000, false, plain);
            run(driver, "service (default spreading)", 1000, 10_000, true, plain);
            run(driver, "spread over zones", 1000, 10_000, false, plain.andThen(spread()));
            run(driver, "preferred anti-affinity", 1000, 5_000, false, plain.andThen(preferredAway()));
            run(driver, "required anti-affinity", 1000, 1_000, false, plain.andThen(requiredAway()));
        }
    }

    private static Consumer<PodBuilder> spread() {
        return pod -> pod.editSpec()
                .addToTopologySpreadConstraints(new TopologySpreadConstraintBuilder()
                        .withTopologyKey("topology.kubernetes.io/zone")
                        .withMaxSkew(5)
                        .withWhenUnsatisfiable("DoNotSchedule")
                        .withNewLabelSelector()
                        .addToMatchLabels("app", "web")
                        .endLabelSelector()
                        .build())
                .endSpec();
    }

    private static Consumer<PodBuilder> requiredAway() {
        return pod -> pod.editSpec()
                .withNewAffinity()
                .withNewPodAntiAffinity()
                .addNewRequiredDuringSchedulingIgnoredDuringExecution()
                .withTopologyKey("kubernetes.io/hostname")
                .withNewLabelSelector()
                .addToMatchLabels("app", "web")
                .endLabelSelector()
                .endRequiredDuringSchedulingIgnoredDuringExecution()
                .endPodAntiAffinity()
                .endAffinity()
                .endSpec();
    }

    private static Consumer<PodBuilder> preferredAway() {
        return pod -> pod.editSpec()
                .withNewAffinity()
                .withNewPodAntiAffinity()
                .addNewPreferredDuringSchedulingIgnoredDuringExecution()
                .withWeight(1)
                .withNewPodAffinityTerm()
                .withTopologyKey("kubernetes.io/hostname")
                .withNewLabelSelector()
                .addToMatchLabels("app", "web")
                .endLabelSelector()
                .endPodAffinityTerm()
                .endPreferredDuringSchedulingIgnoredDuringExecution()
                .endPodAntiAffinity()
                .endAffinity()
                .endSpec();
    }

    private static void run(
            Driver driver, String what, int nodes, int pods, boolean service, Consumer<PodBuilder> template) {
        TestCluster cluster = new TestCluster();
        for (int i = 0; i < nodes; i++) {
            cluster.zoned("node-" + i, "zone-" + i % 3);
        }
        if (service) {
            cluster.informers.add(new ServiceBuilder()
                    .withNewMetadata()
                    .withNamespace("default")
                    .withName("web")
                    .endMetadata()
                    .withNewSpec()
                    .addToSelector("app", "web")
                    .endSpec()
                    .build());
        }
        List<Pod> made = new ArrayList<>();
        for (int i = 0; i < pods; i++) {
            made.add(TestCluster.pod("pod-" + i, template));
        }
        long begin = driver.nanoTime();
        long cpuBegin = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        for (Pod pod : made) {
            PodInfo info = PodInfo.of(pod);
            NodeSearch.Outcome outcome = cluster.search().search(cluster.runner(), new CycleState(), info);
            if (outcome.node() == null) {
                throw new IllegalStateException(FitText.of(nodes, outcome.statuses(), outcome.preFilter(), ""));
            }
            cluster.cache.assume(info, outcome.node());
        }
        double seconds = (driver.nanoTime() - begin) / 1e9;
        double cpu = (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpuBegin) / 1e9;
        System.out.printf(
                "%-28s %5d nodes %6d pods %7.3f s, %7.3f s of CPU: %9.0f pods a second of CPU%n",
                what, nodes, pods, seconds, cpu, pods / cpu);
    }
}
