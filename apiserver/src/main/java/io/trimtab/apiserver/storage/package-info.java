/**
 * Kubernetes objects on a {@link io.trimtab.apiserver.store.Store}: encoded once, listed and watched by resource. Uses store,
 * errors and the selector engine. Writers run on request threads; one feeder writes each watch cache.
 */
@NullMarked
package io.trimtab.apiserver.storage;

import org.jspecify.annotations.NullMarked;
