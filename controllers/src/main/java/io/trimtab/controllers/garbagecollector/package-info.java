/**
 * Deletes what has lost its owners, and carries out foreground and orphaning deletion. Uses core; the graph is fed on informer\n * lanes and read on reconcile threads, under one short lock.
 */
@NullMarked
package io.trimtab.controllers.garbagecollector;

import org.jspecify.annotations.NullMarked;
