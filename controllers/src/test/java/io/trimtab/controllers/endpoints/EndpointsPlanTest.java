package io.trimtab.controllers.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.ServicePortBuilder;
import io.trimtab.controllers.pods.SamplePods;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EndpointsPlanTest {

    @Test
    void givenReadyAndUnreadyPods_whenPlanned_thenEachIsInItsList() {
        Pod ready = SamplePods.ready("a", "n", "10.0.0.1");
        Pod unready = SamplePods.ready("b", "n", "10.0.0.2");
        SamplePods.setReady(unready, false, SamplePods.NOW);

        EndpointSubset subset =
                EndpointsPlan.plan(service(), List.of(ready, unready)).subsets().get(0);

        assertThat(subset.getAddresses()).extracting(a -> a.getIp()).containsExactly("10.0.0.1");
        assertThat(subset.getNotReadyAddresses()).extracting(a -> a.getIp()).containsExactly("10.0.0.2");
        assertThat(subset.getPorts()).extracting(p -> p.getPort()).containsExactly(80);
    }

    @Test
    void givenTerminalTerminatingAndAddresslessPods_whenPlanned_thenTheyAreLeftOut() {
        Pod ended = SamplePods.ready("a", "n", "10.0.0.1");
        ended.getStatus().setPhase("Succeeded");
        Pod going = SamplePods.ready("b", "n", "10.0.0.2");
        going.getMetadata().setDeletionTimestamp("2026-01-01T00:00:00Z");

        assertThat(EndpointsPlan.plan(service(), List.of(ended, going, SamplePods.running("c", "n")))
                        .subsets())
                .isEmpty();
    }

    @Test
    void givenMoreThanAThousandPods_whenPlanned_thenCutAndSaid() {
        List<Pod> pods = IntStream.rangeClosed(0, 1000)
                .mapToObj(i -> SamplePods.ready("p" + i, "n", "10.0." + i / 256 + "." + i % 256))
                .toList();

        EndpointsPlan.Wanted wanted = EndpointsPlan.plan(service(), pods);

        assertThat(wanted.truncated()).isTrue();
        assertThat(wanted.subsets().get(0).getAddresses()).hasSize(1000);
        assertThat(EndpointsPlan.plan(service(), pods.subList(0, 1000)).truncated())
                .isFalse();
    }

    private static Service service() {
        return new ServiceBuilder()
                .withNewMetadata()
                .withNamespace("default")
                .withName("web")
                .endMetadata()
                .withNewSpec()
                .withClusterIP("10.254.0.7")
                .withPorts(new ServicePortBuilder().withPort(80).build())
                .endSpec()
                .build();
    }
}
