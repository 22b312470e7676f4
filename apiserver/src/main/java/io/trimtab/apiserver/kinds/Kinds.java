package io.trimtab.apiserver.kinds;

import io.trimtab.apiserver.kinds.apps.DeploymentKind;
import io.trimtab.apiserver.kinds.apps.ReplicaSetKind;
import io.trimtab.apiserver.kinds.core.NamespaceKind;
import io.trimtab.apiserver.kinds.core.NodeKind;
import io.trimtab.apiserver.kinds.core.PodKind;
import io.trimtab.apiserver.kinds.core.ReplicationControllerKind;
import io.trimtab.apiserver.resource.Kind;
import java.util.HashMap;
import java.util.Map;

/**
 * The table of behaviour: for each group and kind what to ask. Immutable; kinds that take from pools (Service) guard them
 * themselves. One instance serves one store.
 */
public final class Kinds {
    private final Map<String, Kind> table = new HashMap<>();

    public Kinds(KindsOptions options) {
        core();
        put("apps", "Deployment", new DeploymentKind());
        put("apps", "ReplicaSet", new ReplicaSetKind());
    }

    private void core() {
        put("", "Pod", new PodKind());
        put("", "ReplicationController", new ReplicationControllerKind());
        put("", "Namespace", new NamespaceKind());
        put("", "Node", new NodeKind());
    }

    private void put(String group, String kind, Kind behaviour) {
        table.put(group + "/" + kind, behaviour);
    }

    /**
     * The behaviour of a kind, whatever its version.
     *
     * @return {@link Kind#PLAIN} for a kind without behaviour of its own
     */
    public Kind forGroupKind(String group, String kind) {
        return table.getOrDefault(group + "/" + kind, Kind.PLAIN);
    }
}
