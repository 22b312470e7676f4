/**
 * The kinds of the authorization group. Only their shape is checked here; who may write them is decided elsewhere. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.rbac;

import org.jspecify.annotations.NullMarked;
