/**
 * A container runtime that only pretends: images are pulled, containers start, become ready and end by rules and by the clock.\n * Uses the runtime seam; state is guarded by one short lock.
 */
@NullMarked
package io.trimtab.node.simulated;

import org.jspecify.annotations.NullMarked;
