/**
 * Measures whole processes from outside: how soon they are ready, how much memory they hold, how fast a workload comes up. Uses
 * the programs as a user does, over TLS, and knows nothing of their insides. Runs on the main thread.
 */
@NullMarked
package io.trimtab.benchmarks.process;

import org.jspecify.annotations.NullMarked;
