/**
 * The kinds of the core group, and the rules for pods that all workloads share. Uses the common rules of {@code kinds} and the
 * allocators. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.core;

import org.jspecify.annotations.NullMarked;
