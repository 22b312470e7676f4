/**
 * The pools that Services take from: cluster IPs and node ports. Uses the object storage for the IPAddress objects that stand for
 * taken addresses, and the driver for randomness. Guarded by locks of their own, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.allocation;

import org.jspecify.annotations.NullMarked;
