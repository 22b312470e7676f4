/**
 * Deletes pods that nobody will ever end: of lost nodes, never scheduled, or too many that have ended. Uses core and the pods\n * package; runs as a timer step.
 */
@NullMarked
package io.trimtab.controllers.podgc;

import org.jspecify.annotations.NullMarked;
