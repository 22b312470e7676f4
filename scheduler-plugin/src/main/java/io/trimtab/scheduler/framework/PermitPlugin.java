package io.trimtab.scheduler.framework;

/** Allows, rejects or delays the binding of a pod. */
public interface PermitPlugin extends Plugin {
    PermitResult permit(CycleState state, PodInfo pod, String nodeName);
}
