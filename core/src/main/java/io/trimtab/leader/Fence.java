package io.trimtab.leader;

/**
 * Whether somebody may still write, and a number that tells his writes from those of whoever came before him. Safe for use by
 * any thread.
 *
 * <p>{@link #holds} is judged by the own clock and errs on the safe side: it turns false before anybody else can begin, as long
 * as clocks run at about the same speed; they need not agree. A write that was sent while it held may still arrive later, for
 * as long as a request may take: for writes of which even that must not happen, let the server compare tokens, see
 * {@link FencePolicy}.
 *
 * @since 0.1
 */
public interface Fence {
    /** Grows with each new holder; meaningful only while {@link #holds}. */
    long token();

    /** Whether the holder may write now. */
    boolean holds();

    /** What it is about, for messages: the lease. */
    String name();
}
