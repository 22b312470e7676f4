package io.trimtab.controllers.resourcequota;

import static io.trimtab.controllers.pods.SamplePods.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.trimtab.controllers.pods.SamplePods;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UsageTest {

    @Test
    void givenContainersAndAStart_whenCounted_thenTheLargerOfBoth() {
        Pod pod = SamplePods.running("a", "n");
        pod.getSpec().setContainers(List.of(container("250m", "512Mi"), container("250m", "512Mi")));
        pod.getSpec().setInitContainers(List.of(container("1", "256Mi")));

        Map<String, Quantity> used = Usage.of(pod, NOW).quantities();

        assertThat(used.get("requests.cpu")).hasToString("1");
        assertThat(used.get("requests.memory")).hasToString("1Gi");
        assertThat(used.get("pods")).hasToString("1");
    }

    @Test
    void givenAnEndedPod_whenCounted_thenOnlyAsAnObject() {
        Pod pod = SamplePods.running("a", "n");
        pod.getStatus().setPhase("Succeeded");

        assertThat(Usage.of(pod, NOW).quantities()).containsOnlyKeys("count/pods");
    }

    @ParameterizedTest
    @CsvSource({
        "250m, 250m, 500m",
        "500m, 500m, 1",
        "512Mi, 512Mi, 1Gi",
        "1Gi, 512Mi, 1536Mi",
        "1k, 500, 1500",
        "1500, 500, 2k",
        "0, 1Gi, 1Gi"
    })
    void givenTwoAmounts_whenAdded_thenWrittenAsKubernetesDoes(String a, String b, String sum) {
        Amounts amounts = new Amounts();
        amounts.add("x", Quantity.parse(a));
        amounts.add("x", Quantity.parse(b));

        assertThat(amounts.quantities().get("x")).hasToString(sum);
    }

    private static io.fabric8.kubernetes.api.model.Container container(String cpu, String memory) {
        return new ContainerBuilder()
                .withNewResources()
                .addToRequests("cpu", Quantity.parse(cpu))
                .addToRequests("memory", Quantity.parse(memory))
                .endResources()
                .build();
    }
}
