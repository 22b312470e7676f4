/**
 * Owner references: who controls an object; adopt and release. Uses the client and the selector engine. Runs on the caller's
 * thread, and blocks where it writes.
 */
@NullMarked
package io.trimtab.ownership;

import org.jspecify.annotations.NullMarked;
