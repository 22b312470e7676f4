package io.trimtab.scheduler;

import io.micrometer.core.instrument.MeterRegistry;
import io.trimtab.scheduler.framework.PluginFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the scheduler works. Immutable.
 *
 * @param profiles at least one
 * @param percentageOfNodesToScore how many nodes that fit are enough, in percent; 0 to let the size of the cluster decide
 * @param initialBackoff after the first failure of a pod
 * @param maxBackoff after many
 * @param bindings how many writes run beside each other
 * @param factories plugins besides those that are there by default and those that {@link java.util.ServiceLoader} finds
 * @param metrics where to count; null for nowhere
 */
public record SchedulerOptions(
        List<ProfileOptions> profiles,
        int percentageOfNodesToScore,
        Duration initialBackoff,
        Duration maxBackoff,
        int bindings,
        List<PluginFactory> factories,
        @Nullable MeterRegistry metrics) {

    /** One profile, all defaults. */
    public static final SchedulerOptions DEFAULT = new SchedulerOptions(
            List.of(ProfileOptions.DEFAULT), 0, Duration.ofSeconds(1), Duration.ofSeconds(10), 32, List.of(), null);

    public SchedulerOptions {
        profiles = List.copyOf(profiles);
        factories = List.copyOf(factories);
    }

    /** The same with one plugin more. */
    public SchedulerOptions withPlugin(PluginFactory factory) {
        List<PluginFactory> more = new ArrayList<>(factories);
        more.add(factory);
        return new SchedulerOptions(
                profiles, percentageOfNodesToScore, initialBackoff, maxBackoff, bindings, more, metrics);
    }

    /** The same with these profiles. */
    public SchedulerOptions withProfiles(List<ProfileOptions> others) {
        return new SchedulerOptions(
                others, percentageOfNodesToScore, initialBackoff, maxBackoff, bindings, factories, metrics);
    }

    /** The same, counted there. */
    public SchedulerOptions withMetrics(MeterRegistry registry) {
        return new SchedulerOptions(
                profiles, percentageOfNodesToScore, initialBackoff, maxBackoff, bindings, factories, registry);
    }
}
