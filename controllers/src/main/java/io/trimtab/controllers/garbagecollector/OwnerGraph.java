package io.trimtab.controllers.garbagecollector;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who owns whom, over all resources, by uid. Each change says which objects must be looked at because of it; looking is the
 * collector's business. Safe for use by any thread: one lock, held for moments, never over I/O or a callback.
 *
 * <p>An owner that somebody names but nobody has seen stands in the graph as <em>virtual</em> until it is seen, or proven absent.
 */
final class OwnerGraph {
    static final String FOREGROUND = "foregroundDeletion";
    static final String ORPHAN = "orphan";

    /**
     * Where an object lives.
     *
     * @param namespace empty for cluster-scoped objects
     */
    record Identity(String apiVersion, String kind, String namespace, String name, String uid) {
        // By hand: the graph asks for every event, and what is made for a record is slow until it is well warmed up.
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Identity identity
                    && uid.equals(identity.uid)
                    && name.equals(identity.name)
                    && namespace.equals(identity.namespace)
                    && kind.equals(identity.kind)
                    && apiVersion.equals(identity.apiVersion);
        }

        @Override
        public int hashCode() {
            return uid.hashCode() * 31 + name.hashCode();
        }

        @Override
        public String toString() {
            return "[" + apiVersion + "/" + kind + ", namespace: " + namespace + ", name: " + name + ", uid: " + uid
                    + "]";
        }
    }

    /**
     * An object as the graph knew it at one moment.
     *
     * @param virtual named by others, never seen
     * @param deleting has a deletionTimestamp
     * @param deletingDependents waits, with the foreground finalizer, for its dependents to go
     * @param orphaning waits, with the orphan finalizer, for its dependents to be set free
     * @param dependents those that name it as an owner
     */
    record Seen(
            Identity identity,
            boolean virtual,
            boolean deleting,
            boolean deletingDependents,
            boolean orphaning,
            List<OwnerReference> owners,
            List<Dependent> dependents) {}

    /**
     * One that names an owner.
     *
     * @param blocking the owner's foreground deletion waits for it
     */
    record Dependent(Identity identity, boolean blocking, boolean deletingDependents) {}

    private static final class Node {
        Identity identity;
        boolean virtual;
        boolean deleting;
        boolean deletingDependents;
        boolean orphaning;
        List<OwnerReference> owners = List.of();
        final Set<Node> dependents = new LinkedHashSet<>();

        Node(Identity identity) {
            this.identity = identity;
        }
    }

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<String, Node> byUid = new HashMap<>();

    /** Owners proven absent, the last few hundred: a thousand pods of one deleted owner are not a thousand requests. */
    @GuardedBy("lock")
    private final Map<Identity, Boolean> absent = new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Identity, Boolean> eldest) {
            return size() > 500;
        }
    };

    private final Consumer<String> wake;

    /** @param wake takes the uid of each object that must be looked at; called without the lock */
    OwnerGraph(Consumer<String> wake) {
        this.wake = wake;
    }

    /** An object was seen, for the first time or changed. */
    void observed(String apiVersion, String kind, HasMetadata object) {
        Set<String> woken = new LinkedHashSet<>();
        lock.lock();
        try {
            lockedObserved(identity(apiVersion, kind, object), object.getMetadata(), woken);
        } finally {
            lock.unlock();
        }
        woken.forEach(wake);
    }

    @GuardedBy("lock")
    private void lockedObserved(Identity identity, ObjectMeta metadata, Set<String> woken) {
        absent.remove(identity);
        Node node = byUid.get(identity.uid());
        boolean isNew = node == null;
        if (node == null) {
            node = new Node(identity);
            byUid.put(identity.uid(), node);
        } else if (node.virtual) {
            if (!node.identity.equals(identity)) {
                // Somebody names this uid by other coordinates: for them the owner is absent, and they must be looked
                // at.
                node.dependents.forEach(dependent -> woken.add(dependent.identity.uid()));
            }
            node.identity = identity;
            node.virtual = false;
        }
        lockedSetOwners(node, metadata.getOwnerReferences(), isNew, woken);
        boolean deleting = metadata.getDeletionTimestamp() != null;
        boolean foreground = deleting && metadata.getFinalizers().contains(FOREGROUND);
        boolean orphaning = deleting && metadata.getFinalizers().contains(ORPHAN);
        if (orphaning && !node.orphaning) {
            woken.add(identity.uid());
        }
        if (foreground && !node.deletingDependents) {
            node.dependents.forEach(dependent -> woken.add(dependent.identity.uid()));
            woken.add(identity.uid());
        }
        node.deleting = deleting;
        node.deletingDependents = foreground;
        node.orphaning = orphaning;
    }

    @GuardedBy("lock")
    private void lockedSetOwners(Node node, List<OwnerReference> owners, boolean isNew, Set<String> woken) {
        if (!isNew && owners.equals(node.owners)) {
            return;
        }
        Map<String, OwnerReference> now = new HashMap<>();
        owners.forEach(owner -> now.put(owner.getUid(), owner));
        for (OwnerReference old : node.owners) {
            OwnerReference same = now.get(old.getUid());
            Node owner = byUid.get(old.getUid());
            if (owner == null) {
                continue;
            }
            if (same == null) {
                owner.dependents.remove(node);
                woken.add(old.getUid());
            } else if (isBlocking(old) && !isBlocking(same)) {
                woken.add(old.getUid());
            }
        }
        for (OwnerReference reference : owners) {
            Node owner = byUid.get(reference.getUid());
            Identity named = named(reference, node.identity.namespace());
            if (owner == null) {
                owner = new Node(named);
                owner.virtual = true;
                byUid.put(reference.getUid(), owner);
                woken.add(reference.getUid());
            } else if (!sameCoordinates(owner.identity, named)) {
                woken.add(node.identity.uid());
            }
            owner.dependents.add(node);
        }
        node.owners = List.copyOf(owners);
    }

    /** An object is gone. */
    void deleted(String uid) {
        Set<String> woken = new LinkedHashSet<>();
        lock.lock();
        try {
            Node node = byUid.remove(uid);
            if (node == null) {
                return;
            }
            absent.put(node.identity, true);
            for (OwnerReference reference : node.owners) {
                Node owner = byUid.get(reference.getUid());
                if (owner != null) {
                    owner.dependents.remove(node);
                    if (owner.deletingDependents) {
                        woken.add(reference.getUid());
                    }
                    if (owner.virtual && owner.dependents.isEmpty()) {
                        byUid.remove(reference.getUid());
                    }
                }
            }
            node.dependents.forEach(dependent -> woken.add(dependent.identity.uid()));
        } finally {
            lock.unlock();
        }
        woken.forEach(wake);
    }

    /**
     * A virtual owner was proven absent at the coordinates by which it is known. Those who name it by these are looked at; if
     * others name the uid by other coordinates, the node lives on under the next of those.
     */
    void provenAbsent(Identity identity) {
        Set<String> woken = new LinkedHashSet<>();
        lock.lock();
        try {
            absent.put(identity, true);
            Node node = byUid.get(identity.uid());
            if (node == null || !node.virtual) {
                return;
            }
            Identity alternative = null;
            for (Node dependent : node.dependents) {
                Identity named = lockedNamed(dependent, identity.uid());
                if (named == null || sameCoordinates(identity, named)) {
                    woken.add(dependent.identity.uid());
                } else if (!absent.containsKey(named)) {
                    alternative = named;
                }
            }
            if (alternative != null) {
                node.identity = alternative;
                woken.add(identity.uid());
            } else {
                byUid.remove(identity.uid());
                node.dependents.forEach(dependent -> woken.add(dependent.identity.uid()));
            }
        } finally {
            lock.unlock();
        }
        woken.forEach(wake);
    }

    private static @Nullable Identity lockedNamed(Node dependent, String uid) {
        for (OwnerReference reference : dependent.owners) {
            if (uid.equals(reference.getUid())) {
                return named(reference, dependent.identity.namespace());
            }
        }
        return null;
    }

    boolean isKnownAbsent(Identity identity) {
        lock.lock();
        try {
            return absent.containsKey(identity);
        } finally {
            lock.unlock();
        }
    }

    void rememberAbsent(Identity identity) {
        lock.lock();
        try {
            absent.put(identity, true);
        } finally {
            lock.unlock();
        }
    }

    /** The object as it stands in the graph now; null if it does not. */
    @Nullable
    Seen get(String uid) {
        lock.lock();
        try {
            Node node = byUid.get(uid);
            if (node == null) {
                return null;
            }
            List<Dependent> dependents = new ArrayList<>(node.dependents.size());
            for (Node dependent : node.dependents) {
                boolean blocking =
                        dependent.owners.stream().anyMatch(ref -> uid.equals(ref.getUid()) && isBlocking(ref));
                dependents.add(new Dependent(dependent.identity, blocking, dependent.deletingDependents));
            }
            return new Seen(
                    node.identity,
                    node.virtual,
                    node.deleting,
                    node.deletingDependents,
                    node.orphaning,
                    node.owners,
                    List.copyOf(dependents));
        } finally {
            lock.unlock();
        }
    }

    /** The number of objects, virtual ones included. */
    int size() {
        lock.lock();
        try {
            return byUid.size();
        } finally {
            lock.unlock();
        }
    }

    static boolean isBlocking(OwnerReference reference) {
        return Boolean.TRUE.equals(reference.getBlockOwnerDeletion());
    }

    static Identity named(OwnerReference reference, String namespace) {
        return new Identity(
                reference.getApiVersion(), reference.getKind(), namespace, reference.getName(), reference.getUid());
    }

    static Identity identity(String apiVersion, String kind, HasMetadata object) {
        ObjectMeta metadata = object.getMetadata();
        return new Identity(
                apiVersion,
                kind,
                Objects.requireNonNullElse(metadata.getNamespace(), ""),
                metadata.getName(),
                metadata.getUid());
    }

    /** The same object, by name: versions of a group may differ, and cluster-scoped owners have no namespace. */
    private static boolean sameCoordinates(Identity owner, Identity named) {
        return owner.kind().equals(named.kind())
                && owner.name().equals(named.name())
                && group(owner.apiVersion()).equals(group(named.apiVersion()))
                && (owner.namespace().isEmpty() || owner.namespace().equals(named.namespace()));
    }

    private static String group(String apiVersion) {
        int slash = apiVersion.indexOf('/');
        return slash < 0 ? "" : apiVersion.substring(0, slash);
    }
}
