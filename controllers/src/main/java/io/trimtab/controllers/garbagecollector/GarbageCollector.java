package io.trimtab.controllers.garbagecollector;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.PartialObjectMetadata;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Parallel;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.garbagecollector.OwnerGraph.Dependent;
import io.trimtab.controllers.garbagecollector.OwnerGraph.Identity;
import io.trimtab.controllers.garbagecollector.OwnerGraph.Seen;
import io.trimtab.events.EventRecorder;
import io.trimtab.runtime.Driver;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes objects all of whose owners are gone, holds foreground-deleted owners until their dependents are gone, and sets the
 * dependents of orphaning owners free. A key is the uid of an object to look at; every decision is checked against the server
 * before anything is deleted, for caches may be behind: on doubt nothing is.
 */
public final class GarbageCollector implements Reconciler {
    private static final Logger log = LoggerFactory.getLogger(GarbageCollector.class);

    /** The name under which the controller is switched on and off. */
    public static final String NAME = "garbage-collector-controller";

    private static final String COMPONENT = "garbage-collector-controller";
    private static final int TRIES = 5;

    private final Client client;
    private final Driver driver;
    private final EventRecorder events;
    private final MonitoredResources resources;
    private final OwnerGraph graph;

    private volatile @Nullable Enqueuer queue;

    private GarbageCollector(Manager manager) {
        this.client = manager.client("generic-garbage-collector");
        this.driver = manager.driver();
        this.events = manager.events(COMPONENT);
        this.graph = new OwnerGraph(this::wake);
        this.resources = new MonitoredResources(manager, client, graph);
    }

    /** Adds the collector, and the monitors that feed it, to a manager. */
    public static void addTo(Manager manager) {
        GarbageCollector collector = new GarbageCollector(manager);
        manager.add(Controller.named(NAME)
                .feeds(queue -> collector.queue = queue)
                .workers(20)
                .reconcile(collector));
        manager.add(collector.resources);
    }

    private void wake(String uid) {
        Enqueuer target = queue;
        if (target != null) {
            target.add(new Request("", uid));
        }
    }

    @Override
    public Result reconcile(Request request) {
        Seen item = graph.get(request.name());
        if (item == null || item.deleting() && !item.deletingDependents() && !item.orphaning()) {
            return Result.done();
        }
        ResourceType<PartialObjectMetadata> type = resources.typeOf(item.identity());
        if (type == null) {
            if (item.virtual()) {
                // Nothing of that kind is served: whether it exists cannot be known. Look again when that may have
                // changed.
                throw new IllegalStateException("no resource is known for " + item.identity());
            }
            return Result.again();
        }
        if (type.namespaced() && item.identity().namespace().isEmpty()) {
            // A cluster-scoped object names a namespaced owner: that is invalid, and nothing is deleted because of it.
            return Result.done();
        }
        PartialObjectMetadata latest = read(type, item.identity()).orElse(null);
        if (latest == null) {
            if (item.virtual()) {
                graph.provenAbsent(item.identity());
            } else {
                graph.deleted(request.name());
            }
            return Result.done();
        }
        if (item.virtual()) {
            return Result.again(); // it exists: the monitor will tell
        }
        if (item.orphaning()) {
            orphanDependents(type, item);
            return Result.done();
        }
        if (item.deletingDependents()) {
            processForeground(type, item);
            return Result.done();
        }
        if (!latest.getMetadata().getOwnerReferences().isEmpty()) {
            collect(type, item, latest);
        }
        return Result.done();
    }

    private Optional<PartialObjectMetadata> read(ResourceType<PartialObjectMetadata> type, Identity identity) {
        return client.get(type, type.namespaced() ? identity.namespace() : null, identity.name())
                .filter(found -> identity.uid().equals(found.getMetadata().getUid()));
    }

    // ---- owners

    private enum OwnerState {
        /** Does not exist (any more). */
        DANGLING,
        /** Is being deleted in the foreground, and waits for its dependents. */
        WAITING,
        /** Exists. */
        SOLID,
        /** Cannot be an owner, so nothing can be said of it. */
        INVALID
    }

