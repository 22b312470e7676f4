package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.admission.PodTrees;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.ObjectFeed;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Which node needs which objects: those that the pods bound to it mention, and the volumes behind their claims. Kept up to date
 * by the storage's watches, which each question drains first; nothing is watched before the first question. Safe for use by
 * any thread.
 */
final class NodeGraph implements AutoCloseable {
    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by lock: by "kind/namespace/name", the nodes and how many pods of each need it.
    private final Map<String, Map<String, Integer>> needs = new HashMap<>();
    // Guarded by lock: what each pod needs, by key; so that it can be forgotten.
    private final Map<String, PodNeeds> pods = new HashMap<>();
    // Guarded by lock: by secret, the claims whose volumes use it.
    private final Map<String, Set<String>> claimsOfSecrets = new HashMap<>();
    private final Map<String, VolumeNeeds> volumes = new HashMap<>();
    // Guarded by lock: the node of each volume attachment and resource slice.
    private final Map<String, String> nodes = new HashMap<>();
    private final List<ObjectFeed> feeds = new ArrayList<>();

    NodeGraph(Storage storage) {
        feeds.add(new ObjectFeed(storage, CoreResources.PODS, new PodSink()));
        feeds.add(new ObjectFeed(storage, CoreResources.PERSISTENT_VOLUMES, new VolumeSink()));
        feeds.add(new ObjectFeed(storage, CoreResources.VOLUME_ATTACHMENTS, new NodeSink("volumeattachments")));
        feeds.add(new ObjectFeed(storage, CoreResources.RESOURCE_SLICES, new NodeSink("resourceslices")));
    }

