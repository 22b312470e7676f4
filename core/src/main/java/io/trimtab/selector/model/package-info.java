/**
 * Reads the structured label selectors of the API's Fabric8 model. Uses the selector engine and the model. Runs on the caller's
 * thread.
 */
@NullMarked
package io.trimtab.selector.model;

import org.jspecify.annotations.NullMarked;
