/**
 * The kinds of the networking group. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.networking;

import org.jspecify.annotations.NullMarked;
