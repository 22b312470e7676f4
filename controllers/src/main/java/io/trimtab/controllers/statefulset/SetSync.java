package io.trimtab.controllers.statefulset;

import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.ControllerRevision;
import io.fabric8.kubernetes.api.model.apps.RollingUpdateStatefulSetStrategy;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetPersistentVolumeClaimRetentionPolicy;
import io.fabric8.kubernetes.api.model.apps.StatefulSetStatus;
import io.fabric8.kubernetes.api.model.apps.StatefulSetStatusBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.controller.Parallel;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.controllers.pods.SlowStart;
import io.trimtab.controllers.revisions.Revisions;
import io.trimtab.ownership.OwnerReferences;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * One look at one StatefulSet: makes what is missing from the lowest ordinal up, removes what is too much from the highest down,
 * then moves one pod on to the new revision. In order, each step waits for the pods before it. Belongs to one reconcile.
 */
final class SetSync {
    private final StatefulSetController controller;
    private final StatefulSet set;
    private final List<Pod> members;
    private final ControllerRevision current;
    private final ControllerRevision update;
    private final Instant now;
    private final int start;
    private final int minReady;
    private final boolean ordered;
    private final StatefulSetStatus status;
    private @Nullable Duration again;

    SetSync(
            StatefulSetController controller,
            StatefulSet set,
            List<Pod> members,
            ControllerRevision current,
            ControllerRevision update) {
        this.controller = controller;
        this.set = set;
        this.members = members;
        this.current = current;
        this.update = update;
        this.now = controller.driver.now();
        this.start = set.getSpec().getOrdinals() == null
                        || set.getSpec().getOrdinals().getStart() == null
                ? 0
                : set.getSpec().getOrdinals().getStart();
        this.minReady =
                set.getSpec().getMinReadySeconds() == null ? 0 : set.getSpec().getMinReadySeconds();
        this.ordered = !"Parallel".equals(set.getSpec().getPodManagementPolicy());
        this.status = count();
    }

    StatefulSetStatus status() {
        completeRollout();
        return status;
    }

    @Nullable
    Duration again() {
        return again;
    }

    private int wanted() {
        return set.getSpec().getReplicas() == null ? 1 : set.getSpec().getReplicas();
    }

    private StatefulSetStatus count() {
        int created = 0;
        int ready = 0;
        int available = 0;
        int ofCurrent = 0;
        int ofUpdate = 0;
        for (Pod pod : members) {
            if (!Members.isCreated(pod)) {
                continue;
            }
            created++;
            if (Members.isRunningAndReady(pod)) {
                ready++;
                available += Members.isRunningAndAvailable(pod, minReady, now) ? 1 : 0;
            }
            if (!Pods.isDeleting(pod)) {
                ofCurrent += Members.revision(pod).equals(current.getMetadata().getName()) ? 1 : 0;
                ofUpdate += Members.revision(pod).equals(update.getMetadata().getName()) ? 1 : 0;
            }
        }
        StatefulSetStatus old = set.getStatus() == null ? new StatefulSetStatus() : set.getStatus();
        return new StatefulSetStatusBuilder(old)
                .withObservedGeneration(set.getMetadata().getGeneration())
                .withReplicas(created)
                .withReadyReplicas(orNull(ready))
                .withAvailableReplicas(available)
                .withCurrentReplicas(orNull(ofCurrent))
                .withUpdatedReplicas(orNull(ofUpdate))
                .withCurrentRevision(current.getMetadata().getName())
                .withUpdateRevision(update.getMetadata().getName())
                .withCollisionCount(old.getCollisionCount() == null ? 0 : old.getCollisionCount())
                .build();
    }

    private static @Nullable Integer orNull(int count) {
        return count == 0 ? null : count;
    }

    private static int orZero(@Nullable Integer count) {
        return count == null ? 0 : count;
    }

    private void completeRollout() {
        int replicas = orZero(status.getReplicas());
        if (isRolling()
                && orZero(status.getUpdatedReplicas()) == replicas
                && orZero(status.getReadyReplicas()) == replicas
                && replicas == wanted()) {
            status.setCurrentReplicas(status.getUpdatedReplicas());
            status.setCurrentRevision(status.getUpdateRevision());
        }
    }

    private boolean isRolling() {
        return set.getSpec().getUpdateStrategy() == null
                || !"OnDelete".equals(set.getSpec().getUpdateStrategy().getType());
    }

    private @Nullable RollingUpdateStatefulSetStrategy rolling() {
        return set.getSpec().getUpdateStrategy() == null
                ? null
                : set.getSpec().getUpdateStrategy().getRollingUpdate();
    }

    private int partition() {
        RollingUpdateStatefulSetStrategy rolling = rolling();
        return rolling == null || rolling.getPartition() == null ? 0 : rolling.getPartition();
    }

    // ---- steps

