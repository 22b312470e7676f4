/**
 * Work queues with client-go's semantics, and rate limiters. Uses the runtime seam, and Micrometer for metrics. All methods are
 * safe for any thread and none blocks; delayed keys become ready on a thread of the driver.
 */
@NullMarked
package io.trimtab.queue;

import org.jspecify.annotations.NullMarked;
