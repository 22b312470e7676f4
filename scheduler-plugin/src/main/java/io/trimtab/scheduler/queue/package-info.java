/**
 * The pods that wait to be scheduled, and what may wake them. Uses the framework's types and the runtime's clock and timers. Runs
 * on the scheduler's lane.
 */
@NullMarked
package io.trimtab.scheduler.queue;

import org.jspecify.annotations.NullMarked;
