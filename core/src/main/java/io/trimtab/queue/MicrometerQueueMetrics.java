package io.trimtab.queue;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/** Publishes a queue's metrics under the names that Kubernetes' components use ({@code workqueue_depth} and so on). */
public final class MicrometerQueueMetrics implements QueueMetrics {
    private final MeterRegistry registry;
    private final Tags tags;
    private final LongAdder adds = new LongAdder();
    private final Counter retries;
    private final Timer waited;
    private final Timer worked;

    /**
     * @param name of the queue; the controller's, as a rule
     */
    public MicrometerQueueMetrics(MeterRegistry registry, String name) {
        this.registry = registry;
        this.tags = Tags.of("name", name);
        FunctionCounter.builder("workqueue.adds", adds, LongAdder::doubleValue)
                .tags(tags)
                .description("Total number of adds handled by workqueue")
                .register(registry);
        this.retries = Counter.builder("workqueue.retries")
                .tags(tags)
                .description("Total number of retries handled by workqueue")
                .register(registry);
        this.waited = timer(
                "workqueue.queue.duration", "How long in seconds an item stays in workqueue before being requested.");
        this.worked = timer("workqueue.work.duration", "How long in seconds processing an item from workqueue takes.");
    }

    private Timer timer(String name, String description) {
        return Timer.builder(name)
                .tags(tags)
                .description(description)
                .serviceLevelObjectives(
                        Duration.ofMillis(1),
                        Duration.ofMillis(10),
                        Duration.ofMillis(100),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(100),
                        Duration.ofSeconds(1000))
                .register(registry);
    }

    @Override
    public void bind(LongSupplier depth, LongSupplier unfinishedNanos, LongSupplier longestNanos) {
        Gauge.builder("workqueue.depth", depth::getAsLong)
                .tags(tags)
                .description("Current depth of workqueue")
                .register(registry);
        Gauge.builder("workqueue.unfinished.work.seconds", () -> unfinishedNanos.getAsLong() / 1e9)
                .tags(tags)
                .description("How many seconds of work has been done that is in progress and hasn't been observed by"
                        + " work_duration.")
                .register(registry);
        Gauge.builder("workqueue.longest.running.processor.seconds", () -> longestNanos.getAsLong() / 1e9)
                .tags(tags)
                .description("How many seconds has the longest running processor for workqueue been running.")
                .register(registry);
    }

    @Override
    public void added() {
        adds.increment();
    }

    @Override
    public void started(long waitedNanos) {
        waited.record(waitedNanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void finished(long workedNanos) {
        worked.record(workedNanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void retried() {
        retries.increment();
    }
}
