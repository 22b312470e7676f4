package io.trimtab.bugs;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.trimtab.client.ResourceType;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Oracle;
import io.trimtab.junit.Trials;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * A bug that controllers in production have had, in a few lines, and the same lines mended. Nobody tells the kit where to look: it
 * lets the program crash at every write and draws faults of all kinds. It must find the bug, and find nothing in the mended one.
 */
abstract class BugContract {
    static final ResourceType<ConfigMap> CONFIG_MAPS = ResourceType.of(ConfigMap.class);

    /** What is done with the cluster, and the program in one of its two versions. */
    abstract void play(Cluster cluster, boolean mended);

    /** Which claims may turn out not to hold: whichever is looked at first. */
    abstract Set<Oracle> violated();

    /** All faults, unless that would take long. */
    Trials trials() {
        return Trials.small().crashAtEveryWrite().faults().runs(24);
    }

    @Test
    void givenTheBug_whenAnythingMayGoWrong_thenItIsFoundAndItsSeedReplaysIt() {
        Trials.Failure failure = trials().find(cluster -> play(cluster, false)).orElseThrow();

        System.out.println(getClass().getSimpleName() + ": " + failure.run() + ": "
                + failure.cause().getMessage().lines().findFirst().orElse(""));
        assertThat(failure.oracle()).isPresent().get().isIn(violated());
        Trials.Failure again =
                trials().replay(failure).find(cluster -> play(cluster, false)).orElseThrow();
        assertThat(again.cause().getMessage()).isEqualTo(failure.cause().getMessage());
    }

    @Test
    void givenTheMendedOne_whenAnythingMayGoWrong_thenItEndsWell() {
        trials().check(cluster -> play(cluster, true));
    }

    // ---- What the programs are made of ----------------------------------------------------------------------------

    static ConfigMap configMap(String name, Map<String, String> data) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace("default")
                .endMetadata()
                .withData(data)
                .build();
    }

    static OwnerReference ownedBy(HasMetadata owner) {
        return new OwnerReferenceBuilder()
                .withApiVersion(owner.getApiVersion())
                .withKind(owner.getKind())
                .withName(owner.getMetadata().getName())
                .withUid(owner.getMetadata().getUid())
                .withController(true)
                .build();
    }

    /** Somebody edits an object after a while, whatever else is going on then; as often as it takes to get through. */
    static <T extends HasMetadata> void later(Cluster cluster, Duration when, T object, Consumer<T> change) {
        cluster.driver().schedule(when, () -> cluster.edit(object, change));
    }
}
