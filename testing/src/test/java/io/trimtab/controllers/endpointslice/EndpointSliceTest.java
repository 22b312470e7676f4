package io.trimtab.controllers.endpointslice;

import static io.trimtab.junit.Workloads.pod;
import static io.trimtab.junit.Workloads.replicaSet;
import static io.trimtab.junit.Workloads.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.junit.Workloads;
import io.trimtab.node.simulated.Simulation;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** EndpointSlices in a whole cluster: made from pods, and mirrored from Endpoints. */
@TrimtabCluster
class EndpointSliceTest {
    private static List<EndpointSlice> slices(Cluster cluster) {
        return cluster.list(EndpointSlice.class, "default").stream()
                .filter(s -> "web".equals(s.getMetadata().getLabels().get("kubernetes.io/service-name")))
                .toList();
    }

    private static List<Endpoint> endpoints(Cluster cluster) {
        return slices(cluster).stream().flatMap(s -> s.getEndpoints().stream()).toList();
    }

    private static Pod slowToEnd(String name) {
        return new PodBuilder(pod(name))
                .editMetadata()
                .withLabels(Workloads.labels("web"))
                .endMetadata()
                .editSpec()
                .withTerminationGracePeriodSeconds(60L)
                .editContainer(0)
                .withNewLifecycle()
                .withNewPreStop()
                .withNewSleep(30L)
                .endPreStop()
                .endLifecycle()
                .endContainer()
                .endSpec()
                .build();
    }

    @Test
    void givenAServiceWithPods_whenTheyAreReady_thenTheyAreEndpoints(Cluster cluster) {
        Service service = cluster.create(service("web"));
        cluster.apply(replicaSet("web", 2)).advance(Duration.ofSeconds(5));

        assertThat(slices(cluster)).singleElement().satisfies(slice -> {
            assertThat(slice.getMetadata().getGenerateName()).isEqualTo("web-");
            assertThat(slice.getMetadata().getLabels())
                    .containsEntry("endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io");
            assertThat(slice.getAddressType()).isEqualTo("IPv4");
            assertThat(slice.getMetadata().getOwnerReferences())
                    .singleElement()
                    .satisfies(o -> assertThat(o.getUid())
                            .isEqualTo(service.getMetadata().getUid()));
        });
        assertThat(endpoints(cluster)).hasSize(2).allSatisfy(e -> {
            assertThat(e.getConditions().getReady()).isTrue();
            assertThat(e.getConditions().getServing()).isTrue();
            assertThat(e.getConditions().getTerminating()).isFalse();
            assertThat(e.getNodeName()).startsWith("node-");
            assertThat(e.getTargetRef().getKind()).isEqualTo("Pod");
        });
    }

    @Test
    void givenAPodThatIsNotReady_whenTheServiceLooks_thenItIsAnEndpointThatIsNot(Cluster cluster) {
        cluster.create(service("web"));
        Pod pod = new PodBuilder(slowToEnd("web-1"))
                .editMetadata()
                .addToAnnotations(Simulation.READY_AFTER, "never")
                .endMetadata()
                .build();
        cluster.create(pod);
        cluster.advance(Duration.ofSeconds(5));

        assertThat(endpoints(cluster)).singleElement().satisfies(e -> {
            assertThat(e.getConditions().getReady()).isFalse();
            assertThat(e.getConditions().getServing()).isFalse();
        });
    }

    @Test
    void givenPublishNotReadyAddresses_whenAPodIsNotReady_thenItIsShownAsReady(Cluster cluster) {
        Service service = service("web");
        service.getSpec().setPublishNotReadyAddresses(true);
        cluster.create(service);
        Pod pod = new PodBuilder(slowToEnd("web-1"))
                .editMetadata()
                .addToAnnotations(Simulation.READY_AFTER, "never")
                .endMetadata()
                .build();
        cluster.create(pod);
        cluster.advance(Duration.ofSeconds(5));

        assertThat(endpoints(cluster))
                .singleElement()
                .satisfies(e -> assertThat(e.getConditions().getReady()).isTrue());
    }

