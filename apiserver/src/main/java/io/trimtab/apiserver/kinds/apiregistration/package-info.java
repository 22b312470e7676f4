/**
 * The kinds of the apiregistration group. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.apiregistration;

import org.jspecify.annotations.NullMarked;
