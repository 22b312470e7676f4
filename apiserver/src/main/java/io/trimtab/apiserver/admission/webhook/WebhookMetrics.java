package io.trimtab.apiserver.admission.webhook;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.trimtab.apiserver.admission.AdmissionPlugin.Operation;
import java.time.Duration;

/** Counts and times calls of webhooks, under the names of apiserver/pkg/admission/metrics. Safe for use by any thread. */
final class WebhookMetrics {
    private static final Duration[] BUCKETS = {
        Duration.ofMillis(5),
        Duration.ofMillis(25),
        Duration.ofMillis(100),
        Duration.ofMillis(500),
        Duration.ofSeconds(1),
        Duration.ofMillis(2500),
        Duration.ofSeconds(10),
        Duration.ofSeconds(25)
    };

    private final MeterRegistry registry;
    /** {@code admit} or {@code validating}. */
    private final String type;

    WebhookMetrics(MeterRegistry registry, String type) {
        this.registry = registry;
        this.type = type;
    }

    void called(String name, Operation operation, Duration took, boolean rejected, int code) {
        Timer.builder("apiserver_admission_webhook_admission_duration_seconds")
                .tag("name", name)
                .tag("type", type)
                .tag("operation", operation.name())
                .tag("rejected", Boolean.toString(rejected))
                .serviceLevelObjectives(BUCKETS)
                .register(registry)
                .record(took);
        Counter.builder("apiserver_admission_webhook_request_total")
                .tag("name", name)
                .tag("type", type)
                .tag("operation", operation.name())
                .tag("rejected", Boolean.toString(rejected))
                .tag("code", Integer.toString(Math.min(code, 600)))
                .register(registry)
                .increment();
    }

    /** @param error {@code calling_webhook_error}, {@code apiserver_internal_error} or {@code no_error} */
    void rejected(String name, Operation operation, String error, int code) {
        Counter.builder("apiserver_admission_webhook_rejection_count")
                .tag("name", name)
                .tag("type", type)
                .tag("operation", operation.name())
                .tag("error_type", error)
                .tag("rejection_code", Integer.toString(Math.min(code, 600)))
                .register(registry)
                .increment();
    }

    void failedOpen(String name) {
        Counter.builder("apiserver_admission_webhook_fail_open_count")
                .tag("name", name)
                .tag("type", type)
                .register(registry)
                .increment();
    }

    void excluded(String name, Operation operation) {
        Counter.builder("apiserver_admission_match_condition_exclusions_total")
                .tag("name", name)
                .tag("kind", "webhook")
                .tag("type", type)
                .tag("operation", operation.name())
                .register(registry)
                .increment();
    }
}
