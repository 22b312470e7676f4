package io.trimtab.controllers.podautoscaler;

import java.time.Duration;
import java.time.Instant;

/**
 * What a pod used.
 *
 * @param milli a thousandth of the resource's or metric's unit
 * @param window over which it was measured, ending at the time
 */
record Sample(long milli, Instant time, Duration window) {}