    private void collect(ResourceType<PartialObjectMetadata> type, Seen item, PartialObjectMetadata latest) {
        List<OwnerReference> dangling = new ArrayList<>();
        List<OwnerReference> waiting = new ArrayList<>();
        boolean solid = false;
        for (OwnerReference reference : latest.getMetadata().getOwnerReferences()) {
            switch (state(reference, item.identity())) {
                case DANGLING -> dangling.add(reference);
                case WAITING -> waiting.add(reference);
                case SOLID -> solid = true;
                case INVALID -> {
                    return; // never deleted; trying again would find the same
                }
            }
        }
        if (solid) {
            Set<String> gone = new HashSet<>();
            dangling.forEach(reference -> gone.add(reference.getUid()));
            waiting.forEach(reference -> gone.add(reference.getUid()));
            if (!gone.isEmpty()) {
                removeOwners(type, item.identity(), gone);
            }
            return;
        }
        if (!waiting.isEmpty() && !item.dependents().isEmpty()) {
            if (item.dependents().stream().anyMatch(Dependent::deletingDependents)) {
                // A circle of foreground deletions would wait for itself: this one stops blocking.
                unblockOwners(type, item.identity(), latest);
            }
            delete(type, item.identity(), latest, "Foreground");
            return;
        }
        List<String> finalizers = latest.getMetadata().getFinalizers();
        String policy = finalizers.contains(OwnerGraph.ORPHAN)
                ? "Orphan"
                : finalizers.contains(OwnerGraph.FOREGROUND) ? "Foreground" : "Background";
        delete(type, item.identity(), latest, policy);
    }

    private OwnerState state(OwnerReference reference, Identity dependent) {
        Identity named = OwnerGraph.named(reference, dependent.namespace());
        ResourceType<PartialObjectMetadata> type = resources.typeOf(named);
        if (type == null) {
            throw new IllegalStateException("no matches for kind \"" + reference.getKind() + "\" in version \""
                    + reference.getApiVersion() + "\", an owner of " + dependent);
        }
        if (type.namespaced() && dependent.namespace().isEmpty()) {
            log.warn(
                    "Cluster-scoped object names a namespaced owner, it is left alone: dependent={} owner={}",
                    dependent,
                    reference.getName());
            return OwnerState.INVALID;
        }
        Identity where = type.namespaced()
                ? named
                : new Identity(named.apiVersion(), named.kind(), "", named.name(), named.uid());
        if (graph.isKnownAbsent(where)) {
            return OwnerState.DANGLING;
        }
        PartialObjectMetadata owner = read(type, where).orElse(null);
        if (owner == null) {
            graph.rememberAbsent(where);
            warnIfElsewhere(reference, dependent);
            return OwnerState.DANGLING;
        }
        boolean isWaiting = owner.getMetadata().getDeletionTimestamp() != null
                && owner.getMetadata().getFinalizers().contains(OwnerGraph.FOREGROUND);
        return isWaiting ? OwnerState.WAITING : OwnerState.SOLID;
    }

    /** The owner does exist, in another namespace: most likely a mistake somebody wants to hear of. */
    private void warnIfElsewhere(OwnerReference reference, Identity dependent) {
        Seen seen = graph.get(reference.getUid());
        if (seen == null || seen.virtual() || seen.identity().namespace().equals(dependent.namespace())) {
            return;
        }
        events.record(
                new ObjectReferenceBuilder()
                        .withApiVersion(dependent.apiVersion())
                        .withKind(dependent.kind())
                        .withNamespace(dependent.namespace())
                        .withName(dependent.name())
                        .withUid(dependent.uid())
                        .build(),
                "Warning",
                "OwnerRefInvalidNamespace",
                "ownerRef " + OwnerGraph.named(reference, dependent.namespace()) + " does not exist in namespace \""
                        + dependent.namespace() + "\"");
    }

    // ---- foreground and orphan

    private void processForeground(ResourceType<PartialObjectMetadata> type, Seen item) {
        List<Dependent> blocking =
                item.dependents().stream().filter(Dependent::blocking).toList();
        if (blocking.isEmpty()) {
            removeFinalizer(type, item.identity(), OwnerGraph.FOREGROUND);
            return;
        }
        blocking.stream()
                .filter(dependent -> !dependent.deletingDependents())
                .forEach(dependent -> wake(dependent.identity().uid()));
    }

    private void orphanDependents(ResourceType<PartialObjectMetadata> type, Seen item) {
        List<Callable<Boolean>> calls = new ArrayList<>();
        for (Dependent dependent : item.dependents()) {
            calls.add(() -> {
                ResourceType<PartialObjectMetadata> dependentType = resources.typeOf(dependent.identity());
                if (dependentType == null) {
                    throw new IllegalStateException("no resource is known for " + dependent.identity());
                }
                removeOwners(
                        dependentType,
                        dependent.identity(),
                        Set.of(item.identity().uid()));
                return true;
            });
        }
        for (Parallel.Outcome<Boolean> outcome : Parallel.run(driver, calls)) {
            if (outcome.failure() != null) {
                throw new IllegalStateException(
                        "dependents of " + item.identity() + " could not all be set free", outcome.failure());
            }
        }
        removeFinalizer(type, item.identity(), OwnerGraph.ORPHAN);
    }

