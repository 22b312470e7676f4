package io.trimtab.node.simulated;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandsTest {

    private static Container container(String image, String... command) {
        return new ContainerBuilder()
                .withName("c")
                .withImage(image)
                .withCommand(List.of(command))
                .build();
    }

    @ParameterizedTest
    @CsvSource({
        "true, 0, 0",
        "false, 0, 1",
        "sleep 5, 5000, 0",
        "sleep 0.5, 500, 0",
        "sleep 2m; exit 7, 120000, 7",
        "echo hello world, 0, 0",
        "echo a && sleep 1 && exit 3, 1000, 3",
        "exec sleep 3, 3000, 0",
        "exit 300, 0, 44",
    })
    void givenAScript_whenItsWordsAreKnown_thenItEndsAsTheySay(String script, long millis, int code) {
        Commands.End end = Commands.endOf(container("busybox", "/bin/sh", "-c", script));
        assertThat(end).isEqualTo(new Commands.End(Duration.ofMillis(millis), code));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"while true; do sleep 1; done", "sleep infinity", "nginx -g 'daemon off;'", "trap : TERM; wait"})
    void givenAScript_whenItMayRunForEver_thenItDoes(String script) {
        assertThat(Commands.endOf(container("busybox", "sh", "-c", script))).isNull();
    }

    @Test
    void givenNoCommand_whenTheImageIsAShell_thenItEndsAtOnce_andAServerRuns() {
        assertThat(Commands.endOf(container("docker.io/library/ubuntu:14.04"))).isEqualTo(Commands.End.AT_ONCE);
        assertThat(Commands.endOf(container("nginx:1.25"))).isNull();
    }

    @Test
    void givenOnlyArguments_whenTheImageIsAServer_thenTheyAreItsFlags() {
        Container server = new ContainerBuilder()
                .withName("c")
                .withImage("registry.example/agnhost:2.47")
                .withArgs("test", "true")
                .build();
        assertThat(Commands.endOf(server)).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "ubuntu, ubuntu",
        "ubuntu:14.04, ubuntu",
        "docker.io/library/ubuntu:14.04, ubuntu",
        "localhost:5000/a/b@sha256:abc, b",
    })
    void givenAnImage_whenItsRepositoryIsAskedFor_thenOnlyTheLastNameCounts(String image, String repository) {
        assertThat(Commands.repository(image)).isEqualTo(repository);
    }

    @ParameterizedTest
    @CsvSource({"5s, 5000", "1m30s, 90000", "250ms, 250", "1.5h, 5400000", "nonsense, 0"})
    void givenATimeInGosForm_whenItIsRead_thenItIsThatLong(String text, long millis) {
        assertThat(SimulatedRuntime.time(text)).isEqualTo(Duration.ofMillis(millis));
    }
}
