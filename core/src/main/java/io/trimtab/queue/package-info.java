/** Work queues with client-go's semantics, and rate limiters. Uses the runtime seam. All methods are safe for any thread. */
@NullMarked
package io.trimtab.queue;

import org.jspecify.annotations.NullMarked;
