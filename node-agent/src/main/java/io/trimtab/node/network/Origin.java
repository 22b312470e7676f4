package io.trimtab.node.network;

import io.fabric8.kubernetes.api.model.Pod;

/** Where a connection comes from. */
public sealed interface Origin {

    /** A program in a pod. */
    record InPod(Pod pod) implements Origin {}

    /** A program on a node itself, such as its agent. */
    record OnNode(String node) implements Origin {}

    /** Anybody who can reach the nodes. */
    record Outside(String address) implements Origin {}
}
