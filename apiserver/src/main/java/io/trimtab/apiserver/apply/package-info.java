/**
 * Who owns which field: server-side apply and the tracking of managed fields, as pure functions on trees. Uses the schema and the
 * errors. Stateless or immutable throughout, used on any thread.
 */
@NullMarked
package io.trimtab.apiserver.apply;

import org.jspecify.annotations.NullMarked;
