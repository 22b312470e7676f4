package io.trimtab.controllers.endpoints;

import static io.trimtab.junit.Workloads.labels;
import static io.trimtab.junit.Workloads.pod;
import static io.trimtab.junit.Workloads.replicaSet;
import static io.trimtab.junit.Workloads.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.node.simulated.Simulation;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Endpoints in a whole cluster: what Kubernetes' integration tests ask of them, EP-1 to EP-14 of the checklist. */
@TrimtabCluster
class EndpointsTest {
    private static final String CAPACITY = "endpoints.kubernetes.io/over-capacity";

    private static Endpoints endpoints(Cluster cluster) {
        return cluster.get(Endpoints.class, "web").orElseThrow();
    }

    private static List<String> ready(Cluster cluster) {
        return endpoints(cluster).getSubsets().stream()
                .flatMap(s -> s.getAddresses().stream())
                .map(EndpointAddress::getIp)
                .toList();
    }

    private static List<String> notReady(Cluster cluster) {
        return endpoints(cluster).getSubsets().stream()
                .flatMap(s -> s.getNotReadyAddresses().stream())
                .map(EndpointAddress::getIp)
                .toList();
    }

    private static String[] addresses(List<Pod> pods) {
        return pods.stream().map(p -> p.getStatus().getPodIP()).toArray(String[]::new);
    }

    @Test
    void givenAService_whenItsPodsAreReady_thenTheirAddressesAreListed(Cluster cluster) {
        cluster.apply(service("web"), replicaSet("web", 3)).settle();

        assertThat(ready(cluster)).containsExactlyInAnyOrder(addresses(cluster.pods("web")));
        assertThat(endpoints(cluster).getSubsets())
                .singleElement()
                .satisfies(subset -> assertThat(subset.getPorts())
                        .singleElement()
                        .satisfies(port -> {
                            assertThat(port.getPort()).isEqualTo(8080);
                            assertThat(port.getProtocol()).isEqualTo("TCP");
                        }));
        assertThat(endpoints(cluster).getSubsets().get(0).getAddresses()).allSatisfy(address -> {
            assertThat(address.getNodeName()).startsWith("node-");
            assertThat(address.getTargetRef().getKind()).isEqualTo("Pod");
        });
        assertThat(endpoints(cluster).getMetadata().getLabels())
                .containsEntry("endpoints.kubernetes.io/managed-by", "endpoint-controller");
    }

    @Test
    void givenEndpoints_whenAPodChangesInWhatDoesNotMatter_thenTheyAreNotWritten(Cluster cluster) {
        cluster.apply(service("web"), replicaSet("web", 1)).settle();
        String before = endpoints(cluster).getMetadata().getResourceVersion();

        cluster.edit(cluster.pods("web").get(0), p -> p.getMetadata().setAnnotations(Map.of("note", "none")));
        cluster.settle().advance(Duration.ofSeconds(30));

        assertThat(endpoints(cluster).getMetadata().getResourceVersion()).isEqualTo(before);
    }

    @Test
    void givenEndpoints_whenAPodIsUnreadyAndReadyAgain_thenTheLastStateIsListed(Cluster cluster) {
        cluster.apply(
                        service("web"),
                        new PodBuilder(pod("web"))
                                .editMetadata()
                                .addToAnnotations(Simulation.READY_AFTER, "30s")
                                .endMetadata()
                                .build())
                .settle();
        assertThat(ready(cluster)).isEmpty();
        assertThat(notReady(cluster)).hasSize(1);

        cluster.advance(Duration.ofSeconds(31));

        assertThat(ready(cluster)).hasSize(1);
        assertThat(notReady(cluster)).isEmpty();
    }

