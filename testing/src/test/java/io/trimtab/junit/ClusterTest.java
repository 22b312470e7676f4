package io.trimtab.junit;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static io.trimtab.junit.Workloads.deployment;
import static io.trimtab.junit.Workloads.replicaSet;
import static io.trimtab.junit.Workloads.service;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Result;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ClusterOptions;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The cluster that tests are given: what its users rely on. */
@TrimtabCluster
class ClusterTest {

    /** Keeps a ConfigMap beside each Service: about the smallest controller that does something. */
    private static Controller mirror(Manager manager) {
        Client client = manager.client("mirror");
        var services = manager.informers().informer(Service.class).lister();
        return Controller.of("mirror", Service.class).owns(ConfigMap.class).reconcile(request -> {
            Service service = services.get(request.namespace(), request.name()).orElse(null);
            ResourceType<ConfigMap> type = ResourceType.of(ConfigMap.class);
            if (service != null
                    && client.get(type, request.namespace(), request.name()).isEmpty()) {
                client.create(
                        type,
                        new ConfigMapBuilder()
                                .withNewMetadata()
                                .withName(request.name())
                                .withNamespace(request.namespace())
                                .withOwnerReferences(new OwnerReferenceBuilder()
                                        .withApiVersion("v1")
                                        .withKind("Service")
                                        .withName(request.name())
                                        .withUid(service.getMetadata().getUid())
                                        .withController(true)
                                        .build())
                                .endMetadata()
                                .withData(Map.of("service", request.name()))
                                .build());
            }
            return Result.done();
        });
    }

    @Test
    void givenACluster_whenItIsHandedOut_thenItsNodesAreReady(
            Cluster cluster, KubernetesClient client, VirtualDriver driver) {
        assertThat(cluster.list(Node.class))
                .hasSize(3)
                .allSatisfy(node -> assertThat(node).isReady().hasNoTaints());
        assertThat(client.namespaces().withName("default").get()).isNotNull();
        assertThat(driver.now()).isEqualTo(cluster.now());
    }

    @Test
    @TrimtabCluster(nodes = 1, controllers = "", scheduler = false)
    void givenNoControllers_whenADeploymentIsMade_thenNothingComesOfIt(Cluster cluster) {
        cluster.apply(deployment("web", 1)).settle().advance(Duration.ofMinutes(1));

        assertThat(cluster.list(Node.class)).hasSize(1);
        assertThat(cluster.pods()).isEmpty();
    }

    @Nested
    class Inside {
        private Cluster cluster;

        @BeforeEach
        void given(Cluster cluster) {
            this.cluster = cluster;
        }

        @Test
        void givenANestedClass_whenItAsksForACluster_thenItIsTheOneOfTheTest(Cluster same) {
            assertThat(same).isSameAs(cluster);
        }
    }

    @Test
    void givenYaml_whenApplied_thenItIsAsIfByKubectl(Cluster cluster) {
        cluster.apply("""
                apiVersion: apps/v1
                kind: Deployment
                metadata:
                  name: web
                spec:
                  replicas: 2
                  selector: {matchLabels: {app: web}}
                  template:
                    metadata: {labels: {app: web}}
                    spec: {containers: [{name: app, image: nginx}]}
                ---
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: settings}
                data: {colour: green}
                """);
        cluster.settle();

        assertThat(cluster.get(Deployment.class, "web").orElseThrow()).isComplete();
        assertThat(cluster.pods("web")).hasSize(2).allMatch(Pods::isReady);
        assertThat(cluster.get(ConfigMap.class, "settings").orElseThrow().getData())
                .containsEntry("colour", "green");

        cluster.apply(deployment("web", 1)).settle();
        assertThat(cluster.pods("web")).hasSize(1);
    }

