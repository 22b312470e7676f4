/**
 * Calls that the API server makes to other servers over HTTPS: webhooks of admission, conversion, authentication and
 * authorization, and aggregated API servers. Uses the storage to find services, Vert.x to carry bytes, and nothing that knows
 * what is called for. Calls block the thread that makes them, which is one of the driver's; event loops only move bytes.
 */
@NullMarked
package io.trimtab.apiserver.callout;

import org.jspecify.annotations.NullMarked;
