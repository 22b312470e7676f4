package io.trimtab.controller;

/**
 * Makes the world match one object's spec, a little at a time. May throw anything: the worker records it, backs the key off
 * and tries again. Called from several threads at once, never for the same key.
 */
@FunctionalInterface
public interface Reconciler {
    Result reconcile(Request request) throws Exception;
}
