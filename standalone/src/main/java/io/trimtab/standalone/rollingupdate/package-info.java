/**
 * The rolling update of ReplicationControllers that kubectl used to have: a loop on the client's side. Uses the client and the
 * runtime seam of core. Runs on the caller's thread, which it blocks until the update is done.
 */
@NullMarked
package io.trimtab.standalone.rollingupdate;

import org.jspecify.annotations.NullMarked;
