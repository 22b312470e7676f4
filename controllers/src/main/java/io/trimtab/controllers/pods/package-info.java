/**
 * What several controllers ask of pods: active, ready, available; and making and deleting them for an owner. Uses the client,\n * event recorder and runtime seam of core. Called on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.pods;

import org.jspecify.annotations.NullMarked;
