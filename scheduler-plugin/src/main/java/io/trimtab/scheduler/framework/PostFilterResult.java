package io.trimtab.scheduler.framework;

import org.jspecify.annotations.Nullable;

/**
 * What PostFilter achieved. Immutable.
 *
 * @param status success if room is being made
 * @param nominatedNode where the pod will fit; empty to take back an earlier nomination; null to leave it as it is
 */
public record PostFilterResult(Status status, @Nullable String nominatedNode) {}
