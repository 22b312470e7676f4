/**
 * The Common Expression Language as Kubernetes extends it: parser, type checker, cost estimates, evaluation straight on Jackson
 * trees, and the function libraries. May use Jackson, RE2/J, quantities and the authorizer; knows nothing of definitions or
 * policies, which compile their expressions here. Compiled programs are immutable and shared; evaluation runs on the caller's
 * thread, and no class of this package is loaded before the first expression is met.
 */
@NullMarked
package io.trimtab.apiserver.cel;

import org.jspecify.annotations.NullMarked;
