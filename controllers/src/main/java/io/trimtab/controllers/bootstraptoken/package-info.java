/**
 * Tokens by which nodes join: signs what they read of the cluster before they can trust it, and deletes tokens that have ended.
 * Uses core; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.bootstraptoken;

import org.jspecify.annotations.NullMarked;
