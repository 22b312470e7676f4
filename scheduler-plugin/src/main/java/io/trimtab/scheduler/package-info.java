/**
 * The scheduler: its cycle, its configuration, its program. Uses core's manager, client and informers. Runs on one lane; writes
 * run beside it.
 */
@NullMarked
package io.trimtab.scheduler;

import org.jspecify.annotations.NullMarked;
