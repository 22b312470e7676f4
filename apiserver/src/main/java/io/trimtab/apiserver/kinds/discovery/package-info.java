/**
 * The kinds of the discovery group. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.discovery;

import org.jspecify.annotations.NullMarked;
