/**
 * Behaviour of what describes and claims devices. It uses the trees and rules of {@link io.trimtab.apiserver.kinds} and nothing that
 * writes. The thread of the request runs it.
 */
@NullMarked
package io.trimtab.apiserver.kinds.resource;

import org.jspecify.annotations.NullMarked;
