package io.trimtab.runtime;

/** A step that runs another one: messages name that one. */
public interface NamedStep extends Runnable {
    /** The step inside. */
    Runnable named();
}