    @Test
    void givenAController_whenRunInTheCluster_thenItWorksAndItsObjectsAreCollected(Cluster cluster) {
        cluster.run(ClusterTest::mirror);
        Service web = cluster.create(service("web"));
        cluster.settle();
        assertThat(cluster.get(ConfigMap.class, "web")).isPresent();

        cluster.delete(web).settle();
        assertThat(cluster.get(ConfigMap.class, "web")).isEmpty();
    }

    @Test
    void givenAFork_whenBothGoOn_thenNeitherSeesTheOther(Cluster cluster) {
        cluster.run(ClusterTest::mirror).apply(deployment("web", 2)).settle();
        Instant before = cluster.now();

        Cluster fork = cluster.fork();
        assertThat(fork.now()).isEqualTo(before);
        fork.scale(deployment("web", 0), 5).apply(service("web")).advance(Duration.ofMinutes(1));

        assertThat(fork.pods("web")).hasSize(5).allMatch(Pods::isReady);
        assertThat(fork.get(ConfigMap.class, "web")).isPresent();
        assertThat(cluster.now()).isEqualTo(before);
        assertThat(cluster.pods("web")).hasSize(2);
        assertThat(cluster.get(Service.class, "web")).isEmpty();

        cluster.scale(deployment("web", 0), 1).settle();
        assertThat(cluster.pods("web")).hasSize(1);
        assertThat(fork.pods("web")).hasSize(5);
    }

    @Test
    void givenTwoForks_whenBothMakePods_thenTheirUidsDiffer(Cluster cluster) {
        cluster.apply(replicaSet("web", 1)).settle();
        Cluster one = cluster.fork();
        Cluster two = cluster.fork();
        List<String> uids = new ArrayList<>();
        for (Cluster each : List.of(cluster, one, two)) {
            each.scale(replicaSet("web", 0), 3).settle();
            each.pods("web").stream()
                    .map(p -> p.getMetadata().getUid())
                    .filter(uid -> !uids.contains(uid))
                    .forEach(uids::add);
        }

        assertThat(uids).hasSize(1 + 3 * 2);
    }

    @Test
    void givenAStoppedNode_whenForked_thenItIsSilentThereToo(Cluster cluster) {
        cluster.stopNode("node-1");

        Cluster fork = cluster.fork().advance(Duration.ofMinutes(2));

        assertThat(fork.get(Node.class, "node-1").orElseThrow()).hasReadyStatus("Unknown");
        assertThat(fork.get(Node.class, "node-2").orElseThrow()).isReady();
    }

    @Test
    void givenOneSeed_whenRunTwice_thenBothRunsAreTheSame() {
        assertThat(history(7, false)).isEqualTo(history(7, false));
        assertThat(history(7, true)).isEqualTo(history(7, true));
        assertThat(history(7, false)).isNotEqualTo(history(8, false));
    }

    /** All that a run left behind, down to names and UIDs. */
    private static List<String> history(long seed, boolean shuffle) {
        try (Cluster cluster = Cluster.start(
                ClusterOptions.IN_MEMORY,
                VirtualDriver.Options.DEFAULT.withSeed(seed).withShuffle(shuffle))) {
            cluster.apply(deployment("web", 5), service("web")).advance(Duration.ofSeconds(5));
            cluster.stopNode("node-2").advance(Duration.ofMinutes(10));
            List<String> lines = new ArrayList<>();
            cluster.pods().forEach(p -> lines.add(p.toString()));
            cluster.list(Event.class).forEach(e -> lines.add(e.toString()));
            lines.add(cluster.driver().stepsRun() + " steps");
            return lines;
        }
    }

    @Test
    void givenAShuffledOrder_whenAnySeedRuns_thenTheEndIsTheSame() {
        for (long seed = 1; seed <= 5; seed++) {
            try (Cluster cluster = Cluster.start(
                    ClusterOptions.IN_MEMORY,
                    VirtualDriver.Options.DEFAULT.withSeed(seed).withShuffle(true))) {
                cluster.apply(deployment("web", 4), service("web")).advance(Duration.ofSeconds(5));
                cluster.scale(deployment("web", 0), 2).advance(Duration.ofSeconds(5));

                assertThat(cluster.get(Deployment.class, "web").orElseThrow()).isComplete();
                assertThat(cluster.pods()).hasSize(2);
                cluster.assertSound();
            }
        }
    }

