/**
 * A plugin for Trimtab's scheduler: a filter of nodes by announced maintenance. Uses the scheduler's framework only; runs on the
 * scheduler's lane.
 */
@NullMarked
package io.trimtab.examples.scheduler;

import org.jspecify.annotations.NullMarked;
