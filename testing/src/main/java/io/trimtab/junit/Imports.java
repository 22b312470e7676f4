package io.trimtab.junit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.client.KubernetesJson;
import java.util.ArrayList;
import java.util.List;

/** Copies objects out of a live cluster. Stateless. */
final class Imports {
    private Imports() {}

    static void copy(Cluster cluster, KubernetesClient live, Class<? extends HasMetadata>[] types) {
        List<Class<? extends HasMetadata>> all = new ArrayList<>();
        all.add(Namespace.class);
        all.addAll(List.of(types));
        all.forEach(type -> copyAll(cluster, live, type));
        cluster.settle();
    }

    private static <T extends HasMetadata> void copyAll(Cluster cluster, KubernetesClient live, Class<T> type) {
        var server = cluster.parts().apiServer().server();
        Served served = server.resources()
                .find(HasMetadata.getGroup(type), HasMetadata.getVersion(type), HasMetadata.getPlural(type));
        if (served == null) {
            throw new IllegalArgumentException("expected " + type.getSimpleName()
                    + " to be served here, but it is not: define the custom resource first");
        }
        for (T object : live.resources(type).inAnyNamespace().list().getItems()) {
            ObjectNode tree = KubernetesJson.mapper().valueToTree(object);
            ObjectNode metadata = (ObjectNode) tree.get("metadata");
            metadata.remove("resourceVersion");
            String namespace = metadata.path("namespace").asText("");
            if (server.storage()
                    .get(served.storage(), namespace, metadata.path("name").asText())
                    .isEmpty()) {
                server.storage().create(served.storage(), tree);
            }
        }
    }
}