    void run() throws Exception {
        if (set.getMetadata().getDeletionTimestamp() != null) {
            return;
        }
        int count = wanted();
        @Nullable Pod[] replicas = new Pod[count];
        List<Pod> condemned = new ArrayList<>();
        for (Pod pod : members) {
            int ordinal = Members.ordinal(set, pod);
            if (ordinal >= start && ordinal < start + count) {
                replicas[ordinal - start] = pod;
            } else if (ordinal >= 0) {
                condemned.add(pod);
            }
        }
        condemned.sort(
                Comparator.comparingInt((Pod pod) -> Members.ordinal(set, pod)).reversed());
        Pod firstUnhealthy = firstUnhealthy(replicas, condemned);
        if (processReplicas(replicas)) {
            return;
        }
        for (Pod pod : condemned) {
            keepClaims(pod, true);
        }
        if (removeCondemned(condemned, firstUnhealthy)) {
            return;
        }
        if (isRolling()) {
            roll(replicas);
        }
    }

    private static @Nullable Pod firstUnhealthy(@Nullable Pod[] replicas, List<Pod> condemned) {
        for (Pod pod : replicas) {
            if (pod == null || !Members.isHealthy(pod)) {
                return pod;
            }
        }
        for (int i = condemned.size() - 1; i >= 0; i--) {
            if (!Members.isHealthy(condemned.get(i))) {
                return condemned.get(i);
            }
        }
        return null;
    }

    /** @return true if all else has to wait */
    private boolean processReplicas(@Nullable Pod[] replicas) throws Exception {
        if (ordered) {
            for (int i = 0; i < replicas.length; i++) {
                if (processReplica(start + i, replicas[i])) {
                    return true;
                }
            }
            return false;
        }
        List<Callable<Boolean>> calls = new ArrayList<>();
        for (int i = 0; i < replicas.length; i++) {
            int ordinal = start + i;
            Pod pod = replicas[i];
            calls.add(() -> processReplica(ordinal, pod));
        }
        List<Parallel.Outcome<Boolean>> outcomes = SlowStart.run(controller.driver, calls);
        SlowStart.throwFirst(outcomes);
        return outcomes.size() < calls.size() || outcomes.stream().anyMatch(o -> Boolean.TRUE.equals(o.value()));
    }

    private boolean processReplica(int ordinal, @Nullable Pod pod) {
        if (pod == null) {
            create(ordinal);
            return ordered;
        }
        if (Pods.isTerminal(pod)) {
            if (!Pods.isDeleting(pod)) {
                controller.delete(set, pod);
            }
            return true; // a new one is made when this one is gone
        }
        if (Pods.phase(pod).equals("Pending") && !Pods.isDeleting(pod)) {
            createClaims(ordinal);
        }
        boolean available = Members.isRunningAndAvailable(pod, minReady, now);
        if (!available) {
            Duration wait = controller.untilAvailable(pod, minReady);
            if (wait != null) {
                lookAgain(wait);
            }
        }
        if (ordered && (Pods.isDeleting(pod) || !available)) {
            return true;
        }
        repair(ordinal, pod);
        return false;
    }

    private synchronized void lookAgain(Duration wait) {
        again = again == null || wait.compareTo(again) < 0 ? wait : again;
    }

    private void create(int ordinal) {
        createClaims(ordinal);
        RollingUpdateStatefulSetStrategy rolling = rolling();
        int keep = rolling == null ? orZero(status.getCurrentReplicas()) : partition();
        boolean old = isRolling() && ordinal < start + keep;
        ControllerRevision revision = old ? current : update;
        PodTemplateSpec template =
                old ? Revisions.template(current) : set.getSpec().getTemplate();
        String name = Members.name(set, ordinal);
        try {
            controller.client.create(
                    PodControl.PODS,
                    Members.pod(set, template, revision.getMetadata().getName(), ordinal));
        } catch (ApiException e) {
            if (!e.isAlreadyExists() && !PodControl.isNamespaceTerminating(e)) {
                controller.tell(set, "Create", "create Pod " + name, e);
            }
            throw e;
        }
        controller.tell(set, "Create", "create Pod " + name, null);
    }

    private void createClaims(int ordinal) {
        String pod = Members.name(set, ordinal);
        for (PersistentVolumeClaim claim : Members.claims(set, ordinal).values()) {
            String name = claim.getMetadata().getName();
            PersistentVolumeClaim there = controller
                    .claims
                    .get(set.getMetadata().getNamespace(), name)
                    .orElse(null);
            if (there != null) {
                if (there.getMetadata().getDeletionTimestamp() != null) {
                    throw new IllegalStateException("pvc " + name + " is being deleted");
                }
                continue;
            }
            String what = "create Claim " + name + " Pod " + pod;
            OwnerReference owner = claimOwner(null, false);
            PersistentVolumeClaim fresh = owner == null
                    ? claim
                    : new PersistentVolumeClaimBuilder(claim)
                            .editMetadata()
                            .withOwnerReferences(owner)
                            .endMetadata()
                            .build();
            try {
                controller.client.create(StatefulSetController.CLAIMS, fresh);
            } catch (ApiException e) {
                if (e.isAlreadyExists()) {
                    continue;
                }
                if (!PodControl.isNamespaceTerminating(e)) {
                    controller.tell(set, "Create", what, e);
                }
                throw e;
            }
            controller.tell(set, "Create", what, null);
        }
    }

