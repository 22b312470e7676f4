/**
 * Endpoints: the addresses of the pods behind each Service. Uses core and the pods package; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.endpoints;

import org.jspecify.annotations.NullMarked;
