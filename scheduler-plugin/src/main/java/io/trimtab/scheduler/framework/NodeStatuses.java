package io.trimtab.scheduler.framework;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Why each node was rejected. Nodes that were not examined share one status. Not safe for use by several threads. */
public final class NodeStatuses {
    private final Map<String, Status> explicit = new LinkedHashMap<>();
    private Status absent = Status.unresolvable();

    public Status get(String node) {
        return explicit.getOrDefault(node, absent);
    }

    public void set(String node, Status status) {
        explicit.put(node, status);
    }

    /** The status of nodes that have none of their own. */
    public void setAbsent(Status status) {
        absent = status;
    }

    public Status absent() {
        return absent;
    }

    public Map<String, Status> explicit() {
        return Collections.unmodifiableMap(explicit);
    }
}
