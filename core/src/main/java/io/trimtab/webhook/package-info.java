/**
 * Admission and conversion webhooks: handlers written in Java's types, served with certificates that renew themselves. Uses the
 * client, the runtime seam and the manager's notion of a component. Handlers run on the thread that carries the call; the
 * certificates are looked after on a lane of the server's.
 */
@NullMarked
package io.trimtab.webhook;

import org.jspecify.annotations.NullMarked;
