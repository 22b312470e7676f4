package io.trimtab.controllers.revisions;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.ControllerRevision;
import io.fabric8.kubernetes.api.model.apps.ControllerRevisionBuilder;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.ownership.OwnerReferences;
import java.io.UncheckedIOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Makes and compares revisions of pod templates. Pure functions. */
public final class Revisions {
    public static final ResourceType<ControllerRevision> TYPE = ResourceType.of(ControllerRevision.class);
    /** The label of pods, and of a DaemonSet's revisions, that names the revision. */
    public static final String HASH_LABEL = "controller-revision-hash";

    /** Oldest first. */
    public static final Comparator<ControllerRevision> ORDER = Comparator.comparingLong(Revisions::number)
            .thenComparing(revision -> String.valueOf(revision.getMetadata().getCreationTimestamp()))
            .thenComparing(revision -> revision.getMetadata().getName());

    private static final ObjectMapper SORTED = JsonMapper.builder()
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .build();

    private Revisions() {}

    /**
     * What a revision holds of a template: the patch that would bring it back. Keys are sorted, as Kubernetes writes them: who
     * looks for the revision of a template compares bytes.
     */
    public static ObjectNode patch(PodTemplateSpec template) {
        ObjectNode data = JsonNodeFactory.instance.objectNode();
        ObjectNode copy = KubernetesJson.mapper().valueToTree(template);
        copy.put("$patch", "replace");
        data.putObject("spec").set("template", copy);
        return (ObjectNode) sortedTree(data);
    }

    private static JsonNode sortedTree(JsonNode node) {
        if (node instanceof ObjectNode object) {
            Map<String, JsonNode> fields = new TreeMap<>();
            object.fields().forEachRemaining(field -> fields.put(field.getKey(), sortedTree(field.getValue())));
            return JsonNodeFactory.instance.objectNode().setAll(fields);
        }
        if (node instanceof ArrayNode array) {
            ArrayNode sorted = JsonNodeFactory.instance.arrayNode();
            array.forEach(item -> sorted.add(sortedTree(item)));
            return sorted;
        }
        return node;
    }

    /** The same content, however it is written. */
    public static boolean same(@Nullable Object a, @Nullable Object b) {
        return canonical(a).equals(canonical(b));
    }

    /** The content as one text: keys sorted. */
    public static String canonical(@Nullable Object data) {
        try {
            Object plain = SORTED.readValue(KubernetesJson.mapper().writeValueAsString(data), Object.class);
            return SORTED.writeValueAsString(sorted(plain));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static @Nullable Object sorted(@Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            Map<String, @Nullable Object> result = new TreeMap<>();
            map.forEach((key, item) -> result.put(String.valueOf(key), sorted(item)));
            return result;
        }
        return value instanceof List<?> list
                ? list.stream().map(Revisions::sorted).toList()
                : value;
    }

    /** The template that a revision holds. */
    public static PodTemplateSpec template(ControllerRevision revision) {
        ObjectNode template = KubernetesJson.mapper()
                .<ObjectNode>valueToTree(revision.getData())
                .with("spec")
                .with("template");
        template.remove("$patch");
        return KubernetesJson.mapper().convertValue(template, PodTemplateSpec.class);
    }

    public static long number(ControllerRevision revision) {
        return revision.getRevision() == null ? 0 : revision.getRevision();
    }

    /** One more than the newest. */
    public static long next(List<ControllerRevision> revisions) {
        return revisions.stream().mapToLong(Revisions::number).max().orElse(0) + 1;
    }

    /** A revision that is yet to be created. */
    public static ControllerRevision fresh(
            HasMetadata owner, PodTemplateSpec template, String name, String hashLabel, String hash, long number) {
        Map<String, String> labels = new HashMap<>();
        if (template.getMetadata() != null && template.getMetadata().getLabels() != null) {
            labels.putAll(template.getMetadata().getLabels());
        }
        labels.put(hashLabel, hash);
        return new ControllerRevisionBuilder()
                .withNewMetadata()
                .withNamespace(owner.getMetadata().getNamespace())
                .withName(name)
                .withLabels(labels)
                .withAnnotations(owner.getMetadata().getAnnotations())
                .withOwnerReferences(OwnerReferences.newControllerRef(owner))
                .endMetadata()
                .withData(patch(template))
                .withRevision(number)
                .build();
    }
}
