/**
 * The scheduler's picture of the cluster: nodes, their pods, and counts kept up to date from event to event. Uses the framework's
 * types. Runs on the scheduler's lane.
 */
@NullMarked
package io.trimtab.scheduler.cache;

import org.jspecify.annotations.NullMarked;
