/**
 * Says what is served: groups, versions and resources, in the plain form and the aggregated one. Reads the resource registry and
 * nothing else. Documents are made when first asked for, on the thread that asks, and kept until the registry changes.
 */
@NullMarked
package io.trimtab.apiserver.discovery;

import org.jspecify.annotations.NullMarked;
