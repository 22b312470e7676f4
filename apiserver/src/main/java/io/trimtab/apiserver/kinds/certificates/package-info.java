/**
 * The kinds of the certificates group. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.certificates;

import org.jspecify.annotations.NullMarked;