    @Test
    void givenSomethingThatNeverComes_whenWaitedFor_thenTheMessageTellsHowTheClusterIs(Cluster cluster) {
        cluster.apply(deployment("web", 1)).settle();

        assertThatThrownBy(() -> cluster.runUntil(() -> false, Duration.ofMinutes(1)))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("did not come within PT1M")
                .hasMessageContaining("seed 1 (replay it with -Dtrimtab.seed=1)")
                .hasMessageContaining("default/web-")
                .hasMessageContaining("Created pod: web-");
    }

    @Test
    @TrimtabCluster(checked = false)
    void givenAStepThatThrew_whenTheClusterIsJudged_thenItIsNotSound(Cluster cluster) {
        cluster.driver().execute(() -> {
            throw new IllegalStateException("on purpose");
        });
        cluster.settle();

        assertThatThrownBy(cluster::assertSound)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("expected no step to throw")
                .hasMessageContaining("on purpose");
    }

    @Test
    @TrimtabCluster(checked = false)
    void givenAPodWhoseOwnerIsGone_whenTheClusterIsJudged_thenTheCollectorGetsItsTime(Cluster cluster) {
        Pod pod = new PodBuilder(Workloads.pod("lost"))
                .editMetadata()
                .withOwnerReferences(new OwnerReferenceBuilder()
                        .withApiVersion("apps/v1")
                        .withKind("ReplicaSet")
                        .withName("gone")
                        .withUid("00000000-0000-0000-0000-000000000001")
                        .build())
                .endMetadata()
                .build();
        cluster.create(pod);

        cluster.assertSound(); // the garbage collector gets its time

        assertThat(cluster.pods()).isEmpty();
    }

    @Test
    void givenAWatchOfFabric8_whenPodsChange_thenItHearsWhileTheClusterIsDriven(
            Cluster cluster, KubernetesClient client) {
        List<String> heard = new ArrayList<>();
        try (Watch watch = client.pods().inNamespace("default").watch(new Watcher<>() {
            @Override
            public void eventReceived(Action action, Pod pod) {
                heard.add(action + " " + Pods.phase(pod));
            }

            @Override
            public void onClose(WatcherException cause) {
                heard.add("closed by " + cause);
            }
        })) {
            cluster.apply(Workloads.pod("web")).settle();
        }

        assertThat(heard).startsWith("ADDED Pending").endsWith("MODIFIED Running");
    }

    @Test
    void givenAWarmJvm_whenClustersStart_thenEachTakesLittleTime() {
        var threads = ManagementFactory.getThreadMXBean();
        long best = Long.MAX_VALUE;
        for (int i = 0; i < 60; i++) {
            long began = threads.getCurrentThreadCpuTime();
            try (Cluster cluster = Cluster.start()) {
                best = Math.min(best, threads.getCurrentThreadCpuTime() - began);
                assertThat(cluster.list(Node.class)).hasSize(3);
            }
        }
        // Processor time, so that a busy machine does not count; the goal is 50 ms, the bound catches what breaks it.
        assertThat(Duration.ofNanos(best)).isLessThan(Duration.ofMillis(150));
    }

    @Test
    void givenAChange_whenEdited_thenTheRestStays(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 1));
        cluster.settle();

        Deployment edited = cluster.edit(web, d -> d.getMetadata().setLabels(Map.of("team", "a")));

        assertThat(edited.getMetadata().getLabels()).containsEntry("team", "a");
        assertThat(cluster.exists(web)).isTrue();
        cluster.delete(web).settle();
        assertThat(cluster.exists(web)).isFalse();
        assertThatThrownBy(() -> cluster.refresh(web))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("expected Deployment default/web to exist, but it is gone");
    }
}
