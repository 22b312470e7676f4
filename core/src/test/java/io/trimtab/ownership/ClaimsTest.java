package io.trimtab.ownership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import io.trimtab.client.MemoryClient;
import io.trimtab.client.ResourceType;
import io.trimtab.ownership.Claims.Decision;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClaimsTest {
    private static final ResourceType<Pod> PODS = ResourceType.of(Pod.class);
    private static final ResourceType<ReplicaSet> SETS = ResourceType.of(ReplicaSet.class);

    private final MemoryClient client = new MemoryClient();
    private final Claims<Pod> claims = new Claims<>(client, PODS);
    private final LabelSelector selector = LabelSelectors.parse("app=web");
    private ReplicaSet owner;

    @BeforeEach
    void createOwner() {
        owner = client.create(
                SETS,
                new ReplicaSetBuilder()
                        .withNewMetadata()
                        .withNamespace("shop")
                        .withName("web")
                        .withUid("owner-uid")
                        .endMetadata()
                        .build());
        client.calls.clear();
    }

    private static Pod pod(String name, String app) {
        return new PodBuilder()
                .withNewMetadata()
                .withNamespace("shop")
                .withName(name)
                .addToLabels("app", app)
                .endMetadata()
                .build();
    }

    private static Pod controlledBy(Pod pod, String uid) {
        return new PodBuilder(pod)
                .editMetadata()
                .addToOwnerReferences(new OwnerReferenceBuilder()
                        .withApiVersion("apps/v1")
                        .withKind("ReplicaSet")
                        .withName("web")
                        .withUid(uid)
                        .withController(true)
                        .build())
                .endMetadata()
                .build();
    }

    private static Pod deleted(Pod pod) {
        return new PodBuilder(pod)
                .editMetadata()
                .withDeletionTimestamp("2026-01-01T00:00:00Z")
                .endMetadata()
                .build();
    }

    @Test
    void givenEachSituation_whenDecided_thenItIsAsKubernetesDoes() {
        Pod orphan = pod("a", "web");
        Pod ours = controlledBy(orphan, "owner-uid");
        Pod theirs = controlledBy(orphan, "other-uid");
        ReplicaSet dying = new ReplicaSetBuilder(owner)
                .editMetadata()
                .withDeletionTimestamp("2026-01-01T00:00:00Z")
                .endMetadata()
                .build();
        Pod elsewhere = new PodBuilder(orphan)
                .editMetadata()
                .withNamespace("other")
                .endMetadata()
                .build();

        assertThat(Claims.decide(owner, theirs, true)).isEqualTo(Decision.IGNORE);
        assertThat(Claims.decide(owner, ours, true)).isEqualTo(Decision.KEEP);
        assertThat(Claims.decide(dying, ours, true)).isEqualTo(Decision.KEEP);
        assertThat(Claims.decide(owner, ours, false)).isEqualTo(Decision.RELEASE);
        assertThat(Claims.decide(dying, ours, false)).isEqualTo(Decision.IGNORE);
        assertThat(Claims.decide(owner, orphan, true)).isEqualTo(Decision.ADOPT);
        assertThat(Claims.decide(owner, orphan, false)).isEqualTo(Decision.IGNORE);
        assertThat(Claims.decide(dying, orphan, true)).isEqualTo(Decision.IGNORE);
        assertThat(Claims.decide(owner, deleted(orphan), true)).isEqualTo(Decision.IGNORE);
        assertThat(Claims.decide(owner, elsewhere, true)).isEqualTo(Decision.IGNORE);
    }

    @Test
    void givenOrphans_whenClaimed_thenTheyAreAdoptedAfterOneLookAtTheOwner() {
        Pod a = client.create(PODS, pod("a", "web"));
        Pod b = client.create(PODS, pod("b", "web"));
        client.calls.clear();

        List<Pod> claimed = claims.claim(SETS, owner, selector, List.of(a, b));

        assertThat(claimed).hasSize(2).allMatch(p -> OwnerReferences.isControlledBy(p, owner));
        assertThat(client.calls).hasSize(3).first().isEqualTo("get replicasets shop/web");
        assertThat(client.calls.get(1))
                .isEqualTo("patch pods shop/a {\"metadata\":{\"ownerReferences\":[{\"apiVersion\":\"apps/v1\","
                        + "\"kind\":\"ReplicaSet\",\"name\":\"web\",\"uid\":\"owner-uid\",\"controller\":true,"
                        + "\"blockOwnerDeletion\":true}],\"uid\":\""
                        + a.getMetadata().getUid() + "\"}}");
    }

    @Test
    void givenAPodThatNoLongerMatches_whenClaimed_thenItIsReleased() {
        Pod pod = client.create(PODS, controlledBy(pod("a", "other"), "owner-uid"));

        assertThat(claims.claim(SETS, owner, selector, List.of(pod))).isEmpty();

        assertThat(client.all(PODS).get(0).getMetadata().getOwnerReferences()).isEmpty();
        assertThat(client.calls.get(client.calls.size() - 1))
                .contains("{\"$patch\":\"delete\",\"uid\":\"owner-uid\"}")
                .contains("\"uid\":\"" + pod.getMetadata().getUid() + "\"");
    }

    @Test
    void givenAnOwnerMadeAnew_whenOrphansMatch_thenNoneIsAdopted() {
        Pod pod = client.create(PODS, pod("a", "web"));
        ReplicaSet stale = new ReplicaSetBuilder(owner)
                .editMetadata()
                .withUid("old-uid")
                .endMetadata()
                .build();

        assertThatThrownBy(() -> claims.claim(SETS, stale, selector, List.of(pod)))
                .isInstanceOf(ClaimException.class)
                .hasMessageContaining("can't adopt Pod shop/a")
                .hasMessageContaining("got uid owner-uid, wanted old-uid");
    }

    @Test
    void givenPodsThatAreGone_whenAdoptedOrReleased_thenItIsNoError() {
        Pod orphan = new PodBuilder(pod("a", "web"))
                .editMetadata()
                .withUid("u")
                .endMetadata()
                .build();
        Pod former = controlledBy(pod("b", "other"), "owner-uid");

        assertThat(claims.claim(SETS, owner, selector, List.of(orphan, former))).isEmpty();
    }

    @Test
    void givenOneRefusal_whenOthersFollow_thenAllAreTriedAndThenItFails() {
        Pod a = client.create(PODS, pod("a", "web"));
        Pod b = client.create(PODS, pod("b", "web"));
        client.failNext(null, MemoryClient.refusal(500, "InternalError"));

        assertThatThrownBy(() -> claims.claim(SETS, owner, selector, List.of(a, b)))
                .isInstanceOf(ClaimException.class)
                .hasMessage("InternalError for the test");
        assertThat(client.all(PODS).get(1).getMetadata().getOwnerReferences()).hasSize(1);
    }

    @Test
    void givenFinalizers_whenAdopted_thenTheyAreInTheSamePatch() {
        Pod pod = client.create(PODS, pod("a", "web"));
        Claims<Pod> tracking = new Claims<>(client, PODS, List.of("batch.kubernetes.io/job-tracking"));

        tracking.claim(SETS, owner, selector, List.of(pod));

        assertThat(client.all(PODS).get(0).getMetadata().getFinalizers())
                .containsExactly("batch.kubernetes.io/job-tracking");
    }
}
