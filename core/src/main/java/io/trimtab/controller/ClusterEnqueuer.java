package io.trimtab.controller;

import java.time.Duration;

/** Puts the cluster into keys that name none. */
record ClusterEnqueuer(String cluster, Enqueuer queue) implements Enqueuer {
    private Request named(Request request) {
        return request.cluster().isEmpty() ? request.in(cluster) : request;
    }

    @Override
    public void add(Request request) {
        queue.add(named(request));
    }

    @Override
    public void addAfter(Request request, Duration delay) {
        queue.addAfter(named(request), delay);
    }

    @Override
    public void addRateLimited(Request request) {
        queue.addRateLimited(named(request));
    }
}
