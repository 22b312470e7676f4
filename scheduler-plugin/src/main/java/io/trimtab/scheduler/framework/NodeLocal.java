package io.trimtab.scheduler.framework;

/**
 * Marks a plugin whose Filter and Score look at nothing but the given node and the pod's {@link PodInfo#signature signature}:
 * what it answers for one pod holds for all pods of the same template, until the node changes. The framework then asks once.
 */
public interface NodeLocal {
    /** Answers given under another epoch no longer hold. */
    default long epoch(Snapshot snapshot) {
        return 0;
    }
}
