/**
 * The kinds of the scheduling group. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.scheduling;

import org.jspecify.annotations.NullMarked;
