/**
 * Custom resources: the step that accepts the names of CustomResourceDefinitions, serves what they define and empties them when
 * they are deleted, and the behaviour of their objects (defaults, pruning, validation by structural schema and by rules, versions).
 * May use storage, resource, schema, table, cel and the driver. Objects' behaviour runs on the request's thread, the step on a lane of its own.
 */
@NullMarked
package io.trimtab.apiserver.customresources;

import org.jspecify.annotations.NullMarked;
