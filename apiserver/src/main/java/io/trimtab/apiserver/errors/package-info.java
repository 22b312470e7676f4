/**
 * Everything a request can be refused with: Status objects with Kubernetes' own reasons and messages, and field errors. Uses
 * Jackson trees only. Plain values, used on any thread.
 */
@NullMarked
package io.trimtab.apiserver.errors;

import org.jspecify.annotations.NullMarked;