    /** Whether a pod on the node leads to the object. */
    boolean isRelated(String node, String plural, String namespace, String name) {
        feeds.forEach(ObjectFeed::refresh);
        lock.lock();
        try {
            String key = key(plural, namespace, name);
            return switch (plural) {
                case "volumeattachments", "resourceslices" -> node.equals(nodes.get(key));
                case "persistentvolumes" -> {
                    VolumeNeeds volume = volumes.get(name);
                    yield volume != null && lockedNeeds(node, volume.claim);
                }
                case "secrets" ->
                    lockedNeeds(node, key)
                            || claimsOfSecrets.getOrDefault(key, Set.of()).stream()
                                    .anyMatch(claim -> lockedNeeds(node, claim));
                default -> lockedNeeds(node, key);
            };
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        feeds.forEach(ObjectFeed::close);
    }

    private boolean lockedNeeds(String node, String key) {
        return needs.getOrDefault(key, Map.of()).containsKey(node);
    }

    private static String key(String plural, String namespace, String name) {
        return plural + "/" + namespace + "/" + name;
    }

    private final class PodSink implements ObjectFeed.Sink {
        @Override
        public void put(StoredObject pod) {
            lock.lock();
            try {
                PodNeeds before = pods.get(pod.key());
                if (before != null && before.uid.equals(pod.uid()) && before.claims == 0) {
                    return; // bound pods do not change what they need
                }
                lockedForget(pod.key());
                JsonNode tree = pod.tree();
                String node = tree.path("spec").path("nodeName").asText("");
                if (!node.isEmpty()) {
                    lockedRemember(pod, tree, node);
                }
            } finally {
                lock.unlock();
            }
        }

        private void lockedRemember(StoredObject pod, JsonNode tree, String node) {
            Set<String> keys = new LinkedHashSet<>();
            String namespace = pod.namespace();
            keys.add(key("pods", namespace, pod.name()));
            int claims = 0;
            // Nodes make mirror pods themselves: what these mention must give them nothing.
            if (!tree.path("metadata").path("annotations").has("kubernetes.io/config.mirror")) {
                String account = tree.path("spec").path("serviceAccountName").asText("");
                if (!account.isEmpty()) {
                    keys.add(key("serviceaccounts", namespace, account));
                }
                PodTrees.secrets(tree, name -> keys.add(key("secrets", namespace, name)));
                PodTrees.configMaps(tree, name -> keys.add(key("configmaps", namespace, name)));
                PodTrees.claims(tree, name -> keys.add(key("persistentvolumeclaims", namespace, name)));
                claims = tree.path("spec").path("resourceClaims").size();
                for (JsonNode claim : tree.path("spec").path("resourceClaims")) {
                    add(keys, namespace, claim.path("resourceClaimName"));
                }
                for (JsonNode status : tree.path("status").path("resourceClaimStatuses")) {
                    add(keys, namespace, status.path("resourceClaimName"));
                }
            }
            keys.forEach(key -> needs.computeIfAbsent(key, k -> new HashMap<>()).merge(node, 1, Integer::sum));
            pods.put(pod.key(), new PodNeeds(pod.uid(), node, keys, claims));
        }

        private void add(Set<String> keys, String namespace, JsonNode name) {
            if (!name.asText("").isEmpty()) {
                keys.add(key("resourceclaims", namespace, name.asText()));
            }
        }

        @Override
        public void remove(StoredObject pod) {
            lock.lock();
            try {
                lockedForget(pod.key());
            } finally {
                lock.unlock();
            }
        }

        private void lockedForget(String pod) {
            PodNeeds before = pods.remove(pod);
            if (before == null) {
                return;
            }
            for (String key : before.keys) {
                Map<String, Integer> counts = needs.get(key);
                if (counts != null) {
                    counts.computeIfPresent(before.node, (n, count) -> count == 1 ? null : count - 1);
                    if (counts.isEmpty()) {
                        needs.remove(key);
                    }
                }
            }
        }
    }

    private final class VolumeSink implements ObjectFeed.Sink {
        @Override
        public void put(StoredObject volume) {
            JsonNode spec = volume.tree().path("spec");
            JsonNode claim = spec.path("claimRef");
            lock.lock();
            try {
                lockedForget(volume.name());
                if (!claim.isObject()) {
                    return;
                }
                String namespace = claim.path("namespace").asText("");
                String key = key(
                        "persistentvolumeclaims", namespace, claim.path("name").asText(""));
                Set<String> secrets = secrets(spec, namespace);
                volumes.put(volume.name(), new VolumeNeeds(key, secrets));
                secrets.forEach(secret -> claimsOfSecrets
                        .computeIfAbsent(secret, s -> new HashSet<>())
                        .add(key));
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void remove(StoredObject volume) {
            lock.lock();
            try {
                lockedForget(volume.name());
            } finally {
                lock.unlock();
            }
        }

        private void lockedForget(String name) {
            VolumeNeeds before = volumes.remove(name);
            if (before != null) {
                before.secrets.forEach(secret -> claimsOfSecrets.computeIfPresent(secret, (s, claims) -> {
                    claims.remove(before.claim);
                    return claims.isEmpty() ? null : claims;
                }));
            }
        }

        /** Secrets of a volume; those that name no namespace are in the claim's. */
        private static Set<String> secrets(JsonNode spec, String claimNamespace) {
            Set<String> found = new LinkedHashSet<>();
            JsonNode azure = spec.path("azureFile");
            add(found, azure.path("secretName"), azure.path("secretNamespace"), claimNamespace);
            for (String kind : List.of("cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos")) {
                JsonNode reference = spec.path(kind).path("secretRef");
                add(found, reference.path("name"), reference.path("namespace"), claimNamespace);
            }
            // Those of the controller's side are none of the node's business.
            for (String use : List.of("nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef")) {
                JsonNode reference = spec.path("csi").path(use);
                add(found, reference.path("name"), reference.path("namespace"), claimNamespace);
            }
            return found;
        }

        private static void add(Set<String> found, JsonNode name, JsonNode namespace, String fallback) {
            if (!name.asText("").isEmpty()) {
                String in = namespace.asText("").isEmpty() ? fallback : namespace.asText();
                found.add(key("secrets", in, name.asText()));
            }
        }
    }

    private final class NodeSink implements ObjectFeed.Sink {
        private final String plural;

        NodeSink(String plural) {
            this.plural = plural;
        }

        @Override
        public void put(StoredObject object) {
            String node = object.tree().path("spec").path("nodeName").asText("");
            lock.lock();
            try {
                nodes.put(key(plural, "", object.name()), node);
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void remove(StoredObject object) {
            lock.lock();
            try {
                nodes.remove(key(plural, "", object.name()));
            } finally {
                lock.unlock();
            }
        }
    }

    /** @param claims how many resource claims the pod has: their names may become known later */
    private record PodNeeds(String uid, String node, Set<String> keys, int claims) {}

    private record VolumeNeeds(String claim, Set<String> secrets) {}
}
