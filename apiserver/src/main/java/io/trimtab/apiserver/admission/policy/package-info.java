/**
 * Admission policies: rules in CEL that refuse or change writes, bound to what they are for, with parameters; and the step that
 * type-checks them. May use admission, cel, storage, resource and schema. Policies are judged on the request's thread, checked on
 * a lane of their own; what is compiled is shared.
 */
@NullMarked
package io.trimtab.apiserver.admission.policy;

import org.jspecify.annotations.NullMarked;
