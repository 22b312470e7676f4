package io.trimtab.controllers.podautoscaler;

import static io.trimtab.junit.Workloads.deployment;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerBuilder;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerCondition;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The autoscaler in a whole cluster that has no metrics API, as a new cluster has not. */
@TrimtabCluster
class HorizontalPodAutoscalerTest {
    private static final Duration ONE_LOOK = Duration.ofSeconds(20);

    private static HorizontalPodAutoscaler autoscaler(Cluster cluster, String target, int least, int most) {
        return cluster.create(new HorizontalPodAutoscalerBuilder()
                .withNewMetadata()
                .withName("web")
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withNewScaleTargetRef("apps/v1", "Deployment", target)
                .withMinReplicas(least)
                .withMaxReplicas(most)
                .endSpec()
                .build());
    }

    private static HorizontalPodAutoscalerCondition condition(
            Cluster cluster, HorizontalPodAutoscaler of, String type) {
        return cluster.refresh(of).getStatus().getConditions().stream()
                .filter(c -> c.getType().equals(type))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void givenFewerReplicasThanTheLeast_whenItLooks_thenItScalesUpAndSaysSo(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 1));
        HorizontalPodAutoscaler autoscaler = autoscaler(cluster, "web", 3, 5);
        cluster.advance(ONE_LOOK);

        assertThat(cluster.refresh(web).getSpec().getReplicas()).isEqualTo(3);
        assertThat(cluster.refresh(autoscaler).getStatus().getDesiredReplicas()).isEqualTo(3);
        assertThat(condition(cluster, autoscaler, "AbleToScale").getReason()).isEqualTo("SucceededRescale");
        assertThat(cluster.events(autoscaler))
                .extracting(Event::getReason, Event::getMessage)
                .contains(tuple(
                        "SuccessfulRescale", "New size: 3; reason: Current number of replicas below Spec.MinReplicas"));
    }

    @Test
    void givenMoreReplicasThanTheMost_whenItLooks_thenItScalesDown(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 8));
        autoscaler(cluster, "web", 1, 5);
        cluster.advance(ONE_LOOK);

        assertThat(cluster.refresh(web).getSpec().getReplicas()).isEqualTo(5);
        assertThat(cluster.pods(web)).hasSize(5);
    }

    @Test
    void givenATargetScaledToZero_whenItLooks_thenItLeavesItAlone(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 0));
        HorizontalPodAutoscaler autoscaler = autoscaler(cluster, "web", 1, 5);
        cluster.advance(ONE_LOOK);

        assertThat(cluster.refresh(web).getSpec().getReplicas()).isZero();
        assertThat(condition(cluster, autoscaler, "ScalingActive"))
                .returns("False", HorizontalPodAutoscalerCondition::getStatus)
                .returns("ScalingDisabled", HorizontalPodAutoscalerCondition::getReason);
    }

    @Test
    void givenATargetThatIsNotThere_whenItLooks_thenTheConditionSaysSo(Cluster cluster) {
        HorizontalPodAutoscaler autoscaler = autoscaler(cluster, "gone", 1, 5);
        cluster.advance(ONE_LOOK);

        assertThat(condition(cluster, autoscaler, "AbleToScale").getMessage())
                .isEqualTo("the HPA controller was unable to get the target's current scale:"
                        + " deployments.apps \"gone\" not found");
    }

    @Test
    void givenNoMetrics_whenItLooks_thenNothingIsScaledAndItSaysWhichApiIsMissing(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 2));
        HorizontalPodAutoscaler autoscaler = autoscaler(cluster, "web", 1, 5);
        cluster.advance(ONE_LOOK);

        assertThat(cluster.refresh(web).getSpec().getReplicas()).isEqualTo(2);
        assertThat(condition(cluster, autoscaler, "ScalingActive").getMessage())
                .isEqualTo(
                        "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get"
                                + " metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could"
                                + " not find the requested resource (get pods.metrics.k8s.io)");
    }
}
