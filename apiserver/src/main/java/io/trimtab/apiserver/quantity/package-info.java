/**
 * Kubernetes' resource quantities: parsing, arithmetic and the canonical text. Uses nothing else of this module. Immutable
 * values, used on any thread.
 */
@NullMarked
package io.trimtab.apiserver.quantity;

import org.jspecify.annotations.NullMarked;
