/**
 * Kinds of {@code resource.k8s.io}: devices that nodes have, and claims to them. Uses the resource model only. Runs on the thread of
 * whoever asks.
 */
@NullMarked
package io.trimtab.apiserver.kinds.dynamicresources;

import org.jspecify.annotations.NullMarked;
