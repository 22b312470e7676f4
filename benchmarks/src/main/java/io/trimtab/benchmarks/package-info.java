/**
 * The program that measures: microbenchmarks and whole processes. May use every module and the wall clock, since time is what
 * it is about; nothing depends on it. Runs on the main thread.
 */
@NullMarked
package io.trimtab.benchmarks;

import org.jspecify.annotations.NullMarked;
