/**
 * Who asks (authentication) and whether they may (authorization). Uses the storage for tokens and roles. Called on request
 * threads.
 */
@NullMarked
package io.trimtab.apiserver.auth;

import org.jspecify.annotations.NullMarked;
