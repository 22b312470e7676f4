package io.trimtab.simulate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Node;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.client.KubernetesJson;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ApiServerInstance;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Puts objects into a server as they are: past admission, validation and defaults, for they have been through those of their own
 * cluster; only the resourceVersion is new. For one thread.
 */
final class Seeding {
    private static final Set<String> WEBHOOKS =
            Set.of("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration");

    private final ApiServerInstance server;
    private final VirtualDriver driver;
    private final List<String> notes = new ArrayList<>();
    private final List<ObjectNode> unborn = new ArrayList<>();
    private int imported;

    Seeding(ApiServerInstance server, VirtualDriver driver) {
        this.server = server;
        this.driver = driver;
    }

    /** What was left out, and why. */
    List<String> notes() {
        return notes;
    }

    /** Objects that no cluster has seen yet, to be applied when time begins. */
    List<ObjectNode> unborn() {
        return unborn;
    }

    /** How many objects were taken over. */
    int imported() {
        return imported;
    }

    /** Definitions first: what they define can be stored only then. */
    void take(ClusterState state) {
        Map<String, Integer> unknown = new LinkedHashMap<>();
        List<ObjectNode> rest = new ArrayList<>();
        for (ObjectNode object : state.objects()) {
            if (!object.path("metadata").has("uid")) {
                unborn.add(object);
            } else if (object.path("kind").asText().equals("CustomResourceDefinition")) {
                put(object, unknown);
            } else {
                rest.add(object);
            }
        }
        driver.settle();
        for (ObjectNode object : rest) {
            String reason = leftOut(object);
            if (reason == null) {
                put(object, unknown);
            } else {
                notes.add(reason);
            }
        }
        unknown.forEach((kind, count) ->
                notes.add("left out: " + count + " of " + kind + ", which is neither built in nor defined here"));
        driver.settle();
    }

    private static @org.jspecify.annotations.Nullable String leftOut(ObjectNode object) {
        String kind = object.path("kind").asText();
        String name = object.path("metadata").path("name").asText();
        if (WEBHOOKS.contains(kind)) {
            return "left out: " + kind + " " + name + ", whose servers cannot be asked here";
        }
        if (kind.equals("APIService") && object.path("spec").hasNonNull("service")) {
            return "left out: APIService " + name + ", whose server cannot be asked here";
        }
        return null;
    }

    /** @param object taken over */
    private void put(ObjectNode object, Map<String, Integer> unknown) {
        String apiVersion = object.path("apiVersion").asText();
        int slash = apiVersion.indexOf('/');
        String group = slash < 0 ? "" : apiVersion.substring(0, slash);
        String kind = object.path("kind").asText();
        if (kind.equals("Event")) {
            return; // tells of what was, to people
        }
        ResourceRegistry resources = server.server().resources();
        Served served = resources.findByKind(group, apiVersion.substring(slash + 1), kind);
        if (served == null || !served.resource().verbs().contains("create")) {
            unknown.merge(apiVersion + " " + kind, 1, Integer::sum);
            return;
        }
        ObjectNode tree = object.deepCopy();
        ObjectNode metadata = (ObjectNode) tree.get("metadata");
        metadata.remove(List.of("resourceVersion", "selfLink"));
        if (served.resource().namespaced() && !metadata.hasNonNull("namespace")) {
            metadata.put("namespace", "default");
        }
        if (served.conversion() != null) {
            tree = served.conversion().toStorage(tree);
        }
        Served stored = resources.find(
                served.storage().group(),
                served.storage().version(),
                served.storage().plural());
        write(stored == null ? served : stored, tree);
    }

    private void write(Served served, ObjectNode tree) {
        Storage storage = server.server().storage();
        ObjectNode canonical = Canonical.of(tree, served.schema());
        String namespace = canonical.path("metadata").path("namespace").asText("");
        Optional<StoredObject> there = storage.get(
                served.storage(),
                namespace,
                canonical.path("metadata").path("name").asText());
        if (there.isPresent()) {
            storage.replace(served.storage(), there.get(), canonical);
        } else {
            storage.create(served.storage(), canonical);
        }
        imported++;
    }

    /** Takes nodes in; one that is there already is left as it is. */
    void join(Iterable<Node> nodes, Instant now) {
        Served served = nodeResource();
        Storage storage = server.server().storage();
        int index = 0;
        for (Node node : nodes) {
            index++;
            String name = node.getMetadata().getName();
            if (storage.get(served.storage(), "", name).isPresent()) {
                notes.add("left out: node " + name + " of the node store, because the import has one of this name");
                continue;
            }
            ObjectNode tree = KubernetesJson.mapper().valueToTree(NodeTemplates.complete(node, index, now));
            tree.put("apiVersion", "v1").put("kind", "Node");
            ObjectNode metadata = (ObjectNode) tree.get("metadata");
            metadata.remove("resourceVersion");
            if (!metadata.hasNonNull("uid")) {
                metadata.put("uid", uid());
            }
            if (!metadata.hasNonNull("creationTimestamp")) {
                metadata.put(
                        "creationTimestamp", now.truncatedTo(ChronoUnit.SECONDS).toString());
            }
            write(served, tree);
            imported--;
        }
    }

    private Served nodeResource() {
        Served served = server.server().resources().find("", "v1", "nodes");
        if (served == null) {
            throw new IllegalStateException("the server does not serve nodes");
        }
        return served;
    }

    private String uid() {
        return new java.util.UUID(
                        driver.random().nextLong() & ~0xF000L | 0x4000L,
                        driver.random().nextLong() & 0x3FFF_FFFF_FFFF_FFFFL | Long.MIN_VALUE)
                .toString();
    }

    /** The nodes that are there, and whether each was ready. */
    Map<String, Boolean> nodes() {
        Map<String, Boolean> ready = new LinkedHashMap<>();
        Served served = nodeResource();
        server.server()
                .storage()
                .list(served.storage(), Objects.EVERYTHING)
                .objects()
                .forEachRemaining(node -> ready.put(node.name(), isReady(node.tree())));
        return ready;
    }

    private static boolean isReady(JsonNode node) {
        for (JsonNode condition : node.path("status").path("conditions")) {
            if (condition.path("type").asText().equals("Ready")) {
                return condition.path("status").asText().equals("True");
            }
        }
        return true;
    }

    /** The addresses that services of an imported cluster come from; empty if that cannot be told. */
    static Optional<String> serviceCidr(ClusterState state) {
        Map<String, String> byKind = new HashMap<>();
        for (ObjectNode object : state.objects()) {
            String name = object.path("metadata").path("name").asText();
            if (name.equals("kubernetes")) {
                if (object.path("kind").asText().equals("ServiceCIDR")) {
                    for (JsonNode cidr : object.path("spec").path("cidrs")) {
                        if (!cidr.asText().contains(":")) {
                            byKind.put("ServiceCIDR", cidr.asText());
                        }
                    }
                } else if (object.path("kind").asText().equals("Service")
                        && object.path("metadata").path("namespace").asText().equals("default")) {
                    String address = object.path("spec").path("clusterIP").asText();
                    if (address.matches("\\d+\\.\\d+\\.\\d+\\.\\d+")) {
                        byKind.put("Service", address.replaceFirst("\\.\\d+\\.\\d+$", ".0.0/16"));
                    }
                }
            }
        }
        return Optional.ofNullable(byKind.getOrDefault("ServiceCIDR", byKind.get("Service")));
    }
}
