package io.trimtab.scheduler.framework;

import java.util.Set;

/** A pod that waits in Permit. Safe for use by any thread. */
public interface WaitingPod {
    PodInfo pod();

    /** The plugins it still waits for. */
    Set<String> pendingPlugins();

    /** The plugin lets it go; it goes when all did. */
    void allow(String plugin);

    /** The plugin sends it back. */
    void reject(String plugin, String message);
}
