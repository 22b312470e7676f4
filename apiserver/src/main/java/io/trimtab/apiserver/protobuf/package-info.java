/**
 * Reads and writes Kubernetes' protobuf, which Go's clients speak, from and to JSON. Driven by a table of the fields of all
 * built-in kinds; the wire format is so small that it needs no library. Stateless after load; runs on request threads.
 */
@NullMarked
package io.trimtab.apiserver.protobuf;

import org.jspecify.annotations.NullMarked;
