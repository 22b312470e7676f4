package io.trimtab.junit;

/**
 * What a test's cluster is. The same test class runs on each of them: {@code -Dtrimtab.backend=http}. Oracles, faults, forks and the
 * virtual clock are there on {@link #VIRTUAL} only; what needs them is skipped on the others, with the reason.
 *
 * @since 0.1
 */
public enum Backend {
    /** In this JVM, in virtual time: milliseconds. */
    VIRTUAL,
    /** Trimtab's server over HTTPS on a port of its own, in real time. */
    HTTP,
    /** The cluster of the kubeconfig that the system property {@code trimtab.kubeconfig} or {@code KUBECONFIG} names. */
    KUBECONFIG,
    /** K3s in a container. Needs Docker, and Testcontainers' k3s module on the class path: Maven profile {@code k3s}. */
    K3S
}
