package io.trimtab.controller;

import io.trimtab.client.Client;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.InformerFactory;

/**
 * One more cluster that a manager's controllers work in. Safe for use by any thread.
 *
 * @since 0.1
 */
public interface RemoteCluster {
    /** What keys of this cluster carry; empty for the manager's own. */
    String name();

    /** A client for one component; what it writes, the next reconcile of the same key finds in the caches. */
    Client client(String component);

    /** The caches of this cluster. */
    InformerFactory informers();

    /** Records events in this cluster. */
    EventRecorder events(String component);
}
