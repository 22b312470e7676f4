/**
 * Says which ranges of Service addresses are ready, and keeps those that are being deleted while Services have addresses of them.
 * Uses core; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.servicecidr;

import org.jspecify.annotations.NullMarked;
