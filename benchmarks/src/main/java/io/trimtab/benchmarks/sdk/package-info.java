/**
 * The SDK beside its peers: what a reconcile, a cached pod, an idle operator and an API server cost. Each figure is measured in a
 * process of its own, so that neither side warms up for the other; uses the public API of both sides only. Single-threaded but for
 * what is measured.
 */
@NullMarked
package io.trimtab.benchmarks.sdk;

import org.jspecify.annotations.NullMarked;