    // ---- writes

    /** Takes owners off an object that still is the one we know; an object that is gone has none. */
    private void removeOwners(ResourceType<PartialObjectMetadata> type, Identity identity, Set<String> owners) {
        List<Map<String, String>> references = new ArrayList<>();
        owners.forEach(uid -> references.add(Map.of("$patch", "delete", "uid", uid)));
        Map<String, Object> metadata = Map.of("uid", identity.uid(), "ownerReferences", references);
        try {
            patch(type, identity, Patch.strategic(Serialization.asJson(Map.of("metadata", metadata))));
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return;
            }
            if (e.code() != 415) {
                throw e;
            }
            // Custom resources know no strategic merge.
            rewrite(type, identity, latest -> {
                List<OwnerReference> kept = latest.getMetadata().getOwnerReferences().stream()
                        .filter(reference -> !owners.contains(reference.getUid()))
                        .toList();
                return Map.of("ownerReferences", kept);
            });
        }
    }

    private void unblockOwners(
            ResourceType<PartialObjectMetadata> type, Identity identity, PartialObjectMetadata latest) {
        List<OwnerReference> references = latest.getMetadata().getOwnerReferences().stream()
                .map(reference -> new OwnerReferenceBuilder(reference)
                        .withBlockOwnerDeletion(false)
                        .build())
                .toList();
        rewrite(type, identity, now -> Map.of("ownerReferences", references));
    }

    private void removeFinalizer(ResourceType<PartialObjectMetadata> type, Identity identity, String finalizer) {
        rewrite(type, identity, latest -> {
            List<String> finalizers = latest.getMetadata().getFinalizers();
            return finalizers.contains(finalizer)
                    ? Map.of(
                            "finalizers",
                            finalizers.stream()
                                    .filter(f -> !f.equals(finalizer))
                                    .toList())
                    : null;
        });
    }

    /** What of the metadata is to be written; null for nothing. */
    private interface Rewrite {
        @Nullable
        Map<String, ?> metadata(PartialObjectMetadata latest);
    }

    private void rewrite(ResourceType<PartialObjectMetadata> type, Identity identity, Rewrite rewrite) {
        for (int attempt = 1; ; attempt++) {
            PartialObjectMetadata latest = read(type, identity).orElse(null);
            Map<String, ?> change = latest == null ? null : rewrite.metadata(latest);
            if (latest == null || change == null) {
                return;
            }
            Map<String, Object> metadata = new HashMap<>(change);
            metadata.put("uid", identity.uid());
            metadata.put("resourceVersion", latest.getMetadata().getResourceVersion());
            try {
                patch(type, identity, Patch.merge(Serialization.asJson(Map.of("metadata", metadata))));
                return;
            } catch (ApiException e) {
                if (e.isNotFound()) {
                    return;
                }
                if (!e.isConflict() || attempt == TRIES) {
                    throw e;
                }
            }
        }
    }

    private void patch(ResourceType<PartialObjectMetadata> type, Identity identity, Patch patch) {
        client.patch(type, type.namespaced() ? identity.namespace() : null, identity.name(), patch);
    }

    private void delete(
            ResourceType<PartialObjectMetadata> type, Identity identity, HasMetadata latest, String policy) {
        String revision = latest.getMetadata().getResourceVersion();
        try {
            client.delete(
                    type,
                    type.namespaced() ? identity.namespace() : null,
                    identity.name(),
                    options(identity, revision, policy));
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return;
            }
            if (!e.isConflict()) {
                throw e;
            }
            deleteChanged(type, identity, latest, policy, e);
        }
    }

    /** The object changed since it was looked at: if not in its owners, it is deleted all the same. */
    private void deleteChanged(
            ResourceType<PartialObjectMetadata> type,
            Identity identity,
            HasMetadata looked,
            String policy,
            ApiException conflict) {
        PartialObjectMetadata now = read(type, identity).orElse(null);
        if (now == null) {
            return;
        }
        if (!now.getMetadata().getOwnerReferences().equals(looked.getMetadata().getOwnerReferences())) {
            throw conflict; // other owners, another decision: look again
        }
        try {
            client.delete(
                    type,
                    type.namespaced() ? identity.namespace() : null,
                    identity.name(),
                    options(identity, null, policy));
        } catch (ApiException e) {
            if (!e.isNotFound()) {
                throw e;
            }
        }
    }

    private static DeleteOptions options(Identity identity, @Nullable String revision, String policy) {
        return new DeleteOptionsBuilder()
                .withNewPreconditions()
                .withUid(identity.uid())
                .withResourceVersion(revision)
                .endPreconditions()
                .withPropagationPolicy(policy)
                .build();
    }
}
