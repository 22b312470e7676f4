/**
 * The kinds of the batch group. Uses the rules for pods in {@code kinds.core}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.batch;

import org.jspecify.annotations.NullMarked;
