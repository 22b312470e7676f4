package io.trimtab.leader;

import java.time.Duration;

/**
 * Who shares the work, and how fast that shows. Immutable.
 *
 * @param namespace of the leases
 * @param group the same for all replicas; names the lease that holds the map, and prefixes those of the members
 * @param identity of this replica, such as its pod's name; a dash and a random number are added, because a replica that comes
 *     back is another one
 * @param slots how many parts the keys are divided into; what the first replica said counts until the map's lease is deleted.
 *     64 parts spread well over up to some 16 replicas
 * @param leaseDuration a member that has not renewed for so long, by the observer's clock, is taken for dead
 * @param renewDeadline a member that could not renew for so long works no more; less than the lease duration
 * @param retryPeriod between two looks at the others
 * @since 0.1
 */
public record ShardingConfig(
        String namespace,
        String group,
        String identity,
        int slots,
        Duration leaseDuration,
        Duration renewDeadline,
        Duration retryPeriod) {

    public ShardingConfig {
        if (leaseDuration.compareTo(renewDeadline) <= 0) {
            throw new IllegalArgumentException("leaseDuration must be greater than renewDeadline");
        }
        if (renewDeadline.compareTo(retryPeriod.multipliedBy(2)) < 0) {
            throw new IllegalArgumentException("renewDeadline must be at least two retryPeriods");
        }
        if (slots < 1 || slots > 4096) {
            throw new IllegalArgumentException("slots must be 1 to 4096, not " + slots);
        }
        if (identity.isEmpty() || group.isEmpty()) {
            throw new IllegalArgumentException("a member needs an identity and a group");
        }
    }

    /** 64 slots, and the times of Kubernetes' leader election: 15 s, 10 s, 2 s. */
    public static ShardingConfig of(String namespace, String group, String identity) {
        return new ShardingConfig(
                namespace, group, identity, 64, Duration.ofSeconds(15), Duration.ofSeconds(10), Duration.ofSeconds(2));
    }
}
