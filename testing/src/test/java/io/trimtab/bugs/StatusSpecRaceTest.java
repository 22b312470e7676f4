package io.trimtab.bugs;

import static io.trimtab.junit.Workloads.replicaSet;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetStatus;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Result;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Oracle;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Does its work by the spec that it has read, then reads anew to write the status, and says there that it has observed the newest
 * generation. If somebody changed the spec in between, nobody will ever act on it.
 */
class StatusSpecRaceTest extends BugContract {
    private static final ResourceType<ReplicaSet> SETS = ResourceType.of(ReplicaSet.class);

    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("sizer");
        var sets = manager.informers().informer(ReplicaSet.class).lister();
        return Controller.of("sizer", ReplicaSet.class).reconcile(request -> {
            ReplicaSet set = sets.get(request.namespace(), request.name()).orElse(null);
            if (set == null || Objects.equals(observed(set), set.getMetadata().getGeneration())) {
                return Result.done();
            }
            Map<String, String> size =
                    Map.of("size", set.getSpec().getReplicas().toString());
            ConfigMap child = client.get(CONFIG_MAPS, "default", request.name()).orElse(null);
            if (child == null) {
                child = configMap(request.name(), size);
                child.getMetadata().setOwnerReferences(List.of(ownedBy(set)));
                client.create(CONFIG_MAPS, child);
            } else if (!child.getMetadata().getOwnerReferences().contains(ownedBy(set))) {
                return Result.again();
            } else if (!child.getData().equals(size)) {
                child.setData(size);
                client.update(CONFIG_MAPS, child);
            }
            ReplicaSet latest =
                    mended ? set : client.get(SETS, "default", request.name()).orElseThrow();
            ReplicaSet status = KubernetesJson.copy(latest);
            status.setStatus(new ReplicaSetStatus());
            status.getStatus().setReplicas(0);
            status.getStatus().setObservedGeneration(latest.getMetadata().getGeneration());
            client.updateStatus(SETS, status);
            return Result.done();
        });
    }

    private static Long observed(ReplicaSet set) {
        return set.getStatus() == null ? null : set.getStatus().getObservedGeneration();
    }

    @Override
    void play(Cluster cluster, boolean mended) {
        ReplicaSet web = replicaSet("web", 1);
        cluster.run(manager -> controller(manager, mended)).apply(web);
        for (int i = 1; i <= 4; i++) {
            int size = 1 + i;
            later(
                    cluster,
                    Duration.ofMillis(700L * i),
                    web,
                    set -> set.getSpec().setReplicas(size));
        }
        cluster.settle().advance(Duration.ofSeconds(5));
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.SAME_END_STATE);
    }
}
