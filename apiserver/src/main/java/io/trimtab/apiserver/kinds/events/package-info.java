/**
 * Events, which two groups serve and one stores. Uses the common rules of {@code kinds}. Stateless, called on the thread of the
 * request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.events;

import org.jspecify.annotations.NullMarked;
