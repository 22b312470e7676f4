/**
 * The kinds of the policy group. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.policy;

import org.jspecify.annotations.NullMarked;
