package io.trimtab.node.network;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a network must know of its cluster. Safe for use by any thread; asked at every connection, so that changes count at once. */
public interface ClusterView {

    /** The pod that has this address to itself and has not ended. */
    Optional<Pod> podAt(String address);

    /** A pod's own address, which its node knows before its status tells. */
    default Optional<String> addressOf(Pod pod) {
        return pod.getStatus() == null
                ? Optional.empty()
                : Optional.ofNullable(pod.getStatus().getPodIP());
    }

    /** The pods of a node that have not ended. */
    List<Pod> podsOn(String node);

    Optional<Service> service(String namespace, String name);

    /** The services that have this address: of the cluster, external, or of a load balancer. */
    List<Service> servicesAt(String address);

    /** The services that have this port on every node. */
    List<Service> servicesAtNodePort(int port);

    List<EndpointSlice> slices(String namespace, String service);

    List<NetworkPolicy> policies(String namespace);

    /** Empty if there is no such namespace. */
    Map<String, String> namespaceLabels(String name);

    List<Node> nodes();
}
