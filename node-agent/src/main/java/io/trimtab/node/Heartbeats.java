package io.trimtab.node;

import java.time.Instant;

/**
 * A shorter way to say that a node is as it was: for thousands of simulated nodes beside their API server, whose renewals would
 * else be most of what a simulation does. What it writes, and what others see of it, is what a request would have brought about.
 * Called on the nodes' lanes; must be safe for use by several.
 *
 * @since 0.1
 */
public interface Heartbeats {
    /**
     * Renews the lease of a node.
     *
     * @return false if there is none that only needs a new time: then it is written by a request
     */
    boolean renew(String node, Instant now);

    /**
     * Says that the conditions of a node, which is ready, still hold.
     *
     * @return false if there is more to say: then it is said by a request
     */
    boolean confirm(String node, Instant now);
}
