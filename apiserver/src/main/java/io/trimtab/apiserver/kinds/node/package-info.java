/**
 * The kinds of the node group. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.node;

import org.jspecify.annotations.NullMarked;
