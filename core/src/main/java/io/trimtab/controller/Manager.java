package io.trimtab.controller;

import io.trimtab.client.Client;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.InformerFactory;
import io.trimtab.runtime.Driver;

/**
 * Runs controllers against one API server: shares caches between them, starts workers when the caches are synced, and stops
 * all in good order. Safe for use by any thread.
 */
public interface Manager extends AutoCloseable {

    Driver driver();

    /**
     * A client for one component: it carries the component's name as user agent (and identity, where the manager was given
     * credentials for each).
     */
    Client client(String component);

    /** The caches, shared by all controllers of this manager. */
    InformerFactory informers();

    /** Records events that name the component as their source. */
    EventRecorder events(String component);

    /**
     * A cluster that this manager's controllers work in.
     *
     * @param name empty for the manager's own
     * @throws IllegalArgumentException if the manager was not told of it
     */
    default RemoteCluster cluster(String name) {
        if (!name.isEmpty()) {
            throw new IllegalArgumentException("the manager knows no cluster " + name);
        }
        Manager manager = this;
        return new RemoteCluster() {
            @Override
            public String name() {
                return "";
            }

            @Override
            public Client client(String component) {
                return manager.client(component);
            }

            @Override
            public InformerFactory informers() {
                return manager.informers();
            }

            @Override
            public EventRecorder events(String component) {
                return manager.events(component);
            }
        };
    }

    /** Adds a controller; starts it if the manager has started. */
    void add(Controller controller);

    /**
     * Adds a part that is no queue-driven controller (a garbage collector's graph, a heartbeat wheel). Started after the caches
     * are synced, closed when the manager stops.
     */
    void add(Component component);

    /** Starts informers, then controllers as their caches are synced. Returns at once. */
    void start();

    /** Stops taking keys, lets running reconciles end, then closes the caches. Returns when that is done. */
    @Override
    void close();

    /** A part of a program with a start and an end. */
    interface Component extends AutoCloseable {
        String name();

        void start();

        @Override
        void close();
    }
}
