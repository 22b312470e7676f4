/**
 * The network between simulated pods: who reaches whom, by which address and name, and what a network policy forbids. Uses the
 * Fabric8 model and the selector engine, and no socket: an address of a pod means nothing outside of the process. Runs on the thread
 * of whoever dials.
 */
@NullMarked
package io.trimtab.node.network;

import org.jspecify.annotations.NullMarked;
