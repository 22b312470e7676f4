/**
 * CertificateSigningRequests: approves those of nodes, signs what is approved, and clears away what is old. Uses core and Bouncy
 * Castle, which reads requests and writes certificates; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.certificates;

import org.jspecify.annotations.NullMarked;
