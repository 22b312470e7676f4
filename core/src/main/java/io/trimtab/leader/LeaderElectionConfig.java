package io.trimtab.leader;

import java.time.Duration;

/**
 * How an election is held.
 *
 * @param namespace of the Lease
 * @param name of the Lease
 * @param identity of this candidate, unique among them
 * @param leaseDuration how long others wait after the last renewal they saw
 * @param renewDeadline how long the leader tries to renew before it gives up; less than leaseDuration
 * @param retryPeriod between tries; candidates add up to 1.2 times as much at random
 * @param releaseOnStop give the lease up when stopped, so that the next leader need not wait
 */
public record LeaderElectionConfig(
        String namespace,
        String name,
        String identity,
        Duration leaseDuration,
        Duration renewDeadline,
        Duration retryPeriod,
        boolean releaseOnStop) {

    static final double JITTER = 1.2;

    public LeaderElectionConfig {
        if (leaseDuration.compareTo(renewDeadline) <= 0) {
            throw new IllegalArgumentException("leaseDuration must be greater than renewDeadline");
        }
        if (renewDeadline.toNanos() <= retryPeriod.toNanos() * JITTER) {
            throw new IllegalArgumentException("renewDeadline must be greater than retryPeriod*JitterFactor");
        }
        if (leaseDuration.compareTo(Duration.ofSeconds(1)) < 0) {
            throw new IllegalArgumentException("leaseDuration must be greater than zero");
        }
        if (retryPeriod.isZero() || retryPeriod.isNegative()) {
            throw new IllegalArgumentException("retryPeriod must be greater than zero");
        }
        if (identity.isEmpty()) {
            throw new IllegalArgumentException("Lock identity is empty");
        }
    }

    /** Kubernetes' numbers: 15 s, 10 s, 2 s; released on stop. */
    public static LeaderElectionConfig of(String namespace, String name, String identity) {
        return new LeaderElectionConfig(
                namespace, name, identity, Duration.ofSeconds(15), Duration.ofSeconds(10), Duration.ofSeconds(2), true);
    }
}
