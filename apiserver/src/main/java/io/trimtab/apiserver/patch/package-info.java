/**
 * JSON, merge, strategic-merge and apply patches as pure functions on trees, driven by the schema. Used on any thread.
 */
@NullMarked
package io.trimtab.apiserver.patch;

import org.jspecify.annotations.NullMarked;
