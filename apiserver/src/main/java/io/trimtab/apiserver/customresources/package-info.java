/**
 * Custom resources: the step that accepts the names of CustomResourceDefinitions, serves what they define and empties them when
 * they are deleted, and the behaviour of their objects (defaults, pruning, validation by structural schema, versions). May use
 * storage, resource, schema, table and the driver. Objects' behaviour runs on the request's thread, the step on a lane of its own.
 *
 * <p>Rules in {@code x-kubernetes-validations} are stored and published but not evaluated yet, and a conversion webhook is not
 * called: versions differ by {@code apiVersion} only.
 */
@NullMarked
package io.trimtab.apiserver.customresources;

import org.jspecify.annotations.NullMarked;
