/**
 * Node lifecycle: finds nodes that no longer report, and taints them and marks their pods. Uses core and the pods and nodes
 * packages. The health of nodes is kept on one lane; taints and labels that follow conditions are set on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.nodelifecycle;

import org.jspecify.annotations.NullMarked;
