package io.trimtab.apiserver.audit;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Takes events. Safe for use by any thread; must not wait for anything but a local file. */
public interface AuditSink extends AutoCloseable {
    /**
     * Takes one event, an {@code audit.k8s.io/v1} Event.
     *
     * @param event not to be changed by anybody from now on
     */
    void take(ObjectNode event);

    /** Writes what is still held back, within a short time. */
    @Override
    default void close() {}
}
