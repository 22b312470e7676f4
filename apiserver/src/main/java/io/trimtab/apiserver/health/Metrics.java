package io.trimtab.apiserver.health;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.PathHandler;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.features.FeatureGates;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Serves {@code /metrics} and {@code /metrics/slis} in the text of Prometheus. Safe for use by any thread. */
public final class Metrics implements PathHandler {
    private static final String TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
    private static final Path STATUS = Path.of("/proc/self/status");

    private final PrometheusMeterRegistry registry;
    private final HealthChecks health;
    private final FeatureGates features;

    /**
     * @param registry what the whole process counts in
     * @param features which are told to be on
     */
    public Metrics(PrometheusMeterRegistry registry, HealthChecks health, FeatureGates features) {
        this.features = features;
        this.registry = registry;
        this.health = health;
    }

    /** Adds what Prometheus expects to know of any process. Once per registry. */
    public static void bindProcess(MeterRegistry registry) {
        var runtime = ManagementFactory.getRuntimeMXBean();
        Gauge.builder("process_start_time_seconds", runtime, r -> r.getStartTime() / 1000.0)
                .register(registry);
        Gauge.builder("process_resident_memory_bytes", STATUS, s -> statusBytes("VmRSS:"))
                .register(registry);
        Gauge.builder("process_virtual_memory_bytes", STATUS, s -> statusBytes("VmSize:"))
                .register(registry);
        if (ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system) {
            FunctionCounter.builder("process_cpu_seconds_total", system, s -> s.getProcessCpuTime() / 1e9)
                    .register(registry);
        }
        if (ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.UnixOperatingSystemMXBean unix) {
            Gauge.builder("process_open_fds", unix, u -> u.getOpenFileDescriptorCount())
                    .register(registry);
            Gauge.builder("process_max_fds", unix, u -> u.getMaxFileDescriptorCount())
                    .register(registry);
        }
    }

    private static long startSeconds() {
        return ManagementFactory.getRuntimeMXBean().getStartTime() / 1000;
    }

    private static double statusBytes(String field) {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith(field)) {
                    return Double.parseDouble(line.replaceAll("[^0-9]", "")) * 1024;
                }
            }
        } catch (IOException | NumberFormatException e) {
            return Double.NaN; // not Linux
        }
        return Double.NaN;
    }

    /** Gauges that never move: written when asked for, rather than two hundred more in the registry. */
    private String features() {
        StringBuilder text =
                new StringBuilder("# HELP kubernetes_feature_enabled [BETA] This metric records the data about"
                        + " the stage and enablement of a k8s feature.\n# TYPE kubernetes_feature_enabled gauge\n");
        for (FeatureGates.Feature feature : FeatureGates.all()) {
            text.append("kubernetes_feature_enabled{name=\"")
                    .append(feature.name())
                    .append("\",stage=\"")
                    .append(feature.stage().label())
                    .append("\"} ")
                    .append(features.enabled(feature.name()) ? 1 : 0)
                    .append('\n');
        }
        return text.toString();
    }

    @Override
    public Optional<ApiResponse> handle(ApiRequest request, UserInfo user) {
        boolean indicators = request.path().equals("/metrics/slis");
        if (!indicators && !request.path().equals("/metrics")) {
            return Optional.empty();
        }
        if (request.method().equals("DELETE")) {
            return Optional.of(new ApiResponse.Whole(
                    200,
                    Map.of("Content-Type", List.of("text/plain; charset=utf-8")),
                    "metrics reset\n".getBytes(StandardCharsets.UTF_8)));
        }
        String text = indicators ? health.metrics() : registry.scrape() + features();
        return Optional.of(new ApiResponse.Whole(
                200,
                Map.of(
                        "Content-Type",
                        List.of(TYPE),
                        "Process-Start-Time-Unix",
                        List.of(Long.toString(startSeconds()))),
                text.getBytes(StandardCharsets.UTF_8)));
    }
}
