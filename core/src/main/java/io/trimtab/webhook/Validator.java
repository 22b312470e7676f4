package io.trimtab.webhook;

import io.fabric8.kubernetes.api.model.HasMetadata;

/**
 * Says whether a request may go on. Called by many threads at once.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface Validator<T extends HasMetadata> {
    /** An exception counts as no answer: the webhook's failure policy decides. */
    Verdict validate(Admission<T> admission);
}
