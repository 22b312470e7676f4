package io.trimtab.simulate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.store.Store;
import io.trimtab.client.KubernetesJson;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelectors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The objects of a store as a whole, and how two such states differ. Stateless. */
final class Objects {
    static final Storage.ListQuery EVERYTHING =
            new Storage.ListQuery(null, LabelSelectors.everything(), FieldSelector.everything(), 0, false, 0, null);

    /** They tell of time that passes, or of what happened, and are no state. */
    private static final Set<String> NOT_SHOWN = Set.of("Event", "Lease", "IPAddress");

    /** Each API server writes its own. */
    private static final Key SERVERS_OWN = new Key("configmaps", "kube-system", "extension-apiserver-authentication");

    /** Fields that change with every run, or with nothing that matters. */
    private static final Pattern NOISE = Pattern.compile(
            "metadata\\.(uid|creationTimestamp|resourceVersion|generation|selfLink|managedFields.*)|.*\\.(lastHeartbeatTime|"
                    + "lastTransitionTime|lastUpdateTime|lastProbeTime|startTime|startedAt|finishedAt|completionTime|"
                    + "containerID|observedGeneration|podIP|podIPs.*)|metadata\\.ownerReferences\\[\\d+\\]\\.uid");

    /** An object's place: {@code pods default/web-1}. */
    record Key(String resource, String namespace, String name) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            int byResource = resource.compareTo(other.resource);
            int byNamespace = byResource != 0 ? byResource : namespace.compareTo(other.namespace);
            return byNamespace != 0 ? byNamespace : name.compareTo(other.name);
        }

        @Override
        public String toString() {
            return resource + " " + (namespace.isEmpty() ? "" : namespace + "/") + name;
        }
    }

    private Objects() {}

    /** All objects of a store that are worth showing. */
    static Map<Key, ObjectNode> all(Store store, ResourceRegistry resources) {
        Map<Key, ObjectNode> all = new TreeMap<>();
        Set<String> seen = new java.util.HashSet<>();
        for (var served : resources.all()) {
            ApiResource resource = served.storage();
            if (NOT_SHOWN.contains(resource.kind()) || !seen.add(resource.keyPrefix())) {
                continue;
            }
            for (Store.Entry entry :
                    store.range(resource.keyPrefix(), null, 0, 0).entries()) {
                ObjectNode tree = parse(entry.value());
                JsonNode metadata = tree.path("metadata");
                all.put(
                        new Key(
                                resource.qualifiedName(),
                                metadata.path("namespace").asText(""),
                                metadata.path("name").asText()),
                        tree);
            }
        }
        all.remove(SERVERS_OWN);
        return all;
    }

    static ObjectNode parse(byte[] json) {
        try {
            return (ObjectNode) KubernetesJson.mapper().readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * How one object differs.
     *
     * @param sign {@code +} made, {@code -} gone, {@code ~} changed
     * @param fields which fields how; for one that was made, empty
     */
    record Change(Key key, char sign, List<Fields.Difference> fields) {}

    /** What became of the objects, in order of their names; without what only tells that time has passed. */
    static List<Change> changes(Map<Key, ObjectNode> before, Map<Key, ObjectNode> after) {
        Set<Key> keys = new java.util.TreeSet<>(before.keySet());
        keys.addAll(after.keySet());
        List<Change> changes = new ArrayList<>();
        for (Key key : keys) {
            ObjectNode old = before.get(key);
            ObjectNode now = after.get(key);
            if (old == null) {
                changes.add(new Change(key, '+', List.of()));
            } else if (now == null) {
                changes.add(new Change(key, '-', List.of()));
            } else {
                List<Fields.Difference> fields = Fields.differences(old, now).stream()
                        .filter(field -> !NOISE.matcher(field.path()).matches())
                        .toList();
                if (!fields.isEmpty()) {
                    changes.add(new Change(key, '~', fields));
                }
            }
        }
        return changes;
    }

    /** What a write would change in an object, in a line; {@code nothing} if it says what is so already. */
    static String changes(ObjectNode before, ObjectNode after) {
        List<Fields.Difference> fields = Fields.differences(before, after).stream()
                .filter(field -> !NOISE.matcher(field.path()).matches())
                .toList();
        return fields.isEmpty() ? "nothing" : Fields.shown(fields);
    }

    /** Whose name was drawn by lot counts by its owner: two runs may draw other names. */
    static Map<Key, ObjectNode> withoutLots(Map<Key, ObjectNode> objects) {
        Map<Key, ObjectNode> named = new TreeMap<>();
        Map<Key, Integer> drawn = new LinkedHashMap<>();
        objects.forEach((key, object) -> {
            String prefix = object.path("metadata").path("generateName").asText("");
            String hash = object.path("metadata")
                    .path("labels")
                    .path("pod-template-hash")
                    .asText("");
            if (!prefix.isEmpty()) {
                drawn.merge(new Key(key.resource(), key.namespace(), withoutHash(prefix, hash) + "*"), 1, Integer::sum);
            } else {
                named.put(key, object);
            }
        });
        drawn.forEach((key, count) -> {
            ObjectNode counted = KubernetesJson.mapper().createObjectNode();
            counted.put("count", count);
            named.put(key, counted);
        });
        return named;
    }

    private static String withoutHash(String prefix, String hash) {
        return hash.isEmpty() ? prefix : prefix.replace(hash + "-", "");
    }

    /** As YAML without what the server fills in. */
    static List<String> yaml(JsonNode object) {
        JsonNode copy = object.deepCopy();
        if (copy.path("metadata") instanceof ObjectNode metadata) {
            metadata.remove(List.of("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"));
        }
        return Serialization.asYaml(copy)
                .lines()
                .filter(line -> !line.equals("---"))
                .toList();
    }

    /** The lines of a change, as a diff shows it. */
    static void print(Change change, @Nullable ObjectNode made, StringBuilder out) {
        out.append(change.sign()).append(' ').append(change.key()).append('\n');
        if (made != null && change.sign() == '+') {
            yaml(made).forEach(line -> out.append("    + ").append(line).append('\n'));
        }
        for (Fields.Difference field : change.fields()) {
            if (field.before() != null) {
                out.append("    - ").append(field.path()).append(": ").append(Fields.shown(field.before()));
                out.append('\n');
            }
            if (field.after() != null) {
                out.append("    + ").append(field.path()).append(": ").append(Fields.shown(field.after()));
                out.append('\n');
            }
        }
    }
}
