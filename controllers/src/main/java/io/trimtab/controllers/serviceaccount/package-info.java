/**
 * Gives each namespace its default ServiceAccount. Uses core; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.serviceaccount;

import org.jspecify.annotations.NullMarked;
