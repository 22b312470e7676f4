package io.trimtab.controllers.podautoscaler;

import static io.trimtab.junit.Workloads.deployment;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ClusterOptions;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The autoscaler in a cluster whose simulated nodes measure what their pods' annotations say. */
class AutoscalingByMetricsTest {
    private static Cluster start() {
        Cluster cluster = Cluster.start(ClusterOptions.IN_MEMORY.withMetrics(true), VirtualDriver.Options.DEFAULT);
        cluster.settle().advance(Duration.ofMinutes(1));
        return cluster;
    }

    private static Deployment using(String cpu, int replicas) {
        Deployment web = deployment("web", replicas);
        web.getSpec().getTemplate().getMetadata().setAnnotations(Map.of("simulation.trimtab.io/cpu", cpu));
        web.getSpec()
                .getTemplate()
                .getSpec()
                .getContainers()
                .get(0)
                .setResources(new io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder()
                        .addToRequests("cpu", new Quantity("100m"))
                        .build());
        return web;
    }

    private static HorizontalPodAutoscaler halfOfTheRequest(Cluster cluster) {
        return cluster.create(new HorizontalPodAutoscalerBuilder()
                .withNewMetadata()
                .withName("web")
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withNewScaleTargetRef("apps/v1", "Deployment", "web")
                .withMinReplicas(1)
                .withMaxReplicas(4)
                .addNewMetric()
                .withType("Resource")
                .withNewResource()
                .withName("cpu")
                .withNewTarget()
                .withType("Utilization")
                .withAverageUtilization(50)
                .endTarget()
                .endResource()
                .endMetric()
                .endSpec()
                .build());
    }

    @Test
    void givenPodsThatUseTwiceTheTarget_whenMinutesPass_thenTheyDoubleAndItSaysWhy() {
        try (Cluster cluster = start()) {
            Deployment web = cluster.create(using("100m", 2));
            HorizontalPodAutoscaler autoscaler = halfOfTheRequest(cluster);
            // What a pod uses counts once it was ready for as long as it is measured.
            cluster.settle().advance(Duration.ofSeconds(50));

            assertThat(cluster.refresh(web).getSpec().getReplicas()).isEqualTo(4);
            assertThat(cluster.events(autoscaler))
                    .extracting(Event::getMessage)
                    .contains("New size: 4; reason: cpu resource utilization (percentage of request) above target");
            assertThat(cluster.refresh(autoscaler)
                            .getStatus()
                            .getCurrentMetrics()
                            .get(0)
                            .getResource()
                            .getCurrent()
                            .getAverageUtilization())
                    .isEqualTo(100);
        }
    }

    @Test
    void givenPodsThatAreIdle_whenTheWindowHasPassed_thenOneIsLeft() {
        try (Cluster cluster = start()) {
            Deployment web = cluster.create(using("10m", 4));
            halfOfTheRequest(cluster);
            cluster.settle().advance(Duration.ofMinutes(4));
            assertThat(cluster.refresh(web).getSpec().getReplicas()).isEqualTo(4);

            cluster.advance(Duration.ofMinutes(8));
            assertThat(cluster.refresh(web).getSpec().getReplicas()).isLessThanOrEqualTo(2);
        }
    }

    @Test
    void givenTheMetricsApi_whenItIsAsked_thenItAnswersAsMetricsServerDoes() {
        try (Cluster cluster = start()) {
            cluster.create(using("250m", 1));
            cluster.settle().advance(Duration.ofSeconds(10));
            String pods = new String(
                    cluster.api().raw("GET", "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods", null),
                    StandardCharsets.UTF_8);
            assertThat(pods)
                    .contains("\"kind\":\"PodMetricsList\"", "\"cpu\":\"250000000n\"", "\"memory\":\"16384Ki\"");
            String groups = new String(cluster.api().raw("GET", "/apis", null), StandardCharsets.UTF_8);
            assertThat(groups).contains("metrics.k8s.io/v1beta1");
        }
    }
}
