package io.trimtab.apiserver;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Counts and times requests under the names that dashboards of Kubernetes know. Safe for use by any thread. */
final class RequestMetrics {
    private record CountKey(RequestInfo info, String scope, int code) {
        // Only these parts of the info are labels; the others must not make meters of their own.
        @Override
        public boolean equals(Object other) {
            return other instanceof CountKey k
                    && k.code == code
                    && k.scope.equals(scope)
                    && k.info.verb().equals(info.verb())
                    && k.info.resource().equals(info.resource())
                    && k.info.subresource().equals(info.subresource())
                    && k.info.group().equals(info.group())
                    && k.info.version().equals(info.version());
        }

        @Override
        public int hashCode() {
            return ((info.verb().hashCode() * 31 + info.resource().hashCode()) * 31
                                    + info.subresource().hashCode())
                            * 31
                    + scope.hashCode()
                    + code;
        }
    }

    private final MeterRegistry registry;
    private final AtomicInteger reading = new AtomicInteger();
    private final AtomicInteger mutating = new AtomicInteger();
    private final Map<CountKey, Counter> counters = new ConcurrentHashMap<>();
    private final Map<CountKey, Timer> timers = new ConcurrentHashMap<>();

    RequestMetrics(MeterRegistry registry) {
        this.registry = registry;
        Gauge.builder("apiserver_current_inflight_requests", reading, AtomicInteger::get)
                .tag("request_kind", "readOnly")
                .register(registry);
        Gauge.builder("apiserver_current_inflight_requests", mutating, AtomicInteger::get)
                .tag("request_kind", "mutating")
                .register(registry);
    }

    void begin(ApiRequest request) {
        inflight(request).incrementAndGet();
    }

    /** Counts a request that is turned away because there are too many. */
    void dropped(ApiRequest request) {
        String kind = inflight(request) == reading ? "readOnly" : "mutating";
        Counter.builder("apiserver_dropped_requests_total")
                .tag("request_kind", kind)
                .register(registry)
                .increment();
    }

    /** @param served false for resources that do not exist: their names come from clients, and would make endless labels */
    void end(ApiRequest request, RequestInfo info, boolean served, int code, long nanos, boolean dryRun) {
        inflight(request).decrementAndGet();
        RequestInfo labels = served ? info : UNKNOWN;
        String scope = !labels.resourceRequest()
                ? ""
                : !labels.name().isEmpty() || labels.verb().equals("create")
                        ? "resource"
                        : labels.namespace().isEmpty() ? "cluster" : "namespace";
        counters.computeIfAbsent(
                        new CountKey(labels, scope, code),
                        k -> Counter.builder("apiserver_request_total")
                                .tag("verb", verb(labels))
                                .tag("group", labels.group())
                                .tag("version", labels.version())
                                .tag("resource", labels.resource())
                                .tag("subresource", labels.subresource())
                                .tag("scope", scope)
                                .tag("dry_run", dryRun ? "All" : "")
                                .tag("component", "apiserver")
                                .tag("code", Integer.toString(code))
                                .register(registry))
                .increment();
        if (!labels.longRunning()) {
            timers.computeIfAbsent(
                            new CountKey(labels, scope, 0),
                            k -> Timer.builder("apiserver_request_duration_seconds")
                                    .tag("verb", verb(labels))
                                    .tag("group", labels.group())
                                    .tag("version", labels.version())
                                    .tag("resource", labels.resource())
                                    .tag("subresource", labels.subresource())
                                    .tag("scope", scope)
                                    .tag("dry_run", "")
                                    .tag("component", "apiserver")
                                    .publishPercentileHistogram(false)
                                    .register(registry))
                    .record(nanos, TimeUnit.NANOSECONDS);
        }
    }

    private static final RequestInfo UNKNOWN =
            new RequestInfo(false, "", "other", "", "", "", "", "", "", "", java.util.List.of());

    private AtomicInteger inflight(ApiRequest request) {
        return request.method().equals("GET") || request.method().equals("HEAD") ? reading : mutating;
    }

    /** The words of Kubernetes' metrics: those of HTTP, and LIST and WATCH. */
    private static String verb(RequestInfo info) {
        return switch (info.verb()) {
            case "create" -> "POST";
            case "update" -> "PUT";
            case "deletecollection" -> "DELETECOLLECTION";
            default -> info.verb().toUpperCase(java.util.Locale.ROOT);
        };
    }
}
