/**
 * The kinds of the autoscaling group. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.autoscaling;

import org.jspecify.annotations.NullMarked;
