/**
 * DaemonSet: one pod on every node that should have one. Uses core and the pods, nodes and revisions packages; runs on reconcile
 * threads.
 */
@NullMarked
package io.trimtab.controllers.daemonset;

import org.jspecify.annotations.NullMarked;
