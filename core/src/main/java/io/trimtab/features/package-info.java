/**
 * Kubernetes' feature gates: which there are, and which are open. Uses nothing but a resource of its own. Any thread may call.
 */
@NullMarked
package io.trimtab.features;

import org.jspecify.annotations.NullMarked;
