package io.trimtab.informer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.KubernetesJson;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Keeps in a cache only a part of each object: the fields that the controllers of a program read. A field is named by its path,
 * such as {@code spec.nodeName}; a path into a list holds for each of its elements ({@code spec.containers.image}); a dot in a
 * name is written as {@code \\.}. What is left out reads as unset. Immutable; safe for use by any thread.
 *
 * <pre>{@code
 * Options.DEFAULT.withTransform(ResourceType.of(Pod.class), Projection.keep("spec.nodeName", "status.phase"))
 * }</pre>
 *
 * @since 0.1
 */
public final class Projection<T extends HasMetadata> implements UnaryOperator<T> {

    /** A set of paths as a tree; a node without children stands for all below it. */
    private static final class Node {
        private final Map<String, Node> children = new LinkedHashMap<>();

        static Node of(List<String> paths) {
            Node root = new Node();
            for (String path : paths) {
                Node at = root;
                for (String name : path.split("(?<!\\\\)\\.")) {
                    at = at.children.computeIfAbsent(name.replace("\\.", "."), n -> new Node());
                }
            }
            return root;
        }

        @Nullable
        Node child(String name) {
            return children.get(name);
        }

        boolean isLeaf() {
            return children.isEmpty();
        }
    }

    private final @Nullable Node kept;
    private final @Nullable Node dropped;

    private Projection(@Nullable Node kept, @Nullable Node dropped) {
        this.kept = kept;
        this.dropped = dropped;
    }

    /** Kind, metadata, and these fields. */
    public static <T extends HasMetadata> Projection<T> keep(String... paths) {
        Node node = Node.of(Arrays.asList(paths));
        Node.of(List.of("apiVersion", "kind", "metadata")).children.forEach(node.children::putIfAbsent);
        return new Projection<>(node, null);
    }

    /** Kind and metadata, and nothing else. */
    public static <T extends HasMetadata> Projection<T> metadataOnly() {
        return keep();
    }

    /** All but these fields. */
    public static <T extends HasMetadata> Projection<T> drop(String... paths) {
        return new Projection<>(null, Node.of(Arrays.asList(paths)));
    }

    @Override
    @SuppressWarnings("unchecked") // of the same class
    public T apply(T object) {
        ObjectNode tree = KubernetesJson.mapper().valueToTree(object);
        if (kept != null) {
            retain(tree, kept);
        }
        if (dropped != null) {
            remove(tree, dropped);
        }
        try {
            return (T) KubernetesJson.cacheMapper().treeToValue(tree, object.getClass());
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("what is left cannot be read: " + e.getOriginalMessage(), e);
        }
    }

    private static void retain(JsonNode tree, Node paths) {
        if (paths.isLeaf()) {
            return;
        }
        if (tree instanceof ArrayNode array) {
            array.forEach(element -> retain(element, paths));
        } else if (tree instanceof ObjectNode object) {
            object.retain(paths.children.keySet());
            paths.children.forEach((name, child) -> {
                JsonNode below = object.get(name);
                if (below != null) {
                    retain(below, child);
                }
            });
        }
    }

    private static void remove(JsonNode tree, Node paths) {
        if (tree instanceof ArrayNode array) {
            array.forEach(element -> remove(element, paths));
        } else if (tree instanceof ObjectNode object) {
            for (String name : List.copyOf(paths.children.keySet())) {
                Node child = paths.child(name);
                JsonNode below = object.get(name);
                if (below == null || child == null) {
                    continue;
                }
                if (child.isLeaf()) {
                    object.remove(name);
                } else {
                    remove(below, child);
                }
            }
        }
    }
}