    /** Labels that say who the pod is, which adopted pods may lack. */
    private void repair(int ordinal, Pod pod) {
        Map<String, String> identity = Members.identity(pod.getMetadata().getName(), ordinal);
        Map<String, String> labels = pod.getMetadata().getLabels();
        if (labels == null || !labels.entrySet().containsAll(identity.entrySet())) {
            Map<String, String> all = new HashMap<>(Objects.requireNonNullElse(labels, Map.of()));
            all.putAll(identity);
            String what = "update Pod " + pod.getMetadata().getName();
            try {
                controller.client.update(
                        PodControl.PODS,
                        new PodBuilder(pod)
                                .editMetadata()
                                .withLabels(all)
                                .endMetadata()
                                .build());
            } catch (ApiException e) {
                controller.tell(set, "Update", what, e);
                throw e;
            }
            controller.tell(set, "Update", what, null);
        }
        keepClaims(pod, false);
    }

    private boolean removeCondemned(List<Pod> condemned, @Nullable Pod firstUnhealthy) {
        for (Pod pod : condemned) {
            if (Pods.isDeleting(pod)) {
                if (ordered) {
                    return true;
                }
                continue;
            }
            if (ordered && !Members.isRunningAndAvailable(pod, minReady, now) && pod != firstUnhealthy) {
                Duration wait = controller.untilAvailable(pod, minReady);
                if (wait != null) {
                    lookAgain(wait);
                }
                return true;
            }
            controller.delete(set, pod);
            if (ordered) {
                return true;
            }
        }
        return false;
    }

    /** Moves the highest pod on that is not of the new revision, when all above it are well. */
    private void roll(@Nullable Pod[] replicas) {
        for (int i = replicas.length - 1; i >= partition(); i--) {
            Pod pod = replicas[i];
            if (pod == null) {
                return; // made just now
            }
            if (!Members.revision(pod).equals(update.getMetadata().getName()) && !Pods.isDeleting(pod)) {
                controller.delete(set, pod);
                return;
            }
            if (Pods.isDeleting(pod) || !Members.isRunningAndAvailable(pod, minReady, now)) {
                return;
            }
        }
    }

    // ---- who deletes the claims

    /** The owner with which a claim goes; null if it stays. */
    private @Nullable OwnerReference claimOwner(@Nullable Pod pod, boolean condemned) {
        StatefulSetPersistentVolumeClaimRetentionPolicy policy =
                set.getSpec().getPersistentVolumeClaimRetentionPolicy();
        boolean whenScaled = policy != null && "Delete".equals(policy.getWhenScaled());
        boolean whenDeleted = policy != null && "Delete".equals(policy.getWhenDeleted());
        if (condemned && whenScaled && pod != null) {
            OwnerReference reference = OwnerReferences.newControllerRef(pod);
            reference.setApiVersion("v1");
            reference.setKind("Pod");
            return reference;
        }
        return whenDeleted ? OwnerReferences.newControllerRef(set) : null;
    }

    private void keepClaims(Pod pod, boolean condemned) {
        int ordinal = Members.ordinal(set, pod);
        OwnerReference wanted = claimOwner(pod, condemned);
        for (PersistentVolumeClaim template : Members.claims(set, ordinal).values()) {
            PersistentVolumeClaim claim = controller
                    .claims
                    .get(
                            set.getMetadata().getNamespace(),
                            template.getMetadata().getName())
                    .orElse(null);
            if (claim == null) {
                continue;
            }
            List<OwnerReference> references =
                    new ArrayList<>(claim.getMetadata().getOwnerReferences());
            boolean foreign =
                    references.stream().anyMatch(r -> Boolean.TRUE.equals(r.getController()) && !isOurs(r, pod));
            if (foreign) {
                if (wanted != null) {
                    controller.events.warning(
                            claim,
                            "ConflictingController",
                            "PersistentVolumeClaim " + claim.getMetadata().getName()
                                    + " has a conflicting OwnerReference that acts as a manging controller, the"
                                    + " retention policy is ignored for this claim");
                }
                continue;
            }
            references.removeIf(r -> isOurs(r, pod));
            if (wanted != null) {
                references.add(wanted);
            }
            if (!references.equals(claim.getMetadata().getOwnerReferences())) {
                controller.client.update(
                        StatefulSetController.CLAIMS,
                        new PersistentVolumeClaimBuilder(claim)
                                .editMetadata()
                                .withOwnerReferences(references)
                                .endMetadata()
                                .build());
            }
        }
    }

    private boolean isOurs(OwnerReference reference, Pod pod) {
        return set.getMetadata().getUid().equals(reference.getUid())
                || pod.getMetadata().getName().equals(reference.getName()) && "Pod".equals(reference.getKind());
    }
}
