/**
 * Reads request bodies in Kubernetes' protobuf, which Go's clients write, into JSON. Driven by a table of the fields of all
 * built-in kinds. Stateless after load; runs on request threads.
 */
@NullMarked
package io.trimtab.apiserver.protobuf;

import org.jspecify.annotations.NullMarked;
