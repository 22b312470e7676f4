package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.Pod;
import org.assertj.core.api.AbstractAssert;

/** Assertions about a Pod. */
public final class PodAssert extends AbstractAssert<PodAssert, Pod> {
    PodAssert(Pod actual) {
        super(actual, PodAssert.class);
    }

    public PodAssert isReady() {
        return check(Pods.isReady(actual), "to be ready");
    }

    public PodAssert isNotReady() {
        return check(!Pods.isReady(actual), "not to be ready");
    }

    public PodAssert isTerminating() {
        return check(Pods.isTerminating(actual), "to be terminating");
    }

    public PodAssert isOnNode(String node) {
        return check(node.equals(actual.getSpec().getNodeName()), "to be on " + node);
    }

    public PodAssert isOnNoNode() {
        return check(!Pods.isScheduled(actual), "to be on no node");
    }

    public PodAssert hasPhase(String phase) {
        return check(phase.equals(Pods.phase(actual)), "to be " + phase);
    }

    /** Its first waiting container waits for this reason. */
    public PodAssert isWaiting(String reason) {
        return check(reason.equals(Pods.waitingReason(actual)), "to wait for " + reason);
    }

    public PodAssert hasRestarts(int count) {
        return check(
                Pods.restarts(actual) == count,
                "to have been restarted " + count + " times, not " + Pods.restarts(actual));
    }

    private PodAssert check(boolean holds, String what) {
        isNotNull();
        if (!holds) {
            throw failure("Expected pod %s, but it is: %s", what, Pods.describe(actual));
        }
        return this;
    }
}
