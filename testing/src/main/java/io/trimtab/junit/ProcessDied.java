package io.trimtab.junit;

/** Unwinds the stack of a process that has just died. An Error, so that no ordinary handler takes it for a failed request. */
final class ProcessDied extends Error {
    private static final long serialVersionUID = 1L;

    ProcessDied() {
        super("this process has died", null, false, false);
    }
}
