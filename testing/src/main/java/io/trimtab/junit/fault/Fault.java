package io.trimtab.junit.fault;

/**
 * What may go wrong between a program under test and its cluster. None of these is exotic: each happens to every controller that
 * runs for a year. Where and when is drawn from the seed of the run.
 *
 * @since 0.1
 */
public enum Fault {
    /** Caches lag behind by up to 15 s, and lists that accept any revision are answered from an older one. */
    STALE_READS,
    /** Watches break off, and what happens until they are back is never told as events: only the last state is seen. */
    DROPPED_EVENTS,
    /** Events of one watch come up to 5 s after those of others. */
    LATE_EVENTS,
    /** Events are told twice. */
    DUPLICATED_EVENTS,
    /** A watch ends with 410 Gone: the program must list anew. */
    EXPIRED_WATCHES,
    /** Somebody else writes to an object right before the program does: 409 Conflict for who says what it has read. */
    CONCURRENT_WRITES,
    /** Requests are refused with 429 or 500; nothing has been done. */
    REFUSED_REQUESTS,
    /** Requests are carried out, but their answer is lost: the program sees a time-out. */
    LOST_ANSWERS,
    /** The program dies right before or right after a write, and is started anew. */
    CRASHES,
    /** Leases cannot be renewed for a while: whoever leads leads no more. */
    LOST_LEADERSHIP,
    /** A node falls silent for a while. */
    NODE_LOSS,
    /** Requests take their time, and others act meanwhile. */
    SLOW_REQUESTS,
    /** The clock of the program's machine jumps, forwards or backwards. */
    CLOCK_JUMPS,
    /** The program cannot reach the API server for up to 20 s; then its watches have broken off. */
    PARTITIONS,
    /** An object that a test has made is deleted and made anew under the same name, while the program's watches are broken. */
    RECREATED_OBJECTS
}
