package io.trimtab.node.network;

import io.fabric8.kubernetes.api.model.Pod;
import org.jspecify.annotations.Nullable;

/** What becomes of an attempt to connect. */
public sealed interface Verdict {

    /**
     * Somebody listens.
     *
     * @param pod null if it is the node itself
     */
    record Reached(@Nullable Pod pod, Listener listener, Peer peer) implements Verdict {}

    /** The answer is a reset: nobody listens there, or a service has no endpoints. */
    record Refused(String why) implements Verdict {}

    /** There is no answer, however long one waits. */
    record Silent(String why) implements Verdict {}

    /** There is no way there. */
    record Unreachable(String why) implements Verdict {}

    /** For logs and messages. */
    default String why() {
        if (this instanceof Refused refused) {
            return refused.why();
        }
        if (this instanceof Silent silent) {
            return silent.why();
        }
        return this instanceof Unreachable unreachable ? unreachable.why() : "";
    }
}
