package io.trimtab.controller;

import org.slf4j.MDC;

/**
 * Tells the logging library which reconcile a thread is in, so that each line that is logged meanwhile, by whomever, carries it:
 * {@code controller}, {@code namespace}, {@code name}, {@code cluster} (if it is another one) and {@code reconcileID}, under the
 * names that controllers of the Go ecosystem use.
 */
final class ReconcileLog {
    private static final String CONTROLLER = "controller";
    private static final String NAMESPACE = "namespace";
    private static final String NAME = "name";
    private static final String CLUSTER = "cluster";
    private static final String ID = "reconcileID";

    private ReconcileLog() {}

    static void enter(String controller, Request request, String id) {
        MDC.put(CONTROLLER, controller);
        MDC.put(NAMESPACE, request.namespace());
        MDC.put(NAME, request.name());
        MDC.put(ID, id);
        if (!request.cluster().isEmpty()) {
            MDC.put(CLUSTER, request.cluster());
        }
    }

    static void exit() {
        MDC.remove(CONTROLLER);
        MDC.remove(NAMESPACE);
        MDC.remove(NAME);
        MDC.remove(CLUSTER);
        MDC.remove(ID);
    }
}
