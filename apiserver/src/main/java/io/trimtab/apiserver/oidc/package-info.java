/**
 * Tokens of other issuers: which are trusted and for whom they stand, by an AuthenticationConfiguration or flags, with the keys that
 * the issuers publish. Uses {@code auth}, {@code cel} and {@code callout}; called on the thread of the request, keys are also fetched
 * on threads of the driver.
 */
@NullMarked
package io.trimtab.apiserver.oidc;

import org.jspecify.annotations.NullMarked;
