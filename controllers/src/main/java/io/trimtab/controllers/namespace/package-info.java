/**
 * Empties namespaces that are being deleted, then lets them go. Uses core; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.namespace;

import org.jspecify.annotations.NullMarked;
