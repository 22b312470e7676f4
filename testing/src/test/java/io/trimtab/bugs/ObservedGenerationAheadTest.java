package io.trimtab.bugs;

import static io.trimtab.junit.Workloads.replicaSet;

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
import java.util.Objects;
import java.util.Set;

/** Counts generations by itself, instead of saying which one it has looked at. */
class ObservedGenerationAheadTest extends BugContract {
    private static final ResourceType<ReplicaSet> SETS = ResourceType.of(ReplicaSet.class);

    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("reporter");
        var sets = manager.informers().informer(ReplicaSet.class).lister();
        return Controller.of("reporter", ReplicaSet.class).reconcile(request -> {
            ReplicaSet set = sets.get(request.namespace(), request.name()).orElse(null);
            Long observed = set == null || set.getStatus() == null
                    ? null
                    : set.getStatus().getObservedGeneration();
            if (set == null || observed != null && observed >= set.getMetadata().getGeneration()) {
                return Result.done();
            }
            ReplicaSet status = KubernetesJson.copy(set);
            status.setStatus(new ReplicaSetStatus());
            status.getStatus().setReplicas(0);
            status.getStatus()
                    .setObservedGeneration(
                            mended ? set.getMetadata().getGeneration() : Objects.requireNonNullElse(observed, 0L) + 2);
            client.updateStatus(SETS, status);
            return Result.done();
        });
    }

    @Override
    void play(Cluster cluster, boolean mended) {
        cluster.run(manager -> controller(manager, mended))
                .apply(replicaSet("web", 1))
                .settle();
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.OBSERVED_GENERATION);
    }
}
