/**
 * The node agent: registers nodes, keeps their heartbeats, runs their pods by way of a container runtime and reports how they\n * are. Uses core and the runtime package. Pods are reconciled on worker threads, nodes on one wheel of timers.
 */
@NullMarked
package io.trimtab.node;

import org.jspecify.annotations.NullMarked;
