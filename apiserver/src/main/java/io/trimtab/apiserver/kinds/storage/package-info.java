/**
 * The kinds of the storage group. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.storage;

import org.jspecify.annotations.NullMarked;
