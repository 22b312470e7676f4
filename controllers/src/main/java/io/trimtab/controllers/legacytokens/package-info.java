/**
 * Clears away the tokens of Secrets that nobody has used for a year. Uses core; runs on a lane of its own.
 */
@NullMarked
package io.trimtab.controllers.legacytokens;

import org.jspecify.annotations.NullMarked;
