package io.trimtab.leader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.Apply;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Program;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Writes of those who led. */
@TrimtabCluster(nodes = 0, scheduler = false, controllers = "", checked = false)
class FencingTest {
    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);

    private final Map<String, LeaderElector> electors = new LinkedHashMap<>();
    private final Map<String, Client> raw = new LinkedHashMap<>();

    private static LeaderElectionConfig config(String identity) {
        return LeaderElectionConfig.of("default", "work", identity);
    }

    private Program candidate() {
        return process -> {
            LeaderElector elector = new LeaderElector(
                    process.driver(),
                    process.api(),
                    config(process.name()),
                    new LeaderCallbacks() {
                        @Override
                        public void onStartedLeading() {}

                        @Override
                        public void onStoppedLeading() {}
                    },
                    null);
            electors.put(process.name(), elector);
            raw.put(process.name(), process.api());
            elector.start();
            return elector;
        };
    }

    private static ConfigMap map(String name) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace("default")
                .endMetadata()
                .withData(Map.of("a", "1"))
                .build();
    }

    /** A fence that does not notice: a write that was on its way when the leadership ended. */
    private static Fence stuck(Fence fence) {
        long token = fence.token();
        return new Fence() {
            @Override
            public long token() {
                return token;
            }

            @Override
            public boolean holds() {
                return true;
            }

            @Override
            public String name() {
                return fence.name();
            }
        };
    }

    @Test
    void givenALeaderThatFreezes_whenItGoesOn_thenItDoesNotWriteAnyMore(Cluster cluster) {
        cluster.run("a", candidate()).advance(Duration.ofSeconds(5)).run("b", candidate());
        cluster.advance(Duration.ofSeconds(5));
        Fence ofA = electors.get("a").fence();
        Client client = FencedClient.checking(raw.get("a"), ofA);
        assertThat(ofA.holds()).isTrue();
        client.create(MAPS, map("one"));
        long first = ofA.token();

        cluster.program("a").pause(Duration.ofSeconds(60));
        cluster.advance(Duration.ofSeconds(30));

        assertThat(electors.get("b").isLeader()).isTrue();
        assertThat(electors.get("b").fence().token()).isGreaterThan(first);
        assertThat(electors.get("a").isLeader()).as("it has not noticed").isTrue();
        assertThat(ofA.holds()).isFalse();
        assertThatThrownBy(() -> client.create(MAPS, map("two")))
                .isInstanceOf(FencedException.class)
                .hasMessageContaining("leadership of default/work")
                .hasMessageContaining("create configmaps default/two");
        assertThat(client.get(MAPS, "default", "one")).isPresent();
    }

    @Test
    void givenAPolicy_whenAFormerLeadersWriteArrivesLate_thenTheServerRefusesIt(Cluster cluster) {
        FencePolicy.of(config("any"), "admin", List.of(MAPS)).forEach(policy -> cluster.apply(policy));
        cluster.run("a", candidate()).advance(Duration.ofSeconds(5));
        Client late =
                FencedClient.stamping(raw.get("a"), stuck(electors.get("a").fence()), "work");
        ConfigMap one = late.create(MAPS, map("one"));
        assertThat(one.getMetadata().getAnnotations()).containsEntry("fence.trimtab.io/work", "0");

        cluster.program("a").crash();
        cluster.run("b", candidate()).advance(Duration.ofSeconds(40));
        Client now = FencedClient.stamping(raw.get("b"), electors.get("b").fence(), "work");

        assertThat(now.patch(MAPS, "default", "one", Patch.merge("{\"data\":{\"a\":\"2\"}}"))
                        .getMetadata()
                        .getAnnotations())
                .containsEntry("fence.trimtab.io/work", "1");
        String refused = "the writer no longer leads: another has taken the lease default/work";
        Client stale = FencedClient.stamping(cluster.api(), stuckAt(0), "work");
        assertThatThrownBy(() -> stale.create(MAPS, map("two"))).hasMessageContaining(refused);
        assertThatThrownBy(() -> stale.patch(MAPS, "default", "one", Patch.merge("{\"data\":{\"a\":\"9\"}}")))
                .hasMessageContaining(refused);
        assertThatThrownBy(() -> Apply.as("me", stale).object((HasMetadata) map("one")))
                .hasMessageContaining(refused);
        assertThat(cluster.get(ConfigMap.class, "one").orElseThrow().getData()).containsEntry("a", "2");
    }

    private static Fence stuckAt(long token) {
        return new Fence() {
            @Override
            public long token() {
                return token;
            }

            @Override
            public boolean holds() {
                return true;
            }

            @Override
            public String name() {
                return "default/work";
            }
        };
    }
}
