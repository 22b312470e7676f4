/**
 * The kinds of the flow control group. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.flowcontrol;

import org.jspecify.annotations.NullMarked;
