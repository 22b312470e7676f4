package io.trimtab.junit;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.trimtab.client.Client;
import io.trimtab.controller.Manager;
import io.trimtab.runtime.Driver;

/**
 * What a {@link Program} is given: ways to the API server, a clock, threads. All of it is this process's own, and dies with it.
 *
 * @since 0.1
 */
public interface Surroundings {
    /** The program's name: its user agent, hence the field manager of what it writes. */
    String name();

    /**
     * A Fabric8 client, for anything built on it: informers, JOSDK. What it waits for comes only while the cluster is driven, so
     * start informers without waiting: {@code runnableInformer(0).start()}. It does not repeat requests by itself.
     */
    KubernetesClient client();

    /** How Fabric8 clients of the program's own making reach the server. */
    HttpClient.Factory transport();

    /** A client of Trimtab's. */
    Client api();

    /** Runs Trimtab controllers; not started yet. Closing it is the program's business. */
    Manager manager();

    /** Time and threads. The clock may be wrong, as in life. */
    Driver driver();
}
