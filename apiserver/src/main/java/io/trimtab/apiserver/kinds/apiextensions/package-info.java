/**
 * The behaviour of CustomResourceDefinitions as objects: defaults and validation, of their schemas too. May use the other
 * packages of kinds. Runs on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.apiextensions;

import org.jspecify.annotations.NullMarked;
