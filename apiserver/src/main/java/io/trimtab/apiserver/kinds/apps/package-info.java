/**
 * The workloads of the apps group. Uses the rules for pods in {@code kinds.core}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.apps;

import org.jspecify.annotations.NullMarked;
