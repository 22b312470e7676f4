package io.trimtab.scheduler.framework;

/** Decides whether a pod may enter the queue at all. */
public interface PreEnqueuePlugin extends Plugin {
    /** Anything but success keeps the pod out until an event that the plugin registered. */
    Status preEnqueue(PodInfo pod);
}
