/**
 * The behaviour of built-in kinds: the table that maps a group and kind to it, and the rules that many kinds share (names,
 * selectors, resources). Uses Jackson trees, field errors and the allocators; nothing of HTTP. Stateless but for the allocators,
 * called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds;

import org.jspecify.annotations.NullMarked;
