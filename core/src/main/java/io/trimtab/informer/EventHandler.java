package io.trimtab.informer;

/**
 * Hears of the changes of a cache, in order, one at a time, after the cache has them. Handlers of one informer hear each event
 * independently of each other; a handler that throws is logged and goes on hearing. Must not block, and must not change
 * the objects: they are shared.
 */
public interface EventHandler<T> {

    /**
     * An object is new to the cache.
     *
     * @param initial true while the handler hears of what was there before it
     */
    void onAdd(T object, boolean initial);

    /** An object changed. A periodic resync tells the same object twice, with equal resourceVersion. */
    void onUpdate(T old, T object);

    /**
     * An object is gone. An object that was deleted and created anew under the same name while nobody watched is told as
     * onDelete then onAdd: an update never changes the uid.
     *
     * @param finalStateUnknown the deletion itself was missed; {@code object} is the last state that was seen
     */
    void onDelete(T object, boolean finalStateUnknown);
}
