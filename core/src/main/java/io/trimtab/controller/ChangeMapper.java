package io.trimtab.controller;

/** Says which keys a change wakes. Runs on the informer's lane: must not block. */
@FunctionalInterface
public interface ChangeMapper<T> {
    void map(Change<T> change, Enqueuer queue);
}