    @Test
    void givenEndpoints_whenAPodBeginsToTerminate_thenItsAddressIsDroppedAtOnce(Cluster cluster) {
        cluster.apply(service("web"), pod("web")).settle();
        assertThat(ready(cluster)).hasSize(1);

        Pod pod = cluster.get(Pod.class, "web").orElseThrow();
        cluster.edit(pod, p -> p.getMetadata().setFinalizers(List.of("example.com/keep")));
        cluster.delete(pod).settle();

        assertThat(cluster.exists(pod)).isTrue();
        assertThat(ready(cluster)).isEmpty();
        assertThat(notReady(cluster)).isEmpty();
        cluster.edit(pod, p -> p.getMetadata().setFinalizers(List.of()));
    }

    @Test
    void givenAnExternalName_whenItBecomesAClusterIp_thenItGetsEndpoints(Cluster cluster) {
        Service external = service("web");
        external.getSpec().setType("ExternalName");
        external.getSpec().setExternalName("example.com");
        external.getSpec().setSelector(null);
        cluster.create(external);
        cluster.create(pod("web"));
        cluster.settle();
        assertThat(cluster.get(Endpoints.class, "web")).isEmpty();

        cluster.edit(external, s -> {
            s.getSpec().setType("ClusterIP");
            s.getSpec().setExternalName(null);
            s.getSpec().setSelector(labels("web"));
        });
        cluster.settle();

        assertThat(ready(cluster)).hasSize(1);
    }

    @Test
    void givenEndpoints_whenTheyAreDeleted_thenTheyAreMadeAgain(Cluster cluster) {
        cluster.apply(service("web"), pod("web")).settle();

        cluster.delete(endpoints(cluster)).settle();

        assertThat(ready(cluster)).hasSize(1);
    }

    @Test
    void givenAService_whenItIsDeleted_thenItsEndpointsGoToo(Cluster cluster) {
        Service service = cluster.create(service("web"));
        cluster.settle();
        assertThat(cluster.get(Endpoints.class, "web")).isPresent();

        cluster.delete(service).settle();

        assertThat(cluster.get(Endpoints.class, "web")).isEmpty();
    }

    @Test
    void givenAServiceWithoutSelector_whenEndpointsAreWrittenByHand_thenTheyAreLeftAlone(Cluster cluster) {
        Service service = service("web");
        service.getSpec().setSelector(null);
        cluster.create(service);
        Endpoints mine = cluster.create(new EndpointsBuilder()
                .withNewMetadata()
                .withName("web")
                .withNamespace("default")
                .endMetadata()
                .addNewSubset()
                .addNewAddress()
                .withIp("192.0.2.1")
                .endAddress()
                .endSubset()
                .build());
        cluster.settle();

        assertThat(cluster.refresh(mine).getMetadata().getResourceVersion())
                .isEqualTo(mine.getMetadata().getResourceVersion());
    }

    @Test
    void givenAHeadlessServiceThatPublishesAll_whenAPodIsNotReady_thenItIsListedAsReady(Cluster cluster) {
        Service headless = service("web");
        headless.getSpec().setClusterIP("None");
        headless.getSpec().setPublishNotReadyAddresses(true);
        cluster.create(headless);
        cluster.create(new PodBuilder(pod("web"))
                .editMetadata()
                .addToAnnotations(Simulation.READY_AFTER, "never")
                .endMetadata()
                .build());
        cluster.settle();

        assertThat(ready(cluster)).hasSize(1);
        assertThat(endpoints(cluster).getMetadata().getLabels()).containsEntry("service.kubernetes.io/headless", "");
    }

    @Test
    @TrimtabCluster(nodes = 12)
    void givenMoreThanAThousandPods_whenListed_thenAThousandAreAndTheRestIsSaidToBeMissing(Cluster cluster) {
        cluster.apply(replicaSet("web", 1001)).settle();
        cluster.apply(service("web")).settle(); // after its pods, so that it is listed once and not a thousand times

        assertThat(ready(cluster)).hasSize(1000);
        assertThat(endpoints(cluster).getMetadata().getAnnotations()).containsEntry(CAPACITY, "truncated");

        cluster.scale(replicaSet("web", 0), 1000).settle();

        assertThat(ready(cluster)).hasSize(1000);
        assertThat(endpoints(cluster).getMetadata().getAnnotations()).doesNotContainKey(CAPACITY);
    }
}
