package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Ways through the tree of a pod. Stateless. */
public final class PodTrees {
    private static final List<String> CONTAINER_LISTS = List.of("initContainers", "containers", "ephemeralContainers");

    private PodTrees() {}

    static final String MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

    /** The pod's spec; made if it is absent. */
    static ObjectNode spec(ObjectNode pod) {
        return object(pod, "spec");
    }

    static ObjectNode object(ObjectNode parent, String field) {
        return parent.get(field) instanceof ObjectNode found ? found : parent.putObject(field);
    }

    static ArrayNode array(ObjectNode parent, String field) {
        return parent.get(field) instanceof ArrayNode found ? found : parent.putArray(field);
    }

    /** Containers, then init containers, each as a tree that may be changed. */
    static List<ObjectNode> containers(JsonNode spec, String... lists) {
        List<ObjectNode> found = new ArrayList<>();
        for (String list : lists) {
            for (JsonNode container : spec.path(list)) {
                if (container instanceof ObjectNode object) {
                    found.add(object);
                }
            }
        }
        return found;
    }

    /** All sorts of containers, init containers first. */
    static List<ObjectNode> allContainers(JsonNode spec) {
        return containers(spec, CONTAINER_LISTS.toArray(new String[0]));
    }

    static boolean isMirror(JsonNode pod) {
        return pod.path("metadata").path("annotations").has(MIRROR_ANNOTATION);
    }

    static String text(JsonNode node, String field) {
        return node.path(field).asText("");
    }

    /**
     * The template of a workload, or the pod itself.
     *
     * @return metadata and spec of the pods it makes; null if the kind makes none
     */
    static @Nullable ObjectNode template(String group, String plural, ObjectNode object) {
        JsonNode found =
                switch (group.isEmpty() ? plural : plural + "." + group) {
                    case "pods" -> object;
                    case "podtemplates" -> object.path("template");
                    case "replicationcontrollers",
                            "replicasets.apps",
                            "deployments.apps",
                            "daemonsets.apps",
                            "statefulsets.apps",
                            "jobs.batch" -> object.path("spec").path("template");
                    case "cronjobs.batch" ->
                        object.path("spec").path("jobTemplate").path("spec").path("template");
                    default -> null;
                };
        return found instanceof ObjectNode template ? template : null;
    }

    /** Names every Secret that the pod needs. */
    public static void secrets(JsonNode pod, Consumer<String> visitor) {
        JsonNode spec = pod.path("spec");
        for (JsonNode reference : spec.path("imagePullSecrets")) {
            name(reference, visitor);
        }
        environment(spec, "secretRef", "secretKeyRef", visitor);
        for (JsonNode volume : spec.path("volumes")) {
            name(volume.path("azureFile").path("secretName"), visitor);
            for (String kind : List.of("cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos")) {
                name(volume.path(kind).path("secretRef"), visitor);
            }
            name(volume.path("csi").path("nodePublishSecretRef"), visitor);
            name(volume.path("secret").path("secretName"), visitor);
            for (JsonNode source : volume.path("projected").path("sources")) {
                name(source.path("secret"), visitor);
            }
        }
    }

    /** Names every ConfigMap that the pod needs. */
    public static void configMaps(JsonNode pod, Consumer<String> visitor) {
        JsonNode spec = pod.path("spec");
        environment(spec, "configMapRef", "configMapKeyRef", visitor);
        for (JsonNode volume : spec.path("volumes")) {
            name(volume.path("configMap"), visitor);
            for (JsonNode source : volume.path("projected").path("sources")) {
                name(source.path("configMap"), visitor);
            }
        }
    }

    /** Names every claim that the pod uses, also those made for it. */
    public static void claims(JsonNode pod, Consumer<String> visitor) {
        for (JsonNode volume : pod.path("spec").path("volumes")) {
            if (volume.has("persistentVolumeClaim")) {
                name(volume.path("persistentVolumeClaim").path("claimName"), visitor);
            } else if (volume.has("ephemeral")) {
                visitor.accept(text(pod.path("metadata"), "name") + "-" + text(volume, "name"));
            }
        }
    }

    private static void environment(JsonNode spec, String whole, String key, Consumer<String> visitor) {
        for (ObjectNode container : allContainers(spec)) {
            for (JsonNode from : container.path("envFrom")) {
                name(from.path(whole), visitor);
            }
            for (JsonNode variable : container.path("env")) {
                name(variable.path("valueFrom").path(key), visitor);
            }
        }
    }

    private static void name(JsonNode reference, Consumer<String> visitor) {
        String name = reference.isTextual() ? reference.asText() : text(reference, "name");
        if (!name.isEmpty()) {
            visitor.accept(name);
        }
    }

    static void each(JsonNode map, BiConsumer<String, JsonNode> visitor) {
        map.fields().forEachRemaining(entry -> visitor.accept(entry.getKey(), entry.getValue()));
    }
}
