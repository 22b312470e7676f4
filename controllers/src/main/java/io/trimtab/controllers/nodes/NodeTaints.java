package io.trimtab.controllers.nodes;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Taint;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Adds taints to nodes and takes them off. A taint is known by its key and effect; its value is no part of what it is. Safe for
 * use by several threads.
 */
public final class NodeTaints {
    public static final ResourceType<Node> NODES = ResourceType.of(Node.class);
    public static final String NOT_READY = "node.kubernetes.io/not-ready";
    public static final String UNREACHABLE = "node.kubernetes.io/unreachable";
    public static final String NO_EXECUTE = "NoExecute";
    public static final String NO_SCHEDULE = "NoSchedule";

    /** Taints are one field for all who write them: a lost race is run again. */
    private static final int ATTEMPTS = 5;

    private NodeTaints() {}

    public static boolean has(Node node, String key, String effect) {
        return Nodes.taints(node).stream().anyMatch(taint -> is(taint, key, effect));
    }

    public static boolean is(Taint taint, String key, String effect) {
        return key.equals(taint.getKey()) && effect.equals(taint.getEffect());
    }

    public static Taint of(String key, String effect, @Nullable String timeAdded) {
        return new Taint(effect, key, timeAdded, null);
    }

    /** The taints that there are after the change; the very list if nothing changes. Pure. */
    public static List<Taint> changed(List<Taint> taints, List<Taint> add, List<Taint> remove) {
        List<Taint> result = new ArrayList<>();
        boolean changes = false;
        for (Taint taint : taints) {
            if (contains(remove, taint) && !contains(add, taint)) {
                changes = true;
            } else {
                result.add(taint);
            }
        }
        for (Taint taint : add) {
            if (!contains(result, taint)) {
                result.add(taint);
                changes = true;
            }
        }
        return changes ? result : taints;
    }

    private static boolean contains(List<Taint> taints, Taint wanted) {
        return taints.stream()
                .anyMatch(taint -> Objects.equals(taint.getKey(), wanted.getKey())
                        && Objects.equals(taint.getEffect(), wanted.getEffect()));
    }

    /**
     * Changes the taints of a node.
     *
     * @param node as it was last seen; read anew when another has written meanwhile
     * @throws ApiException as the server refuses; not if the node is gone
     */
    public static void swap(Client client, Node node, List<Taint> add, List<Taint> remove) {
        Node current = node;
        for (int attempt = 1; ; attempt++) {
            List<Taint> before = Nodes.taints(current);
            List<Taint> after = changed(before, add, remove);
            if (after == before) {
                return;
            }
            try {
                client.patch(NODES, null, current.getMetadata().getName(), patch(current, after));
                return;
            } catch (ApiException e) {
                if (e.isNotFound()) {
                    return;
                }
                if (!e.isConflict() || attempt == ATTEMPTS) {
                    throw e;
                }
            }
            current = client.get(NODES, null, node.getMetadata().getName()).orElse(null);
            if (current == null
                    || !Objects.equals(
                            current.getMetadata().getUid(), node.getMetadata().getUid())) {
                return;
            }
        }
    }

    private static Patch patch(Node node, List<Taint> taints) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("metadata").put("resourceVersion", node.getMetadata().getResourceVersion());
        ArrayNode list = body.putObject("spec").putArray("taints");
        for (Taint taint : taints) {
            ObjectNode item = list.addObject().put("key", taint.getKey()).put("effect", taint.getEffect());
            if (taint.getValue() != null) {
                item.put("value", taint.getValue());
            }
            if (taint.getTimeAdded() != null) {
                item.put("timeAdded", taint.getTimeAdded());
            }
        }
        return Patch.strategic(body.toString());
    }
}
