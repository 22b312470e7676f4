package io.trimtab.node.simulated;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.trimtab.node.runtime.ContainerRuntime.ContainerState;
import io.trimtab.node.runtime.ContainerRuntime.ImageState;
import io.trimtab.node.runtime.ContainerSetup;
import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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

    private static ContainerSetup setup(Pod pod) {
        return new ContainerSetup(
                pod.getSpec().getContainers().get(0).getCommand(),
                List.of(),
                () -> Map.of("WHO", "you"),
                "p",
                List.of());
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
    void givenAnImageThatIsThere_whenAnotherPodPullsItAnew_thenItStaysThereForTheOthers() {
        runtime.pull("n", "nginx", "a");
        driver.advance(Simulation.DEFAULT.pullTime());
        runtime.pull("n", "nginx", "b");
        assertThat(runtime.image("n", "nginx").progress()).isEqualTo(ImageState.Progress.PRESENT);
        driver.advance(Simulation.DEFAULT.pullTime());
        assertThat(told).containsExactly("a", "b");
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
        runtime.start(pod, pod.getSpec().getContainers().get(0), 0, setup(pod));
        driver.advance(Simulation.DEFAULT.startTime());
        assertThat(only("u").isRunning()).isFalse();
        assertThat(only("u").exitCode()).isZero();
        assertThat(only("u").reason()).isEqualTo("Completed");
    }

    @Test
    void givenARunningContainer_whenItIsAskedToEnd_thenItDoesWithinItsGrace() {
        Pod pod = pod("u", "sleep", "3600");
        runtime.start(pod, pod.getSpec().getContainers().get(0), 0, setup(pod));
        driver.advance(Duration.ofSeconds(1));
        assertThat(only("u").isRunning()).isTrue();
        runtime.stop(pod, pod.getSpec().getContainers().get(0), Duration.ofSeconds(30));
        driver.advance(Simulation.DEFAULT.stopTime());
        assertThat(only("u").exitCode()).isEqualTo(143); // ended by SIGTERM
    }

    @Test
    void givenALongStop_whenTheGraceIsShorter_thenTheContainerIsKilled() {
        Simulation slow = new Simulation(Duration.ZERO, Duration.ZERO, Duration.ofMinutes(5), List.of());
        SimulatedRuntime stubborn = new SimulatedRuntime(driver, slow);
        Pod pod = pod("u", "sleep", "3600");
        stubborn.start(pod, pod.getSpec().getContainers().get(0), 0, setup(pod));
        driver.advance(Duration.ofSeconds(1));
        stubborn.stop(pod, pod.getSpec().getContainers().get(0), Duration.ofSeconds(2));
        driver.advance(Duration.ofSeconds(2));
        assertThat(stubborn.containers("u").get(0).exitCode()).isEqualTo(137);
    }

    @Test
    void givenAReportOfAnEarlierProcess_whenItIsAdopted_thenTheContainerEndsAtTheTimeItWouldHave() {
        Pod pod = pod("u", "sleep", "60");
        ContainerState state =
                new ContainerState("c", 2, "simulated://x", driver.now().minusSeconds(50), null, 0, "", "");
        runtime.adopt(pod, List.of(state));
        driver.advance(Duration.ofSeconds(9));
        assertThat(only("u").isRunning()).isTrue();
        driver.advance(Duration.ofSeconds(1));
        assertThat(only("u").isRunning()).isFalse();
        assertThat(only("u").attempt()).isEqualTo(2);
    }

    @Test
    void givenAScript_whenItHasRun_thenWhatItPrintedAndItsLastWordsAreKept() {
        Pod pod = pod("u", "sh", "-c", "echo hello $WHO; sleep 5; echo bye >/dev/termination-log; exit 4");
        runtime.start(pod, pod.getSpec().getContainers().get(0), 0, setup(pod));
        driver.advance(Duration.ofSeconds(4));
        assertThat(only("u").isRunning()).isTrue();
        assertThat(runtime.log(pod, "c", false).orElseThrow())
                .extracting(SimulatedRuntime.LogLine::text)
                .containsExactly("hello you\n");

        driver.advance(Duration.ofSeconds(2));

        assertThat(only("u").exitCode()).isEqualTo(4);
        assertThat(only("u").message()).isEqualTo("bye\n");
    }

    @Test
    void givenATrap_whenTheContainerIsAskedToEnd_thenItsHandlerDecidesHowItEnds() {
        Pod pod = pod("u", "sh", "-c", "_term() { sleep 3; exit 5; }\ntrap _term TERM\nwhile true; do sleep 1; done");
        runtime.start(pod, pod.getSpec().getContainers().get(0), 0, setup(pod));
        driver.advance(Duration.ofSeconds(10));

        runtime.stop(pod, pod.getSpec().getContainers().get(0), Duration.ofSeconds(30));
        driver.advance(Duration.ofSeconds(2));
        assertThat(only("u").isRunning()).isTrue();
        driver.advance(Duration.ofSeconds(2));

        assertThat(only("u").exitCode()).isEqualTo(5);
    }

    @Test
    void givenAVolume_whenTwoRunsUseIt_thenTheSecondFindsWhatTheFirstLeft() {
        Pod pod = pod("u", "sh", "-c", "if [[ -r /data/foo ]]\nthen\n exit 0\nelse\n touch /data/foo\n exit 1\nfi");
        ContainerSetup setup = new ContainerSetup(
                pod.getSpec().getContainers().get(0).getCommand(),
                List.of(),
                Map::of,
                "p",
                List.of(new ContainerSetup.VolumeMount("data", "/data", "", false)));
        runtime.volumes(pod, Map.of("data", new ContainerSetup.Volume.Empty(false)));

        runtime.start(pod, pod.getSpec().getContainers().get(0), 0, setup);
        driver.advance(Duration.ofSeconds(1));
        assertThat(only("u").exitCode()).isEqualTo(1);
        runtime.start(pod, pod.getSpec().getContainers().get(0), 1, setup);
        driver.advance(Duration.ofSeconds(1));

        assertThat(only("u").exitCode()).isZero();
    }

    /** A pod of a group, with a volume of ten kilobytes in memory. */
    private static Pod grouped(String script) {
        return new PodBuilder(pod("u", "sh", "-c", script))
                .editSpec()
                .withNewSecurityContext()
                .withFsGroup(123L)
                .endSecurityContext()
                .addNewVolume()
                .withName("data")
                .withNewEmptyDir()
                .withMedium("Memory")
                .withSizeLimit(new Quantity("10Ki"))
                .endEmptyDir()
                .endVolume()
                .endSpec()
                .build();
    }

    private List<String> printed(Pod pod) {
        runtime.volumes(pod, Map.of("data", new ContainerSetup.Volume.Empty(true)));
        runtime.start(
                pod,
                pod.getSpec().getContainers().get(0),
                0,
                new ContainerSetup(
                        pod.getSpec().getContainers().get(0).getCommand(),
                        List.of(),
                        Map::of,
                        "p",
                        List.of(new ContainerSetup.VolumeMount("data", "/data", "", false))));
        driver.advance(Duration.ofSeconds(1));
        return runtime.log(pod, "c", false).orElseThrow().stream()
                .map(line -> line.text().strip())
                .toList();
    }

    @Test
    void givenAVolumeOfAGroup_whenFilesAreMadeInIt_thenTheyBelongToTheGroup() {
        Pod pod = grouped(
                "mkdir /data/a; touch /data/f /data/a/f /tmp/f; stat -c %g /data /data/a /data/f /data/a/f /tmp/f");

        assertThat(printed(pod)).containsExactly("123", "123", "123", "123", "0");
    }

    @Test
    void givenAVolumeInMemory_whenItIsLookedAt_thenItsSizeShowsAndHolds() {
        Pod pod = grouped("df | grep /data | awk '{print $2}'; dd if=/dev/zero of=/data/f bs=1k count=8 2>/dev/null;"
                + " df /data | tail -n 1 | awk '{print $3, $4}'; dd if=/dev/zero of=/data/g bs=1k count=4 || ls /data");

        assertThat(printed(pod)).containsExactly("10", "8 2", "dd: can't open '/data/g': No space left on device", "f");
    }

    @Test
    void givenAPodWithUsersOfItsOwn_whenItReadsWhichTheyAre_thenTheyAreNotTheNodes() {
        Pod pod = new PodBuilder(grouped("cat /proc/self/uid_map | awk '{print $1, $3}'"))
                .editSpec()
                .withHostUsers(false)
                .endSpec()
                .build();

        assertThat(printed(pod)).containsExactly("0 65536");
    }
}
