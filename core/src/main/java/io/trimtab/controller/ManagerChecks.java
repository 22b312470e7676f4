package io.trimtab.controller;

import io.trimtab.health.Health;
import io.trimtab.informer.SharedInformer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What there is to say about a manager's health.
 *
 * @since 0.1
 */
public final class ManagerChecks {
    private ManagerChecks() {}

    /** For readiness: all caches have been filled once. */
    public static Health.Check synced(Manager manager) {
        return () -> problems(manager.informers().all().stream()
                .filter(informer -> !informer.isSynced())
                .map(informer -> informer.name() + " is not synced")
                .toList());
    }

    /** No cache is further behind its server than this. */
    public static Health.Check upToDate(Manager manager, Duration tolerance) {
        return () -> problems(manager.informers().all().stream()
                .filter(informer -> informer.lag().compareTo(tolerance) > 0)
                .map(ManagerChecks::behind)
                .toList());
    }

    private static String behind(SharedInformer<?> informer) {
        return informer.name() + " is " + informer.lag().toSeconds() + " s behind";
    }

    private static Optional<String> problems(List<String> all) {
        return all.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", all));
    }
}
