package io.trimtab.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.Config;
import io.trimtab.client.Client;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WriteMode;
import io.trimtab.junit.Backend;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Programs of their own, against a server on a port, in real time. */
@TrimtabCluster(backend = Backend.HTTP, nodes = 0, scheduler = false, controllers = "")
class ManagerProgramTest {
    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    private static void marking(Manager manager) {
        Client client = manager.client("marks");
        var maps = manager.informers().informer(ConfigMap.class).lister();
        manager.add(Controller.of("marks", ConfigMap.class).reconcile(request -> {
            boolean marked = maps.get(request.namespace(), request.name())
                    .filter(map -> map.getData() == null
                            || !map.getData().containsKey("wanted")
                            || map.getData().containsKey("marked"))
                    .isPresent();
            if (!marked) {
                client.patch(MAPS, request.namespace(), request.name(), Patch.merge("{\"data\":{\"marked\":\"yes\"}}"));
            }
            return Result.done();
        }));
    }

    private static boolean allMarked(Cluster cluster) {
        List<ConfigMap> all = cluster.list(ConfigMap.class, "default").stream()
                .filter(map -> map.getData() != null && map.getData().containsKey("wanted"))
                .toList();
        return all.size() == 20 && all.stream().allMatch(map -> map.getData().containsKey("marked"));
    }

    private static String get(ManagerProgram program, String path) {
        try {
            return HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + program.healthPort() + path))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void givenTwoProgramsThatShareKeys_whenObjectsCome_thenTheyAreAllWorkedOnAndHealthIsTold(
            Cluster cluster, Config config) {
        for (int i = 0; i < 20; i++) {
            cluster.create(new ConfigMapBuilder()
                    .withNewMetadata()
                    .withName("m" + i)
                    .withNamespace("default")
                    .endMetadata()
                    .withData(Map.of("wanted", "yes"))
                    .build());
        }
        ManagerProgram.Options options = new ManagerProgram.Options("marks", true, ClientOptions.DEFAULT)
                .inNamespace("default")
                .withSharding()
                .withHealth("127.0.0.1:0");
        try (Driver driver = RealDriver.create();
                ManagerProgram one = ManagerProgram.start(driver, config, options, ManagerProgramTest::marking);
                ManagerProgram two = ManagerProgram.start(driver, config, options, ManagerProgramTest::marking)) {
            cluster.runUntil(() -> allMarked(cluster), PATIENCE);
            cluster.runUntil(
                    () -> get(one, "/readyz").equals("ok")
                            && get(two, "/readyz").equals("ok"),
                    PATIENCE);
            assertThat(cluster.list(Lease.class, "default"))
                    .extracting(lease -> lease.getMetadata().getName().replaceAll("-[0-9a-z]+$", ""))
                    .contains("marks")
                    .hasSize(3);
        }
        assertThat(cluster.list(Lease.class, "default")).as("members that left").hasSize(1);
    }

    @Test
    void givenAProgramThatOnlyTries_whenItReconciles_thenTheServerChecksAndStoresNothing(
            Cluster cluster, Config config) {
        ConfigMap map = cluster.create(new ConfigMapBuilder()
                .withNewMetadata()
                .withName("dry")
                .withNamespace("default")
                .endMetadata()
                .withData(Map.of("wanted", "yes"))
                .build());
        ManagerProgram.Options options =
                new ManagerProgram.Options("marks", true, ClientOptions.DEFAULT.withWrites(WriteMode.DRY_RUN));
        List<String> answers = new java.util.concurrent.CopyOnWriteArrayList<>();
        try (Driver driver = RealDriver.create();
                ManagerProgram program = ManagerProgram.start(driver, config, options, manager -> {
                    Client client = manager.client("marks");
                    manager.add(Controller.of("marks", ConfigMap.class).reconcile(request -> {
                        if (request.name().equals("dry")) {
                            answers.add(client.patch(MAPS, "default", "dry", Patch.merge("{\"data\":{\"a\":\"b\"}}"))
                                    .getData()
                                    .toString());
                        }
                        return Result.done();
                    }));
                })) {
            assertThat(program.leadershipLost()).isNotDone();
            cluster.runUntil(() -> !answers.isEmpty(), PATIENCE);
        }
        assertThat(answers.get(0)).contains("a=b");
        assertThat(cluster.refresh(map).getData()).doesNotContainKey("a");
    }
}
