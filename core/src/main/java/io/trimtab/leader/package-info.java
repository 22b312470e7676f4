/**
 * Leader election by Lease, fences against former leaders, and sharing of keys between replicas that all work. Uses the client,
 * the event recorder and the runtime seam. Runs as steps on lanes of its own; user code is told on another.
 */
@NullMarked
package io.trimtab.leader;

import org.jspecify.annotations.NullMarked;