    @Test
    void givenAPodThatIsDeleted_whenItTakesLongToEnd_thenItIsATerminatingEndpointAndThenNone(Cluster cluster) {
        cluster.create(service("web"));
        Pod pod = cluster.create(slowToEnd("web-1"));
        cluster.advance(Duration.ofSeconds(5));

        cluster.delete(pod).advance(Duration.ofSeconds(5));
        assertThat(endpoints(cluster)).singleElement().satisfies(e -> {
            assertThat(e.getConditions().getTerminating()).isTrue();
            assertThat(e.getConditions().getReady()).isFalse();
        });

        cluster.advance(Duration.ofSeconds(60));
        assertThat(cluster.exists(pod)).isFalse();
        assertThat(endpoints(cluster)).isEmpty();
    }

    @Test
    void givenMoreThanAHundredPods_whenTheyAreEndpoints_thenSlicesHoldAtMostAHundred(Cluster cluster) {
        cluster.create(service("web"));
        cluster.apply(replicaSet("web", 150)).advance(Duration.ofSeconds(10));

        assertThat(endpoints(cluster)).hasSize(150);
        assertThat(slices(cluster))
                .hasSize(2)
                .allSatisfy(s -> assertThat(s.getEndpoints()).hasSizeLessThanOrEqualTo(100));
    }

    @Test
    void givenANamedPort_whenPodsNameItDifferently_thenEachKindHasItsSlice(Cluster cluster) {
        Service service = new ServiceBuilder(service("web"))
                .editSpec()
                .editPort(0)
                .withNewTargetPort("http")
                .endPort()
                .endSpec()
                .build();
        cluster.create(service);
        for (int port : new int[] {8080, 9090}) {
            cluster.create(new PodBuilder(slowToEnd("web-" + port))
                    .editSpec()
                    .editContainer(0)
                    .addNewPort()
                    .withName("http")
                    .withContainerPort(port)
                    .endPort()
                    .endContainer()
                    .endSpec()
                    .build());
        }
        cluster.advance(Duration.ofSeconds(5));

        assertThat(slices(cluster))
                .extracting(s -> s.getPorts().get(0).getPort())
                .containsExactlyInAnyOrder(8080, 9090);
    }

    @Test
    void givenAServiceThatIsDeleted_whenTheCollectorHasRun_thenItsSlicesAreGone(Cluster cluster) {
        Service service = cluster.create(service("web"));
        cluster.apply(replicaSet("web", 1)).advance(Duration.ofSeconds(5));
        assertThat(slices(cluster)).hasSize(1);

        cluster.delete(service).advance(Duration.ofSeconds(10));

        assertThat(slices(cluster)).isEmpty();
    }

    @Test
    void givenEndpointsOfAServiceWithoutSelector_whenTheyChange_thenAMirrorFollows(Cluster cluster) {
        Service service = service("web");
        service.getSpec().setSelector(Map.of());
        cluster.create(service);
        var endpoints = cluster.create(new EndpointsBuilder()
                .withNewMetadata()
                .withName("web")
                .withNamespace("default")
                .endMetadata()
                .addNewSubset()
                .addNewAddress()
                .withIp("10.1.2.3")
                .endAddress()
                .addNewPort()
                .withName("http")
                .withPort(80)
                .endPort()
                .endSubset()
                .build());
        cluster.advance(Duration.ofSeconds(5));
        assertThat(slices(cluster)).singleElement().satisfies(slice -> {
            assertThat(slice.getMetadata().getLabels())
                    .containsEntry(
                            "endpointslice.kubernetes.io/managed-by", "endpointslicemirroring-controller.k8s.io");
            assertThat(slice.getEndpoints().get(0).getAddresses()).containsExactly("10.1.2.3");
        });

        cluster.edit(endpoints, e -> e.getSubsets().get(0).getAddresses().get(0).setIp("10.2.3.4"));
        cluster.advance(Duration.ofSeconds(5));
        assertThat(endpoints(cluster)).extracting(e -> e.getAddresses().get(0)).containsExactly("10.2.3.4");

        cluster.delete(endpoints).advance(Duration.ofSeconds(5));
        assertThat(slices(cluster)).isEmpty();
    }
}
