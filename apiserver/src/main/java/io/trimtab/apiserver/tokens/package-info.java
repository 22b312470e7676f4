/**
 * Service account tokens: how they are issued, signed, published and checked. Uses the storage to look up accounts and what a
 * token is bound to. Called on request threads.
 */
@NullMarked
package io.trimtab.apiserver.tokens;

import org.jspecify.annotations.NullMarked;
