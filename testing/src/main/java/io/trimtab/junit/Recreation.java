package io.trimtab.junit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.storage.StoredObject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Deletes an object that the test has made and makes it anew under the same name, while nobody watches. Stateless. */
final class Recreation {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private Recreation() {}

    /** Whether it struck. Called when the cluster is at rest; it is again at rest, or about to be, afterwards. */
    static boolean strike(Cluster cluster) {
        List<History.Target> candidates = candidates(cluster);
        int choice = cluster.faults().recreate(candidates.size());
        if (choice < 0) {
            return false;
        }
        History.Target target = candidates.get(choice);
        ApiResource resource = cluster.parts()
                .apiServer()
                .server()
                .resources()
                .preferred(target.group(), target.resource())
                .orElse(null);
        StoredObject old = cluster.storedAnyVersion(target);
        if (resource == null || old == null) {
            return false;
        }
        cluster.history().note("fault", target + " is deleted and made anew");
        for (Instance program : cluster.instances()) {
            Life life = program.life();
            if (life != null) {
                life.gate().breakAll(true);
            }
        }
        String collection = "/" + (resource.group().isEmpty() ? "api" : "apis") + "/" + resource.apiVersion()
                + (resource.namespaced() ? "/namespaces/" + target.namespace() : "") + "/" + resource.plural();
        send(cluster, "DELETE", collection + "/" + target.name(), "{\"propagationPolicy\":\"Background\"}");
        if (cluster.storedAnyVersion(target) != null
                && !cluster.time().runUntil(() -> cluster.storedAnyVersion(target) == null, PATIENCE)) {
            return true; // its finalizers hold it: the oracles will say so
        }
        // As the test wrote it last, with the labels and annotations that it gave it at first: what others added is
        // gone.
        ObjectNode anew = cluster.history().lastBy("test", target).orElse(old).copy();
        ObjectNode metadata = (ObjectNode) anew.get("metadata");
        cluster.history().firstBy("test", target).ifPresent(first -> {
            for (String field : List.of("labels", "annotations")) {
                metadata.remove(field);
                if (first.tree().path("metadata").has(field)) {
                    metadata.set(field, first.tree().path("metadata").get(field).deepCopy());
                }
            }
        });
        metadata.remove(List.of(
                "uid",
                "resourceVersion",
                "generation",
                "creationTimestamp",
                "managedFields",
                "finalizers",
                "deletionTimestamp",
                "deletionGracePeriodSeconds"));
        anew.remove("status");
        send(cluster, "POST", collection, anew.toString());
        cluster.time().settle();
        return true;
    }

    private static ApiResponse send(Cluster cluster, String method, String path, String body) {
        return cluster.parts()
                .apiServer()
                .transport()
                .handle(ApiRequest.local(
                        Cluster.ADMIN,
                        method,
                        path,
                        Map.of("fieldManager", "trimtab-junit"),
                        "application/json",
                        body.getBytes(StandardCharsets.UTF_8)));
    }

    /** What the test made, programs were told of, and is not about to go. */
    private static List<History.Target> candidates(Cluster cluster) {
        Set<History.Target> made = new LinkedHashSet<>();
        Set<History.Target> told = new LinkedHashSet<>();
        for (History.Entry entry : cluster.history().entries()) {
            if (entry instanceof History.Call call
                    && call.actor().equals("test")
                    && call.changed()
                    && call.target().subresource().isEmpty()) {
                made.add(call.target());
            } else if (entry instanceof History.Told event) {
                told.add(event.target());
            }
        }
        made.retainAll(told);
        List<History.Target> living = new ArrayList<>();
        for (History.Target target : made) {
            StoredObject now = cluster.storedAnyVersion(target);
            if (now != null && !now.tree().path("metadata").has("deletionTimestamp")) {
                living.add(target);
            }
        }
        return living;
    }
}
