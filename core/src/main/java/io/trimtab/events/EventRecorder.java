package io.trimtab.events;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectReference;
import org.jspecify.annotations.Nullable;

/**
 * Tells people what happened to an object. Never blocks and never fails the caller: events are written in the background, and
 * are counted and aggregated as client-go does. Safe for use by any thread.
 */
public interface EventRecorder {

    /** Records that something expected happened. */
    default void normal(HasMetadata regarding, String reason, String message) {
        record(referenceTo(regarding), "Normal", reason, message);
    }

    /** Records that something needs a person's attention. */
    default void warning(HasMetadata regarding, String reason, String message) {
        record(referenceTo(regarding), "Warning", reason, message);
    }

    /**
     * Records an event.
     *
     * @param regarding the object, or a part of it by {@code fieldPath}
     * @param type {@code Normal} or {@code Warning}
     * @param reason one CamelCase word
     * @param message a sentence for people
     */
    void record(ObjectReference regarding, String type, String reason, String message);

    /**
     * Records an event that also says what was being done, and to do with which other object.
     *
     * @param regarding the object, or a part of it by {@code fieldPath}
     * @param related another object that had a part in it; null if none had
     * @param type {@code Normal} or {@code Warning}
     * @param reason one CamelCase word
     * @param action one CamelCase word: what was being done, such as {@code Binding}
     * @param message a sentence for people
     */
    default void record(
            ObjectReference regarding,
            @Nullable ObjectReference related,
            String type,
            String reason,
            String action,
            String message) {
        record(regarding, type, reason, message);
    }

    /** The reference that an event holds to an object. */
    static ObjectReference referenceTo(HasMetadata object) {
        ObjectReference reference = new ObjectReference();
        reference.setApiVersion(object.getApiVersion());
        reference.setKind(object.getKind());
        reference.setNamespace(object.getMetadata().getNamespace());
        reference.setName(object.getMetadata().getName());
        reference.setUid(object.getMetadata().getUid());
        reference.setResourceVersion(object.getMetadata().getResourceVersion());
        return reference;
    }
}
