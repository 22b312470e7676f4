/**
 * What a simulated hour costs. May use the simulation of {@code trimtab-standalone}; one thread runs everything, as it runs a
 * simulation.
 */
@NullMarked
package io.trimtab.benchmarks.simulation;

import org.jspecify.annotations.NullMarked;
