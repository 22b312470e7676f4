package io.trimtab.controllers.podautoscaler;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.autoscaling.v2.CrossVersionObjectReference;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.selector.model.ModelSelectors;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The metrics APIs that extension servers offer beside the API server's own resources. Stateless. */
final class ApiMetrics implements MetricsSource {
    private static final String CUSTOM = "custom.metrics.k8s.io";
    private static final String EXTERNAL = "external.metrics.k8s.io";
    /** What an adapter means that does not say over which time it measured. */
    private static final Duration USUAL_WINDOW = Duration.ofMinutes(1);

    private final Client client;
    private final ScaleTargets targets;

    ApiMetrics(Client client, ScaleTargets targets) {
        this.client = client;
        this.targets = targets;
    }

    @Override
    public Map<String, Sample> resource(
            String resource, String namespace, String podSelector, @Nullable String container) {
        String path =
                "/apis/metrics.k8s.io/v1beta1/namespaces/" + namespace + "/pods?labelSelector=" + encode(podSelector);
        JsonNode items = items(path, "resource", "pods.metrics.k8s.io");
        Map<String, Sample> samples = new HashMap<>();
        for (JsonNode pod : items) {
            Long used = container == null ? usedByAll(pod, resource) : usedBy(pod, resource, container);
            if (used != null) {
                samples.put(
                        pod.path("metadata").path("name").asText(),
                        new Sample(
                                used,
                                Instant.parse(pod.path("timestamp").asText()),
                                window(pod.path("window").asText())));
            }
        }
        return samples;
    }

    /** The sum of a pod's containers; null if one of them was not measured. */
    private static @Nullable Long usedByAll(JsonNode pod, String resource) {
        JsonNode containers = pod.path("containers");
        long sum = 0;
        for (JsonNode container : containers) {
            JsonNode used = container.path("usage").path(resource);
            if (used.isMissingNode()) {
                return null;
            }
            sum += milli(used);
        }
        return containers.isEmpty() ? null : sum;
    }

    private static @Nullable Long usedBy(JsonNode pod, String resource, String name) {
        for (JsonNode container : pod.path("containers")) {
            if (container.path("name").asText().equals(name)) {
                JsonNode used = container.path("usage").path(resource);
                return used.isMissingNode() ? null : milli(used);
            }
        }
        return null;
    }

    @Override
    public Map<String, Sample> pods(
            String metric, String namespace, String podSelector, @Nullable LabelSelector selector) {
        String path = custom() + "/namespaces/" + namespace + "/pods/*/" + encode(metric) + "?labelSelector="
                + encode(podSelector) + metricSelector("&metricLabelSelector=", selector);
        Map<String, Sample> samples = new HashMap<>();
        for (JsonNode value : items(path, "custom", CUSTOM)) {
            samples.put(
                    value.path("describedObject").path("name").asText(),
                    new Sample(milli(value.path("value")), time(value), windowOf(value)));
        }
        return samples;
    }

    private static Instant time(JsonNode value) {
        return Instant.parse(value.path("timestamp").asText());
    }

    private static Duration windowOf(JsonNode value) {
        // v1beta1 has the same number under another name.
        JsonNode seconds = value.has("windowSeconds") ? value.path("windowSeconds") : value.path("window");
        return seconds.isNumber() ? Duration.ofSeconds(seconds.asLong()) : USUAL_WINDOW;
    }

    @Override
    public long object(
            String metric, String namespace, CrossVersionObjectReference object, @Nullable LabelSelector selector) {
        String about;
        if (object.getKind().equals("Namespace")) {
            about = "/metrics/";
        } else {
            ResourceType<?> type =
                    targets.types(object.getApiVersion(), object.getKind()).get(0);
            about = "/" + type.qualifiedName() + "/" + object.getName() + "/";
        }
        String path = custom() + "/namespaces/" + namespace + about + encode(metric)
                + metricSelector("?metricLabelSelector=", selector);
        return milli(items(path, "custom", CUSTOM).get(0).path("value"));
    }

    @Override
    public List<Long> external(String metric, String namespace, @Nullable LabelSelector selector) {
        String path = "/apis/" + EXTERNAL + "/v1beta1/namespaces/" + namespace + "/" + encode(metric)
                + metricSelector("?labelSelector=", selector);
        List<Long> values = new ArrayList<>();
        for (JsonNode value : items(path, "external", metric + "." + EXTERNAL)) {
            values.add(milli(value.path("value")));
        }
        return values;
    }

    /** The path of the version of custom metrics that the server prefers. */
    private String custom() {
        try {
            JsonNode group = read("/apis/" + CUSTOM);
            return "/apis/"
                    + group.path("preferredVersion").path("groupVersion").asText();
        } catch (ApiException e) {
            throw new MetricsException("unable to fetch metrics from custom metrics API: "
                    + (e.isNotFound() ? "no custom metrics API (custom.metrics.k8s.io) registered" : e.getMessage()));
        }
    }

    private JsonNode items(String path, String api, String resource) {
        JsonNode items;
        try {
            items = read(path).path("items");
        } catch (ApiException e) {
            // A 404 that names no object: there is nothing at that path.
            boolean absent = e.isNotFound()
                    && (e.status().getDetails() == null
                            || e.status().getDetails().getName() == null);
            throw new MetricsException("unable to fetch metrics from " + api + " metrics API: "
                    + (absent
                            ? "the server could not find the requested resource (get " + resource + ")"
                            : e.getMessage()));
        }
        if (items.isEmpty()) {
            throw new MetricsException("no metrics returned from " + api + " metrics API");
        }
        return items;
    }

    private JsonNode read(String path) {
        try {
            return KubernetesJson.mapper().readTree(client.raw("GET", path, null));
        } catch (IOException e) {
            throw new ApiException("the reply to GET " + path + " is no JSON", e);
        }
    }

    private static String metricSelector(String prefix, @Nullable LabelSelector selector) {
        return selector == null
                ? ""
                : prefix + encode(ModelSelectors.of(selector).toString());
    }

    private static long milli(JsonNode quantity) {
        return Amount.milli(new Quantity(quantity.asText()));
    }

    /** Go's form of a duration, of which these APIs use whole hours, minutes and seconds: {@code 1m0s}. */
    static Duration window(String text) {
        Duration sum = Duration.ZERO;
        int start = 0;
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            if (unit == 'h' || unit == 'm' || unit == 's') {
                double count = Double.parseDouble(text.substring(start, i));
                double seconds = unit == 'h' ? count * 3600 : unit == 'm' ? count * 60 : count;
                sum = sum.plusMillis(Math.round(seconds * 1000));
                start = i + 1;
            }
        }
        return sum;
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
