/**
 * Disruption: keeps the status of PodDisruptionBudgets, by which evictions are allowed. Uses core and the pods package; runs on
 * reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.disruption;

import org.jspecify.annotations.NullMarked;
