package io.trimtab.webhook;

import io.fabric8.kubernetes.api.model.HasMetadata;

/**
 * Changes an object on its way into the store. Called by many threads at once; may be called twice for one request, the second
 * time with what it has made of it.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface Mutator<T extends HasMetadata> {
    /**
     * An exception counts as no answer: the webhook's failure policy decides.
     *
     * @param object {@link Admission#object}, to be changed in place. Only what is changed goes to the server: fields that the
     *     Java class does not know stay as they are
     */
    Verdict mutate(Admission<T> admission, T object);
}
