package io.trimtab.scheduler;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.trimtab.scheduler.cache.ClusterCache;
import io.trimtab.scheduler.queue.SchedulingQueue;
import java.time.Duration;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Counts what the scheduler does, under the names Kubernetes gives. Does nothing without a registry. Written on the lane; the
 * gauges are read by whoever scrapes, and may then be an event behind.
 */
final class SchedulerMetrics {
    /** From 1 ms, doubled, as Kubernetes has them. */
    private static final Duration[] ATTEMPT_BUCKETS = doubled(Duration.ofMillis(1), 15);

    private static final Duration[] SLI_BUCKETS = doubled(Duration.ofMillis(10), 20);

    private final @Nullable MeterRegistry registry;

    SchedulerMetrics(@Nullable MeterRegistry registry) {
        this.registry = registry;
    }

    private static Duration[] doubled(Duration first, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> first.multipliedBy(1L << i))
                .toArray(Duration[]::new);
    }

    void watch(SchedulingQueue queue, ClusterCache cache) {
        gauge("active", queue, SchedulingQueue::activeCount);
        gauge("backoff", queue, SchedulingQueue::backoffCount);
        gauge("unschedulable", queue, SchedulingQueue::unschedulableCount);
        gauge("gated", queue, SchedulingQueue::gatedCount);
        if (registry != null) {
            Gauge.builder("scheduler.cache.size", cache, c -> c.nodes().size())
                    .tag("type", "nodes")
                    .register(registry);
            Gauge.builder("scheduler.cache.size", cache, ClusterCache::podCount)
                    .tag("type", "pods")
                    .register(registry);
        }
    }

    private void gauge(String name, SchedulingQueue queue, ToIntFunction<SchedulingQueue> size) {
        if (registry != null) {
            Gauge.builder("scheduler.pending.pods", queue, q -> size.applyAsInt(q))
                    .tag("queue", name)
                    .description("Pods that wait, by where")
                    .register(registry);
        }
    }

    /** The search for a node took so long. */
    void searched(Duration time) {
        if (registry != null) {
            Timer.builder("scheduler.scheduling.algorithm.duration")
                    .serviceLevelObjectives(ATTEMPT_BUCKETS)
                    .register(registry)
                    .record(time);
        }
    }

    /**
     * An attempt ended.
     *
     * @param result scheduled, unschedulable or error
     */
    void attempted(String result, String profile, Duration time) {
        if (registry != null) {
            Counter.builder("scheduler.schedule.attempts")
                    .tag("result", result)
                    .tag("profile", profile)
                    .register(registry)
                    .increment();
            Timer.builder("scheduler.scheduling.attempt.duration")
                    .tag("result", result)
                    .tag("profile", profile)
                    .serviceLevelObjectives(ATTEMPT_BUCKETS)
                    .register(registry)
                    .record(time);
        }
    }

    /** A pod was bound after so many attempts, so long after it first came to the queue. */
    void bound(int attempts, Duration time) {
        if (registry != null) {
            DistributionSummary.builder("scheduler.pod.scheduling.attempts")
                    .serviceLevelObjectives(1, 2, 4, 8, 16)
                    .register(registry)
                    .record(attempts);
            Timer.builder("scheduler.pod.scheduling.sli.duration")
                    .tag("attempts", attempts >= 15 ? "15+" : Integer.toString(attempts))
                    .serviceLevelObjectives(SLI_BUCKETS)
                    .register(registry)
                    .record(time);
        }
    }
}
