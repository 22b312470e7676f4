package io.trimtab.scheduler.framework;

import java.util.List;

/** Says which events may make a pod schedulable that this plugin rejected. A plugin without it is woken by every event. */
public interface EnqueueExtensions extends Plugin {
    /** None means that rejected pods are tried again only after five minutes. */
    List<RegisteredEvent> eventsToRegister();
}
