/**
 * Whether a program lives and is ready, and a port that tells the kubelet and Prometheus. Uses the runtime seam only. Checks run on
 * the thread that asks.
 */
@NullMarked
package io.trimtab.health;

import org.jspecify.annotations.NullMarked;
