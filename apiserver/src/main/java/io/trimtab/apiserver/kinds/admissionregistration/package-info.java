/**
 * The kinds of the admission registration group. Uses the common rules of {@code kinds}. Stateless, called on the thread of the request.
 */
@NullMarked
package io.trimtab.apiserver.kinds.admissionregistration;

import org.jspecify.annotations.NullMarked;
