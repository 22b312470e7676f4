/** Owner references: who controls an object; adopt and release. Uses the client and the selector engine. */
@NullMarked
package io.trimtab.ownership;

import org.jspecify.annotations.NullMarked;
