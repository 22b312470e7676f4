/**
 * Priority and fairness: which requests run at once, which wait and in what order, which are turned away. Uses the storage (its
 * configuration is objects), the clock, and nothing of HTTP. Decisions are made on the thread of the request; a request that
 * waited goes on by a step of the driver.
 */
@NullMarked
package io.trimtab.apiserver.flowcontrol;

import org.jspecify.annotations.NullMarked;
