/**
 * The fault kit: what goes wrong in real clusters, as annotations of tests. May use the JUnit API and its own package's neighbour
 * {@code io.trimtab.junit}, which runs them. The thread of the test runs everything.
 */
@NullMarked
package io.trimtab.junit.fault;

import org.jspecify.annotations.NullMarked;
