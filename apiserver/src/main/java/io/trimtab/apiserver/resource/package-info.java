/**
 * What is served: the table of resources and, for each kind with behaviour of its own, the {@link
 * io.trimtab.apiserver.resource.Kind} to ask. Uses errors and schema. Kinds are stateless or say how they are guarded.
 */
@NullMarked
package io.trimtab.apiserver.resource;

import org.jspecify.annotations.NullMarked;
