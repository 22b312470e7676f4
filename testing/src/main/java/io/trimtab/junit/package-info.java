/**
 * Tests of controllers on a whole cluster inside the test's JVM, in virtual time: the JUnit 5 extension, the cluster it injects,
 * and assertions about Kubernetes objects. May use everything that {@code io.trimtab.standalone} starts. The test's own thread
 * runs all steps of the cluster, while it waits in {@link io.trimtab.junit.Cluster#settle} and its like.
 */
@NullMarked
package io.trimtab.junit;

import org.jspecify.annotations.NullMarked;
