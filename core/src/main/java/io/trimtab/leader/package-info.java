/** Leader election by Lease. Uses the client and the runtime seam; runs on a lane of its own. */
@NullMarked
package io.trimtab.leader;

import org.jspecify.annotations.NullMarked;
