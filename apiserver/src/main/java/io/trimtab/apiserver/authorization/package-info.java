/**
 * Who decides what users may do, in which order, by an AuthorizationConfiguration. Uses {@code auth} and {@code cel}; called on the
 * thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.authorization;

import org.jspecify.annotations.NullMarked;
