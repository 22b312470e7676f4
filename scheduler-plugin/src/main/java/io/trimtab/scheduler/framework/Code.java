package io.trimtab.scheduler.framework;

/** The kinds of answer a plugin can give. */
public enum Code {
    /** Goes on. */
    SUCCESS,
    /** Something broke: the attempt ends and is repeated after a back-off. */
    ERROR,
    /** Not now, but removing other pods may help. */
    UNSCHEDULABLE,
    /** Not now, and removing pods does not help. */
    UNSCHEDULABLE_AND_UNRESOLVABLE,
    /** Permit only: decides later. */
    WAIT,
    /** PreFilter, PreScore: the plugin has nothing to do for this pod. Bind: another plugin binds. */
    SKIP,
    /** Not now; the plugin waits for something of its own, whose event lets the pod in without back-off. */
    PENDING
}
