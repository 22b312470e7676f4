/**
 * Publishes the certificate authority of the API server to each namespace. Uses core; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.rootca;

import org.jspecify.annotations.NullMarked;
