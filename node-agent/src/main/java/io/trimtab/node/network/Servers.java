package io.trimtab.node.network;

import io.fabric8.kubernetes.api.model.Pod;
import java.util.Optional;

/** Finds the programs that listen in pods. Safe for use by any thread. */
public interface Servers {
    /** Whether the pod's containers run in this process. */
    boolean isHere(Pod pod);

    /** What listens at a port of a pod's own network, or on its node's if it has none. */
    Optional<Listener> listener(Pod pod, Protocol protocol, int port);
}
