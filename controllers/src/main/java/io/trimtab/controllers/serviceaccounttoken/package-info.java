/**
 * Service account tokens: fills the Secrets that ask for one, and deletes those whose account is gone. Uses core; runs on
 * reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.serviceaccounttoken;

import org.jspecify.annotations.NullMarked;
