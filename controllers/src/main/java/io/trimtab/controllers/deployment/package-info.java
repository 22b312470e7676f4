/**
 * Deployment: rolls pods from one template to the next by way of ReplicaSets; rollback, pause, proportional scaling, progress\n * deadline. Uses core and the pods package; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.deployment;

import org.jspecify.annotations.NullMarked;
