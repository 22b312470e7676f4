/**
 * The types of Kubernetes 1.34 as data, and what follows from them: strict decoding, canonical encoding, merge keys, list types.
 * Uses Jackson trees only. Immutable after load.
 */
@NullMarked
package io.trimtab.apiserver.schema;

import org.jspecify.annotations.NullMarked;
