/**
 * Shared caches of a cluster's objects, fed by list and watch. Uses the client, the selector engine and the runtime seam. One
 * reflector writes each cache, on a lane of its own; readers never lock.
 */
@NullMarked
package io.trimtab.informer;

import org.jspecify.annotations.NullMarked;
