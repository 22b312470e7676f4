package io.trimtab.leader;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.DefaultManager;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.informer.Lister;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Program;
import io.trimtab.junit.Surroundings;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Three replicas that share keys, in one cluster. */
@TrimtabCluster(nodes = 0, scheduler = false, controllers = "", checked = false)
class ShardingTest {
    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);
    private static final int KEYS = 60;

    /** What all replicas together do, as somebody sees it who sees all of them. */
    private static final class Watcher {
        /** Who works on a key now. A key's work ends with the process that does it. */
        final Map<Request, String> inWork = new LinkedHashMap<>();
        /** Who was last done with a key. */
        final Map<Request, String> lastBy = new TreeMap<>((a, b) -> a.name().compareTo(b.name()));

        final List<String> violations = new ArrayList<>();
        final Map<Request, Integer> runs = new LinkedHashMap<>();

        void begins(String who, Request key) {
            String other = inWork.put(key, who);
            if (other != null && !other.equals(who)) {
                violations.add(key + " by " + who + " while by " + other);
            }
        }

        void ends(String who, Request key) {
            inWork.remove(key, who);
            lastBy.put(key, who);
            runs.merge(key, 1, Integer::sum);
        }

        void died(String who) {
            inWork.values().removeIf(who::equals);
        }
    }

    private final Watcher watcher = new Watcher();
    private final Map<String, Sharding> members = new LinkedHashMap<>();

    /** Writes down, in each map, which revision of {@code wanted} it has seen; takes three seconds over each key. */
    private Program replica(Duration work) {
        return process -> {
            Sharding sharding =
                    new Sharding(process.driver(), process.api(), ShardingConfig.of("default", "maps", process.name()));
            members.put(process.name(), sharding);
            Client fenced = FencedClient.checking(process.api(), sharding.fence());
            DefaultManager manager = DefaultManager.builder(process.driver(), component -> fenced)
                    .sharding(sharding)
                    .build();
            Lister<ConfigMap> maps =
                    manager.informers().informer(ConfigMap.class).lister();
            Client client = manager.client("maps");
            manager.add(Controller.of("maps", ConfigMap.class).workers(4).reconcile(request -> {
                ConfigMap map = maps.get(request.namespace(), request.name()).orElse(null);
                if (map == null || !map.getMetadata().getName().startsWith("key-")) {
                    return Result.done();
                }
                watcher.begins(process.name(), request);
                try {
                    pass(process, work);
                    String wanted = map.getData().get("wanted");
                    if (!wanted.equals(map.getData().get("seen"))) {
                        client.patch(
                                MAPS,
                                request.namespace(),
                                request.name(),
                                Patch.merge(
                                        "{\"data\":{\"seen\":\"" + wanted + "\",\"by\":\"" + process.name() + "\"}}"));
                    }
                } finally {
                    watcher.ends(process.name(), request);
                }
                return Result.done();
            }));
            manager.start();
            return manager;
        };
    }

    /** Other steps run meanwhile, those of other replicas among them. */
    private static void pass(Surroundings process, Duration time) {
        if (!time.isZero()) {
            try {
                process.driver().await(new java.util.concurrent.CompletableFuture<>(), time);
            } catch (java.util.concurrent.TimeoutException expected) {
                // that much time has passed
            }
        }
    }

    private static ConfigMap map(int i) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName("key-" + i)
                .withNamespace("default")
                .endMetadata()
                .withData(Map.of("wanted", "1"))
                .build();
    }

    private static void want(Cluster cluster, String value) {
        IntStream.range(0, KEYS)
                .forEach(i -> cluster.api()
                        .patch(MAPS, "default", "key-" + i, Patch.merge("{\"data\":{\"wanted\":\"" + value + "\"}}")));
    }

    private static Set<String> behind(Cluster cluster) {
        Set<String> behind = new TreeSet<>();
        for (ConfigMap map : cluster.list(ConfigMap.class, "default")) {
            if (map.getMetadata().getName().startsWith("key-")
                    && !map.getData().get("wanted").equals(map.getData().get("seen"))) {
                behind.add(map.getMetadata().getName());
            }
        }
        return behind;
    }

    private void start(Cluster cluster, Duration work) {
        IntStream.range(0, KEYS).forEach(i -> cluster.create(map(i)));
        cluster.run("a", replica(work)).run("b", replica(work)).run("c", replica(work));
    }

    private Set<Integer> slots(String... names) {
        Set<Integer> all = new TreeSet<>();
        for (String name : names) {
            Set<Integer> own = members.get(name).slots();
            assertThat(all).as("slots of two members").doesNotContainAnyElementsOf(own);
            all.addAll(own);
        }
        return all;
    }

    @Test
    void givenThreeReplicas_whenTheyHaveMet_thenEachHasAShareAndEachKeyOneReplica(Cluster cluster) {
        start(cluster, Duration.ZERO);
        cluster.advance(Duration.ofMinutes(1));

        assertThat(slots("a", "b", "c")).hasSize(64);
        assertThat(members.values()).allMatch(member -> member.slots().size() >= 10);
        assertThat(behind(cluster)).isEmpty();

        want(cluster, "2");
        cluster.advance(Duration.ofSeconds(1));
        assertThat(behind(cluster)).isEmpty();
        assertThat(new TreeSet<>(watcher.lastBy.values())).containsExactly("a", "b", "c");
        assertThat(watcher.violations).isEmpty();
    }

    @Test
    void givenAReplicaThatDies_whenItsLeaseIsOver_thenTheOthersTakeItsKeysAndNoneIsLeftOut(Cluster cluster) {
        start(cluster, Duration.ZERO);
        cluster.advance(Duration.ofMinutes(1));
        Set<Integer> ofB = members.get("b").slots();
        Set<Integer> ofA = members.get("a").slots();

        cluster.program("b").crash();
        watcher.died("b");
        want(cluster, "2");
        cluster.advance(Duration.ofSeconds(10));
        assertThat(behind(cluster))
                .as("nobody takes them before the lease is over")
                .isNotEmpty();
        assertThat(members.get("a").slots()).isEqualTo(ofA);

        cluster.advance(Duration.ofSeconds(15));
        assertThat(behind(cluster)).isEmpty();
        assertThat(slots("a", "c")).hasSize(64).containsAll(ofB);
        assertThat(members.get("a").slots())
                .as("nobody's slots moved but the dead one's")
                .containsAll(ofA);
        assertThat(watcher.violations).isEmpty();

        cluster.program("b").start();
        cluster.advance(Duration.ofMinutes(1));
        assertThat(slots("a", "b", "c")).hasSize(64);
        want(cluster, "3");
        cluster.advance(Duration.ofSeconds(5));
        assertThat(behind(cluster)).isEmpty();
        assertThat(watcher.violations).isEmpty();
    }

    @Test
    void givenAReplicaThatLeaves_whenClosed_thenItHandsOverAtOnce(Cluster cluster) {
        start(cluster, Duration.ZERO);
        cluster.advance(Duration.ofMinutes(1));

        members.get("c").stop();
        cluster.advance(Duration.ofSeconds(3));

        want(cluster, "2");
        cluster.advance(Duration.ofSeconds(2));
        assertThat(slots("a", "b")).hasSize(64);
        assertThat(behind(cluster)).isEmpty();
        assertThat(cluster.list(Lease.class, "default"))
                .filteredOn(lease -> lease.getMetadata().getLabels().containsKey("shards.trimtab.io/group"))
                .hasSize(2);
        assertThat(watcher.violations).isEmpty();
    }

    @Test
    void givenAReplicaThatComes_whenKeysAreInWork_thenTheyAreHandedOverOnlyWhenTheyAreDone(Cluster cluster) {
        IntStream.range(0, KEYS).forEach(i -> cluster.create(map(i)));
        cluster.run("a", replica(Duration.ofSeconds(3)));
        cluster.advance(Duration.ofSeconds(20));

        cluster.run("b", replica(Duration.ofSeconds(3)));
        cluster.advance(Duration.ofMinutes(3));

        assertThat(behind(cluster)).isEmpty();
        assertThat(slots("a", "b")).hasSize(64);
        assertThat(watcher.violations).isEmpty();
        assertThat(new LinkedHashSet<>(watcher.lastBy.values())).contains("b");
    }

    @Test
    void givenAReplicaThatFreezes_whenItGoesOn_thenItFindsThatItIsOutAndComesBackAsAnother(Cluster cluster) {
        start(cluster, Duration.ZERO);
        cluster.advance(Duration.ofMinutes(1));
        String before = members.get("b").identity();

        cluster.program("b").pause(Duration.ofSeconds(40));
        want(cluster, "2");
        cluster.advance(Duration.ofSeconds(30));
        assertThat(behind(cluster)).isEmpty();
        assertThat(members.get("b").fence().holds()).isFalse();
        cluster.advance(Duration.ofMinutes(1));

        assertThat(members.get("b").identity()).isNotEqualTo(before);
        assertThat(slots("a", "b", "c")).hasSize(64);
        want(cluster, "3");
        cluster.advance(Duration.ofSeconds(5));
        assertThat(behind(cluster)).isEmpty();
        assertThat(watcher.violations).isEmpty();
    }

    @Test
    void givenAReplicaThatIsCutOff_whenTheNetworkIsBack_thenNoKeyWasWorkedOnTwice(Cluster cluster) {
        start(cluster, Duration.ofMillis(500));
        cluster.advance(Duration.ofMinutes(1));
        Instant begun = cluster.now();
        for (int i = 0; i < 6; i++) {
            String unlucky = List.of("a", "b", "c").get(i % 3);
            cluster.program(unlucky).cutOff(Duration.ofSeconds(5 + 7L * i));
            want(cluster, "round-" + i);
            cluster.advance(Duration.ofMinutes(2)); // its informer comes back by a back-off of its own
            assertThat(behind(cluster)).as("round %s", i).isEmpty();
        }
        assertThat(cluster.now()).isAfter(begun);
        assertThat(slots("a", "b", "c")).hasSize(64);
        assertThat(watcher.violations).isEmpty();
    }
}
