package io.trimtab;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.controller.Controller;
import io.trimtab.controller.DefaultManager;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The code of the README compiles because it stands here too. */
class ReadmeTest {

    @SuppressWarnings("unused") // compiled, not run: it wants a cluster
    private static void countPods() {
        Driver driver = RealDriver.create();
        FabricClient client = Clients.connect(Clients.fromEnvironment(), driver);
        Manager manager = DefaultManager.builder(driver, client).build();
        Lister<Pod> pods = manager.informers().informer(Pod.class).lister();
        manager.add(Controller.of("pod-counter", Namespace.class)
                .watches(
                        Pod.class,
                        (change, queue) -> queue.add(
                                new Request("", change.latest().getMetadata().getNamespace())))
                .reconcile(request -> {
                    System.out.println(
                            request + ": " + pods.list(request.name()).size() + " pods");
                    return Result.done();
                }));
        manager.start();
    }

    @Test
    void givenTheReadme_whenItsCodeIsCompared_thenItIsThatOfThisFile() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        String here = squeezed(Files.readString(Path.of("src/test/java/io/trimtab/ReadmeTest.java")));

        List<String> blocks = List.of(readme.split("```")).stream()
                .filter(b -> b.startsWith("java\n"))
                .map(b -> squeezed(b.substring(5)))
                .toList();

        assertThat(blocks).isNotEmpty().allMatch(here::contains);
    }

    private static String squeezed(String code) {
        return code.replaceAll("\\s+", "");
    }
}
