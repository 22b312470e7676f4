/**
 * The kinds of the coordination group. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.coordination;

import org.jspecify.annotations.NullMarked;
