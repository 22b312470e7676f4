package io.trimtab.scheduler.framework;

import java.time.Duration;

/**
 * A Permit plugin's answer. Immutable.
 *
 * @param status {@link Code#WAIT} to decide later
 * @param timeout how long to wait at most; capped at 15 minutes
 */
public record PermitResult(Status status, Duration timeout) {
    public static final PermitResult ALLOW = new PermitResult(Status.SUCCESS, Duration.ZERO);

    public static PermitResult await(Duration timeout) {
        return new PermitResult(Status.of(Code.WAIT), timeout);
    }
}
