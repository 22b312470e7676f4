package io.trimtab.apiserver.kinds;

import io.trimtab.apiserver.allocation.ClusterIpAllocator;
import io.trimtab.apiserver.allocation.NodePortAllocator;
import io.trimtab.apiserver.kinds.apps.DeploymentKind;
import io.trimtab.apiserver.kinds.apps.ReplicaSetKind;
import io.trimtab.apiserver.kinds.core.NamespaceKind;
import io.trimtab.apiserver.kinds.core.NodeKind;
import io.trimtab.apiserver.kinds.core.PodKind;
import io.trimtab.apiserver.kinds.core.ReplicationControllerKind;
import io.trimtab.apiserver.kinds.core.ServiceAddresses;
import io.trimtab.apiserver.kinds.core.ServiceKind;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.KindRegistry;
import java.util.HashMap;
import java.util.Map;

/**
 * The table of behaviour: for each group and kind what to ask. Immutable; kinds that take from pools (Service) guard them
 * themselves. One instance serves one store.
 */
public final class Kinds {
    private final Map<String, Kind> table = new HashMap<>();
    private final ClusterIpAllocator clusterIps;

    public Kinds(KindsOptions options) {
        clusterIps = new ClusterIpAllocator(options.serviceCidr());
        put(
                "",
                "Service",
                new ServiceKind(new ServiceAddresses(clusterIps, new NodePortAllocator(options.nodePortRange()))));
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

    /** The same table for the resource registry. */
    public KindRegistry registry() {
        return new KindRegistry(table);
    }

    /** The pool of cluster IPs: for the server's own Service, and to bring the store in order when a server starts. */
    public ClusterIpAllocator clusterIps() {
        return clusterIps;
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
