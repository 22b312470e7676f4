package io.trimtab.scheduler.framework;

/** A part of the scheduler that is chosen by configuration. Implements one or more of the extension points. */
public interface Plugin {
    /** The name by which configuration, messages and metrics know it. */
    String name();
}
