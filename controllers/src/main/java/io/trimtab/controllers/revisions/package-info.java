/**
 * ControllerRevisions: the history of the pod templates of DaemonSets and StatefulSets. Uses core; called on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.revisions;

import org.jspecify.annotations.NullMarked;
