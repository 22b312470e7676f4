/**
 * Nodes of a simulation that come from an inventory. Uses {@code io.trimtab.simulate} and nothing else. Runs on the simulation's
 * thread.
 */
@NullMarked
package io.trimtab.examples.nodestore;

import org.jspecify.annotations.NullMarked;
