/**
 * Leader election by Lease. Uses the client, the event recorder and the runtime seam. Runs as steps on a lane of its own; user
 * code is told on another.
 */
@NullMarked
package io.trimtab.leader;

import org.jspecify.annotations.NullMarked;
