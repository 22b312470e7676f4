package io.trimtab.standalone.rollingupdate;

import static io.trimtab.junit.Workloads.replicationController;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.ReplicationControllerBuilder;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Result;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Pods;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code kubectl rolling-update} in a whole cluster and in virtual time: RU-1 to RU-10 of the checklist. */
@TrimtabCluster
class RollingUpdateTest {
    private static final String SOURCE = "kubectl.kubernetes.io/update-source-id";
    private static final String DESIRED = "kubectl.kubernetes.io/desired-replicas";
    private static final String ORIGINAL = "kubectl.kubernetes.io/original-replicas";

    private final List<String> lines = new ArrayList<>();
    private Cluster cluster;

    @BeforeEach
    void keep(Cluster cluster) {
        this.cluster = cluster;
    }

    private RollingUpdate update(RollingUpdate.Options options) {
        return new RollingUpdate(cluster.api(), cluster.driver(), "default", options, lines::add);
    }

    private RollingUpdate update() {
        return update(RollingUpdate.Options.DEFAULT);
    }

    private ReplicationController get(String name) {
        return cluster.get(ReplicationController.class, name).orElseThrow();
    }

    /** Another version of the same application: one of its selector's labels differs. */
    private static ReplicationController version(String name, String version, int replicas) {
        return new ReplicationControllerBuilder(replicationController("app", replicas))
                .editMetadata()
                .withName(name)
                .endMetadata()
                .editSpec()
                .addToSelector("version", version)
                .editTemplate()
                .editMetadata()
                .addToLabels("version", version)
                .endMetadata()
                .editSpec()
                .editContainer(0)
                .withImage("registry.example/app:" + version)
                .endContainer()
                .endSpec()
                .endTemplate()
                .endSpec()
                .build();
    }

    /** Notes how many pods there are and how many are ready, whenever one changes. */
    private List<int[]> watchPods() {
        List<int[]> seen = new ArrayList<>();
        cluster.run(manager -> Controller.of("observer", Pod.class).reconcile(request -> {
            List<Pod> pods = cluster.pods();
            seen.add(new int[] {
                (int) pods.stream().filter(p -> !Pods.isTerminating(p)).count(),
                (int) pods.stream().filter(Pods::isReady).count()
            });
            return Result.done();
        }));
        return seen;
    }

    @Test
    void givenAController_whenAnotherVersionReplacesIt_thenAPodGoesUpAndAPodDownAtATime() {
        cluster.apply(version("app-v1", "1", 3)).settle();
        List<int[]> seen = watchPods();
        cluster.settle();
        Instant began = cluster.now();

        update().toController("app-v1", version("app-v2", "2", 3));
        cluster.settle();

        assertThat(cluster.get(ReplicationController.class, "app-v1")).isEmpty();
        assertThat(get("app-v2").getSpec().getReplicas()).isEqualTo(3);
        assertThat(get("app-v2").getMetadata().getAnnotations()).doesNotContainKeys(SOURCE, DESIRED);
        assertThat(cluster.pods("app-v2")).hasSize(3).allMatch(Pods::isReady);
        assertThat(cluster.pods()).hasSize(3);
        assertThat(seen).allMatch(s -> s[0] <= 4).allMatch(s -> s[1] >= 3);
        // A period after each step up.
        assertThat(Duration.between(began, cluster.now())).isGreaterThanOrEqualTo(Duration.ofMinutes(3));
        assertThat(lines)
                .containsExactly(
                        "Created app-v2",
                        "Scaling up app-v2 from 0 to 3, scaling down app-v1 from 3 to 0 (keep 3 pods available, don't"
                                + " exceed 4 pods)",
                        "Scaling app-v2 up to 1",
                        "Scaling app-v1 down to 2",
                        "Scaling app-v2 up to 2",
                        "Scaling app-v1 down to 1",
                        "Scaling app-v2 up to 3",
                        "Scaling app-v1 down to 0",
                        "Update succeeded. Deleting app-v1",
                        "replicationcontroller \"app-v1\" rolling updated to \"app-v2\"");
    }

    @Test
    void givenANewVersionWithoutReplicas_whenItReplaces_thenItTakesOverTheSize() {
        cluster.apply(version("app-v1", "1", 2)).settle();
        ReplicationController next = version("app-v2", "2", 1);
        next.getSpec().setReplicas(null);

        update().toController("app-v1", next);
        cluster.settle();

        assertThat(cluster.pods("app-v2")).hasSize(2);
    }

    @Test
    void givenABiggerSize_whenTheOldIsGone_thenTheNewGoesStraightToIt() {
        cluster.apply(version("app-v1", "1", 1)).settle();

        update().toController("app-v1", version("app-v2", "2", 5));
        cluster.settle();

        assertThat(cluster.pods("app-v2")).hasSize(5);
        assertThat(cluster.pods()).hasSize(5);
    }

