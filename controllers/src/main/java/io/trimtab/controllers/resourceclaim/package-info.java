/**
 * Makes the ResourceClaims that pods' templates stand for, reserves and releases claims, and clears away those that nobody needs. Uses
 * core; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.resourceclaim;

import org.jspecify.annotations.NullMarked;
