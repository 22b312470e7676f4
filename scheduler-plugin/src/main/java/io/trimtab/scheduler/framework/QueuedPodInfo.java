package io.trimtab.scheduler.framework;

import java.time.Instant;

/** A pod in the scheduling queue, and what it went through. Read on the scheduler's lane only. */
public interface QueuedPodInfo {
    PodInfo pod();

    /** When it was last put into a queue. */
    Instant timestamp();

    /** How often it was tried. */
    int attempts();
}
