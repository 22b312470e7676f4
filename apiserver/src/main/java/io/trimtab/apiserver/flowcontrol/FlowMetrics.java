package io.trimtab.apiserver.flowcontrol;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** The metrics of priority and fairness, read when somebody asks for them. Safe for use by any thread. */
public final class FlowMetrics implements MultiCollector {
    private static final String PREFIX = "apiserver_flowcontrol_";
    private static final String LEVEL = "priority_level";
    private static final String SCHEMA = "flow_schema";

    private final FlowControl control;

    public FlowMetrics(FlowControl control) {
        this.control = control;
    }

    @Override
    public MetricSnapshots collect() {
        List<MetricSnapshot> all = new ArrayList<>();
        all.add(level(
                "nominal_limit_seats",
                "Nominal number of execution seats configured for each priority level",
                l -> l.nominal));
        all.add(level(
                "lower_limit_seats",
                "Configured lower bound on number of execution seats available to each priority level",
                l -> l.lower));
        all.add(level(
                "upper_limit_seats",
                "Configured upper bound on number of execution seats available to each priority level",
                l -> l.upper));
        all.add(level(
                "current_limit_seats",
                "current derived number of execution seats available to each priority level",
                l -> l.current));
        all.add(level("target_seats", "Seat allocation targets", l -> l.target));
        all.add(level(
                "demand_seats_high_watermark",
                "High watermark, over last adjustment period, of demand_seats",
                l -> l.queues.look(l.queues.demand::highWatermark)));
        all.add(level(
                "demand_seats_average",
                "Time-weighted average, over last adjustment period, of demand_seats",
                l -> l.queues.look(l.queues.demand::average)));
        all.add(level(
                "demand_seats_stdev",
                "Time-weighted standard deviation, over last adjustment period, of demand_seats",
                l -> l.queues.look(l.queues.demand::deviation)));
        all.add(level("demand_seats_smoothed", "Smoothed seat demands", l -> l.queues.look(l.queues.demand::smoothed)));
        all.add(level("current_r", "R(time of last change)", l -> l.queues.look(l.queues::lockedProgress)));
        all.add(GaugeSnapshot.builder()
                .name(PREFIX + "seat_fair_frac")
                .help("Fair fraction of server's concurrency to allocate to each priority level that can use it")
                .dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder()
                        .value(control.configuration().fraction())
                        .build())
                .build());
        all.add(gauge(
                "current_executing_requests",
                "Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API"
                        + " Priority and Fairness subsystem",
                s -> s.executing));
        all.add(gauge(
                "current_executing_seats",
                "Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, any"
                        + " stage otherwise) requests in the API Priority and Fairness subsystem",
                s -> s.seatsInUse));
        all.add(gauge(
                "current_inqueue_requests",
                "Number of requests currently pending in queues of the API Priority and Fairness subsystem",
                s -> s.waiting));
        all.add(gauge(
                "current_inqueue_seats",
                "Number of seats currently pending in queues of the API Priority and Fairness subsystem",
                s -> s.seatsWaiting));
        all.add(counter(
                "dispatched_requests",
                "Number of requests executed by API Priority and Fairness subsystem",
                s -> s.dispatched));
        all.add(counter(
                "request_dispatch_no_accommodation",
                "Number of times a dispatch attempt resulted in a non accommodation due to lack of available seats",
                s -> s.notAccommodated));
        all.add(rejected());
        all.add(histogram(
                "request_wait_duration_seconds",
                "Length of time a request spent waiting in its queue",
                "execute",
                List.of("true", "false"),
                List.of(s -> s.waitedThenExecuted, s -> s.waitedInVain)));
        all.add(histogram(
                "request_execution_seconds",
                "Duration of initial stage (for a WATCH) or any (for a non-WATCH) stage of request execution in the API"
                        + " Priority and Fairness subsystem",
                "type",
                List.of("regular", "watch"),
                List.of(s -> s.executed, s -> s.watchStarted)));
        all.add(histogram(
                "request_queue_length_after_enqueue",
                "Length of queue in the API Priority and Fairness subsystem, as seen by each request after it is"
                        + " enqueued",
                "",
                List.of(""),
                List.of(s -> s.queueLengths)));
        all.add(histogram(
                "work_estimated_seats",
                "Number of estimated seats (maximum of initial and final seats) associated with requests in API"
                        + " Priority and Fairness",
                "",
                List.of(""),
                List.of(s -> s.estimatedSeats)));
        return new MetricSnapshots(all);
    }

    private MetricSnapshot level(String name, String help, ToDoubleFunction<PriorityLevel> value) {
        GaugeSnapshot.Builder gauge =
                GaugeSnapshot.builder().name(PREFIX + name).help(help);
        for (PriorityLevel level : control.levels()) {
            gauge.dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder()
                    .labels(Labels.of(LEVEL, level.name))
                    .value(value.applyAsDouble(level))
                    .build());
        }
        return gauge.build();
    }

    private void each(Consumer<Sample> consumer) {
        for (PriorityLevel level : control.levels()) {
            level.queues.look(() -> {
                level.queues.lockedStats().forEach(s -> consumer.accept(new Sample(level.name, s)));
                return level;
            });
        }
    }

    private record Sample(String level, FlowStats stats) {
        Labels labels() {
            return Labels.of(LEVEL, level, SCHEMA, stats.schema);
        }
    }

    private MetricSnapshot gauge(String name, String help, ToDoubleFunction<FlowStats> value) {
        GaugeSnapshot.Builder gauge =
                GaugeSnapshot.builder().name(PREFIX + name).help(help);
        each(sample -> gauge.dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder()
                .labels(sample.labels())
                .value(value.applyAsDouble(sample.stats()))
                .build()));
        return gauge.build();
    }

    private MetricSnapshot counter(String name, String help, ToDoubleFunction<FlowStats> value) {
        CounterSnapshot.Builder counter =
                CounterSnapshot.builder().name(PREFIX + name).help(help);
        each(sample -> {
            if (value.applyAsDouble(sample.stats()) > 0) {
                counter.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                        .labels(sample.labels())
                        .value(value.applyAsDouble(sample.stats()))
                        .build());
            }
        });
        return counter.build();
    }

    private MetricSnapshot rejected() {
        CounterSnapshot.Builder counter = CounterSnapshot.builder()
                .name(PREFIX + "rejected_requests")
                .help("Number of requests rejected by API Priority and Fairness subsystem");
        each(sample -> {
            FlowStats stats = sample.stats();
            add(counter, sample, "queue-full", stats.rejectedFull);
            add(counter, sample, "concurrency-limit", stats.rejectedLimit);
            add(counter, sample, "time-out", stats.rejectedTimeout);
        });
        return counter.build();
    }

    private static void add(CounterSnapshot.Builder counter, Sample sample, String reason, long count) {
        if (count > 0) {
            counter.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                    .labels(sample.labels().add("reason", reason))
                    .value(count)
                    .build());
        }
    }

    private MetricSnapshot histogram(
            String name,
            String help,
            String label,
            List<String> values,
            List<Function<FlowStats, FlowStats.Histogram>> readers) {
        HistogramSnapshot.Builder histogram =
                HistogramSnapshot.builder().name(PREFIX + name).help(help);
        each(sample -> {
            for (int i = 0; i < values.size(); i++) {
                FlowStats.Histogram data = readers.get(i).apply(sample.stats());
                ClassicHistogramBuckets.Builder buckets = ClassicHistogramBuckets.builder();
                long total = 0;
                for (int b = 0; b < data.counts.length; b++) {
                    double bound = b < data.bounds().length ? data.bounds()[b] : Double.POSITIVE_INFINITY;
                    buckets.bucket(bound, data.counts[b]);
                    total += data.counts[b];
                }
                if (total > 0) {
                    Labels labels =
                            label.isEmpty() ? sample.labels() : sample.labels().add(label, values.get(i));
                    histogram.dataPoint(HistogramSnapshot.HistogramDataPointSnapshot.builder()
                            .labels(labels)
                            .classicHistogramBuckets(buckets.build())
                            .sum(data.sum)
                            .build());
                }
            }
        });
        return histogram.build();
    }
}
