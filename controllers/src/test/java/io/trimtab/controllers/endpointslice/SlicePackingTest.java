package io.trimtab.controllers.endpointslice;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.ServicePortBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.trimtab.controllers.endpointslice.SlicePacking.Changes;
import io.trimtab.controllers.pods.SamplePods;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SlicePackingTest {
    private static final Node NODE = new NodeBuilder()
            .withNewMetadata()
            .withName("n")
            .addToLabels("topology.kubernetes.io/zone", "z")
            .endMetadata()
            .build();

    @Test
    void given250Pods_whenTwoSlicesHaveRoom_thenOneIsMadeAndOneFilled() {
        Service service = service(80);
        List<EndpointSlice> existing = existing(service, 62, 61);

        Changes changes = plan(service, pods(0, 250), existing);

        assertThat(sizes(changes.create)).containsExactly(100);
        assertThat(sizes(changes.update)).containsExactly(89);
        assertThat(sizes(changes.unchanged)).containsExactly(61);
        assertThat(changes.delete).isEmpty();
    }

    @Test
    void given300Pods_whenNoSliceFitsTheRest_thenTwoAreMade() {
        Service service = service(80);

        Changes changes = plan(service, pods(0, 300), existing(service, 74, 74));

        assertThat(sizes(changes.create)).containsExactly(100, 52);
        assertThat(changes.update).isEmpty();
        assertThat(sizes(changes.unchanged)).containsExactly(74, 74);
    }

    @Test
    void givenAPortChange_whenTenSlicesAreToBeReplaced_thenThreeAreReusedAndSevenDeleted() {
        List<EndpointSlice> existing = existing(service(80), 30, 30, 30, 30, 30, 30, 30, 30, 30, 30);

        Changes changes = plan(service(81), pods(0, 300), existing);

        assertThat(sizes(changes.update)).containsExactly(100, 100, 100);
        assertThat(changes.delete).hasSize(7);
        assertThat(changes.create).isEmpty();
    }

    @Test
    void givenSlicesThatAreUpdatedAnyway_whenPodsAreAdded_thenTheFullestIsFilledFirst() {
        Service service = service(80);
        List<EndpointSlice> existing = existing(service, 80, 20);
        existing.forEach(slice -> slice.getEndpoints().get(0).getConditions().setReady(false));

        Changes changes = plan(service, pods(0, 115), existing);

        assertThat(sizes(changes.update)).containsExactlyInAnyOrder(95, 20);
        assertThat(changes.create).isEmpty();
    }

    @Test
    void givenNothingChanged_whenPacked_thenNothingIsWritten() {
        Service service = service(80);

        Changes changes = plan(service, pods(0, 150), existing(service, 100, 50));

        assertThat(changes.create).isEmpty();
        assertThat(changes.update).isEmpty();
        assertThat(changes.delete).isEmpty();
    }

    @Test
    void givenNoPods_whenPlanned_thenOnePlaceholderStandsForThem() {
        Service service = service(80);

        Changes first = plan(service, List.of(), List.of());

        assertThat(first.create).hasSize(1);
        assertThat(first.create.get(0).getPorts()).isEmpty();
        first.create.get(0).getMetadata().setName("placeholder");
        Changes second = plan(service, List.of(), first.create);
        assertThat(second.create).isEmpty();
        assertThat(second.update).isEmpty();
        assertThat(second.delete).isEmpty();
    }

    @Test
    void givenTheLastPodGoes_whenPlanned_thenItsSliceBecomesThePlaceholder() {
        Service service = service(80);

        Changes changes = plan(service, List.of(), existing(service, 3));

        assertThat(sizes(changes.update)).containsExactly(0);
        assertThat(changes.delete).isEmpty();
    }

    @Test
    void givenANodeThatIsNotKnown_whenPlanned_thenItsPodIsLeftOutAndToldOf() {
        SlicePlan.Plan plan =
                SlicePlan.plan(service(80), pods(0, 1), List.of(), name -> Optional.empty(), SlicePlan.MAX_ENDPOINTS);

        assertThat(plan.missingNodes()).containsExactly("skipping Pod pod-0 for Service default/web: Node n Not Found");
    }

    @Test
    void givenTrafficThatPrefersItsZone_whenPlanned_thenEndpointsSaySo() {
        Service service = service(80);
        List<EndpointSlice> existing = existing(service, 1);
        service.getSpec().setTrafficDistribution("PreferClose");

        Changes changes = plan(service, pods(0, 1), existing);

        assertThat(changes.update.get(0).getEndpoints().get(0).getHints().getForZones())
                .extracting(zone -> zone.getName())
                .containsExactly("z");
    }

    private static Changes plan(Service service, List<Pod> pods, List<EndpointSlice> existing) {
        return SlicePlan.plan(service, pods, existing, name -> Optional.of(NODE), SlicePlan.MAX_ENDPOINTS)
                .changes();
    }

    private static Stream<Integer> sizes(List<EndpointSlice> slices) {
        return slices.stream().map(slice -> slice.getEndpoints().size());
    }

    private static List<Pod> pods(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> SamplePods.ready("pod-" + i, "n", "10.0." + i / 256 + "." + i % 256))
                .toList();
    }

    /** Slices as the controller would have made them, with the first pods in order. */
    private static List<EndpointSlice> existing(Service service, int... sizes) {
        List<EndpointSlice> slices = new ArrayList<>();
        int next = 0;
        for (int size : sizes) {
            EndpointSlice slice =
                    plan(service, pods(next, next + size), List.of()).create.get(0);
            slices.add(new EndpointSliceBuilder(slice)
                    .editMetadata()
                    .withName("slice-" + slices.size())
                    .endMetadata()
                    .build());
            next += size;
        }
        return slices;
    }

    private static Service service(int port) {
        return new ServiceBuilder()
                .withNewMetadata()
                .withNamespace("default")
                .withName("web")
                .withUid("service")
                .endMetadata()
                .withNewSpec()
                .withClusterIP("10.254.0.7")
                .withIpFamilies("IPv4")
                .withSelector(Map.of("app", "web"))
                .withPorts(new ServicePortBuilder().withPort(port).build())
                .endSpec()
                .build();
    }
}
