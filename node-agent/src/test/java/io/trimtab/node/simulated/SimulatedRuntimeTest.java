package io.trimtab.node.simulated;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.trimtab.node.runtime.ContainerRuntime.ContainerState;
import io.trimtab.node.runtime.ContainerRuntime.ImageState;
import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SimulatedRuntimeTest {
    private final VirtualDriver driver = VirtualDriver.create();
    private final SimulatedRuntime runtime = new SimulatedRuntime(driver, Simulation.DEFAULT);
    private final List<String> told = new ArrayList<>();

    @BeforeEach
    void listen() {
        runtime.onChange(told::add);
    }

    private static Pod pod(String uid, String... command) {
        return new PodBuilder()
                .withNewMetadata()
                .withName("p")
                .withUid(uid)
                .endMetadata()
                .withNewSpec()
                .addNewContainer()
                .withName("c")
                .withImage("busybox")
                .withCommand(command)
                .endContainer()
                .endSpec()
                .build();
    }

    private ContainerState only(String uid) {
        assertThat(runtime.containers(uid)).hasSize(1);
        return runtime.containers(uid).get(0);
    }

    @Test
    void givenAnImageThatIsNotThere_whenItIsPulled_thenAllWhoWaitAreToldWhenItIs() {
        assertThat(runtime.image("n", "nginx").progress()).isEqualTo(ImageState.Progress.ABSENT);
        runtime.pull("n", "nginx", "a");
        runtime.pull("n", "nginx", "b");
        assertThat(runtime.image("n", "nginx").progress()).isEqualTo(ImageState.Progress.PULLING);
        driver.advance(Simulation.DEFAULT.pullTime());
        assertThat(runtime.image("n", "nginx").progress()).isEqualTo(ImageState.Progress.PRESENT);
        assertThat(runtime.image("other", "nginx").progress()).isEqualTo(ImageState.Progress.ABSENT);
        assertThat(told).containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void givenAnImageNobodyHas_whenItIsPulled_thenThatFails() {
        runtime.pull("n", "foo:1", "a");
        driver.advance(Simulation.DEFAULT.pullTime());
        assertThat(runtime.image("n", "foo:1").progress()).isEqualTo(ImageState.Progress.FAILED);
        assertThat(runtime.image("n", "foo:1").message()).contains("docker.io/library/foo:1: not found");
    }

    @Test
    void givenACommandThatEndsAtOnce_whenItIsStarted_thenItsEndIsNotMissed() {
        Pod pod = pod("u", "/bin/echo", "hello");
        runtime.start(pod, pod.getSpec().getContainers().get(0), 0);
        driver.advance(Simulation.DEFAULT.startTime());
        assertThat(only("u").isRunning()).isFalse();
        assertThat(only("u").exitCode()).isZero();
        assertThat(only("u").reason()).isEqualTo("Completed");
    }

    @Test
    void givenARunningContainer_whenItIsAskedToEnd_thenItDoesWithinItsGrace() {
        Pod pod = pod("u", "sleep", "3600");
        runtime.start(pod, pod.getSpec().getContainers().get(0), 0);
        driver.advance(Duration.ofSeconds(1));
        assertThat(only("u").isRunning()).isTrue();
        runtime.stop("u", "c", Duration.ofSeconds(30));
        driver.advance(Simulation.DEFAULT.stopTime());
        assertThat(only("u").exitCode()).isZero();
    }

    @Test
    void givenALongStop_whenTheGraceIsShorter_thenTheContainerIsKilled() {
        Simulation slow = new Simulation(Duration.ZERO, Duration.ZERO, Duration.ofMinutes(5), List.of());
        SimulatedRuntime stubborn = new SimulatedRuntime(driver, slow);
        Pod pod = pod("u", "sleep", "3600");
        stubborn.start(pod, pod.getSpec().getContainers().get(0), 0);
        driver.advance(Duration.ofSeconds(1));
        stubborn.stop("u", "c", Duration.ofSeconds(2));
        driver.advance(Duration.ofSeconds(2));
        assertThat(stubborn.containers("u").get(0).exitCode()).isEqualTo(137);
    }

    @Test
    void givenAReportOfAnEarlierProcess_whenItIsAdopted_thenTheContainerEndsAtTheTimeItWouldHave() {
        Pod pod = pod("u", "sleep", "60");
        ContainerState state =
                new ContainerState("c", 2, "simulated://x", driver.now().minusSeconds(50), null, 0, "");
        runtime.adopt(pod, List.of(state));
        driver.advance(Duration.ofSeconds(9));
        assertThat(only("u").isRunning()).isTrue();
        driver.advance(Duration.ofSeconds(1));
        assertThat(only("u").isRunning()).isFalse();
        assertThat(only("u").attempt()).isEqualTo(2);
    }
}