    @Test
    void givenPodsThatNeverGetReady_whenNothingMoves_thenItGivesUpAndLeavesItsNotes() {
        cluster.apply(version("app-v1", "1", 2)).settle();
        ReplicationController broken = version("app-v2", "non-existent", 2);

        assertThatThrownBy(() -> update().toController("app-v1", broken))
                .isInstanceOf(RollingUpdateException.class)
                .hasMessageContaining("timed out waiting for any update progress to be made");

        assertThat(get("app-v1").getMetadata().getAnnotations()).containsEntry(ORIGINAL, "2");
        assertThat(get("app-v2").getMetadata().getAnnotations())
                .containsEntry(DESIRED, "2")
                .containsEntry(SOURCE, "app-v1:" + get("app-v1").getMetadata().getUid());
        assertThat(cluster.pods("app-v1")).hasSize(2).allMatch(Pods::isReady);
    }

    @Test
    void givenAnUpdateThatGaveUp_whenItIsRolledBack_thenTheOldVersionHasItsSizeAgain() {
        cluster.apply(version("app-v1", "1", 2)).settle();
        assertThatThrownBy(() -> update().toController("app-v1", version("app-v2", "non-existent", 2)))
                .isInstanceOf(RollingUpdateException.class);

        lines.clear();
        update().rollback("app-v1", "app-v2");
        cluster.settle();

        assertThat(cluster.get(ReplicationController.class, "app-v2")).isEmpty();
        assertThat(cluster.pods()).hasSize(2).allMatch(Pods::isReady);
        assertThat(cluster.pods("app-v1")).hasSize(2);
        assertThat(get("app-v1").getMetadata().getAnnotations() == null
                        || !get("app-v1").getMetadata().getAnnotations().containsKey(DESIRED))
                .isTrue();
    }

    @Test
    void givenAnUpdateThatGaveUp_whenItIsRunAgain_thenItContinues() {
        cluster.apply(version("app-v1", "1", 2)).settle();
        ReplicationController next = version("app-v2", "non-existent", 2);
        assertThatThrownBy(() -> update().toController("app-v1", next)).isInstanceOf(RollingUpdateException.class);
        // The image is there now: its pods are replaced by others that can start.
        cluster.edit(
                get("app-v2"),
                rc -> rc.getSpec()
                        .getTemplate()
                        .getSpec()
                        .getContainers()
                        .get(0)
                        .setImage("registry.example/app:2"));
        cluster.pods("app-v2").forEach(cluster::delete);
        cluster.settle();

        lines.clear();
        update().toController("app-v1", next);
        cluster.settle();

        assertThat(lines).contains("Continuing update with existing controller app-v2.");
        assertThat(cluster.pods()).hasSize(2).allMatch(Pods::isReady);
    }

    @Test
    void givenASingleContainer_whenOnlyTheImageChanges_thenTheNameStaysInTheEnd() {
        cluster.apply(replicationController("app", 2)).settle();

        update().toImage("app", null, new ImageUpdate.Change("registry.example/app:2", null, null, "deployment"));
        cluster.settle();

        assertThat(cluster.list(ReplicationController.class)).hasSize(1);
        ReplicationController app = get("app");
        assertThat(app.getSpec().getTemplate().getSpec().getContainers().get(0).getImage())
                .isEqualTo("registry.example/app:2");
        assertThat(app.getSpec().getSelector()).containsKey("deployment");
        assertThat(cluster.pods("app"))
                .hasSize(2)
                .allMatch(Pods::isReady)
                .allMatch(p -> p.getSpec().getContainers().get(0).getImage().equals("registry.example/app:2"));
        assertThat(cluster.pods()).hasSize(2);
        assertThat(lines).anyMatch(line -> line.matches("Renaming app-[0-9a-f]+ to app"));
        assertThat(lines).last().isEqualTo("replicationcontroller \"app\" rolling updated");
    }

    @Test
    void givenSelectorsThatOverlap_whenUpdating_thenItIsRefused() {
        cluster.apply(version("app-v1", "1", 1)).settle();

        assertThatThrownBy(() -> update().toController("app-v1", version("app-v2", "1", 1)))
                .isInstanceOf(RollingUpdateException.class);
        assertThat(cluster.list(ReplicationController.class)).hasSize(1);
    }

    @Test
    void givenAnIncidentalPeriod_whenShort_thenTheUpdateIsAsQuickAsItsPods() {
        cluster.apply(version("app-v1", "1", 10)).settle();
        Instant began = cluster.now();

        update(new RollingUpdate.Options(Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ofMinutes(5)))
                .toController("app-v1", version("app-v2", "2", 10));

        assertThat(Duration.between(began, cluster.now())).isLessThan(Duration.ofMinutes(2));
    }
}
