/**
 * The horizontal pod autoscaler: how many replicas a workload should have by what its pods use. {@code ReplicaCalculator},
 * {@code Recommendations} and {@code ScalePace} decide and are pure but for their memory; {@code ApiMetrics} asks the metrics
 * APIs; the controller carries out. May use core only. Runs on the manager's workers.
 */
@NullMarked
package io.trimtab.controllers.podautoscaler;

import org.jspecify.annotations.NullMarked;
