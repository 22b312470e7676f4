package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Turns events away when there are too many: from all, from one namespace, from one user, or of one source about one object. Does
 * nothing without a configuration, which is why it is off unless somebody asks for it. Safe for use by any thread.
 */
public final class EventRateLimit implements AdmissionPlugin {
    private static final int REMEMBERED = 4096;
    private static final Set<String> TYPES = Set.of("Server", "Namespace", "User", "SourceAndObject");

    private final List<Limit> limits;

    private EventRateLimit(List<Limit> limits) {
        this.limits = List.copyOf(limits);
    }

    /**
     * Reads an {@code eventratelimit.admission.k8s.io/v1alpha1} Configuration.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static EventRateLimit parse(String text) {
        JsonNode config;
        try {
            config = new YAMLMapper().readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("EventRateLimit: " + e.getOriginalMessage(), e);
        }
        FieldErrors errors = new FieldErrors();
        List<Limit> limits = new ArrayList<>();
        int i = 0;
        for (JsonNode limit : config.path("limits")) {
            String path = "limits[" + i++ + "]";
            String type = limit.path("type").asText("");
            if (!TYPES.contains(type)) {
                errors.notSupported(path + ".type", FieldErrors.text(type), TYPES);
            }
            if (limit.path("burst").asInt(0) <= 0) {
                errors.invalid(path + ".burst", limit.path("burst").asInt(0), "must be positive");
            }
            if (limit.path("qps").asInt(0) <= 0) {
                errors.invalid(path + ".qps", limit.path("qps").asInt(0), "must be positive");
            }
            int size = limit.path("cacheSize").asInt(0);
            if (size < 0 && !type.equals("Server")) {
                errors.invalid(path + ".cacheSize", size, "must not be negative");
            }
            limits.add(new Limit(
                    type, limit.path("qps").asInt(0), limit.path("burst").asInt(0), size <= 0 ? REMEMBERED : size));
        }
        if (limits.isEmpty()) {
            errors.invalidShown("limits", "null", "must not be empty");
        }
        if (!errors.isEmpty()) {
            throw new IllegalArgumentException(
                    "EventRateLimit: " + errors.list().get(0).message());
        }
        return new EventRateLimit(limits);
    }

    @Override
    public String name() {
        return "EventRateLimit";
    }

    @Override
    public void validate(Attributes attributes) {
        boolean event = attributes.resource().kind().equals("Event")
                && Set.of("", "events.k8s.io").contains(attributes.resource().group());
        boolean writes = attributes.operation() == Operation.CREATE || attributes.operation() == Operation.UPDATE;
        WriteContext context = attributes.context();
        if (!event || !writes || context.dryRun()) {
            return;
        }
        List<String> reached = new ArrayList<>();
        for (Limit limit : limits) {
            String key = limit.key(attributes);
            if (!limit.take(key, context.driver().nanoTime())) {
                reached.add("limit reached on type " + limit.type + " for key " + key);
            }
        }
        if (!reached.isEmpty()) {
            throw Statuses.of(
                    429,
                    "TooManyRequests",
                    reached.size() == 1 ? reached.get(0) : "[" + String.join(", ", reached) + "]",
                    null);
        }
    }

    /** One limit, with a bucket for each key. */
    private static final class Limit {
        private final String type;
        private final int perSecond;
        private final int burst;
        private final Function<Attributes, String> keyOf;
        /** Guarded by this; the key that was not used for longest goes first. */
        private final Map<String, Bucket> buckets;

        Limit(String type, int perSecond, int burst, int size) {
            this.type = type;
            this.perSecond = perSecond;
            this.burst = burst;
            this.keyOf = switch (type) {
                case "Namespace" -> Attributes::namespace;
                case "User" ->
                    attributes ->
                            attributes.user() == null ? "" : attributes.user().name();
                case "SourceAndObject" -> Limit::sourceAndObject;
                default -> attributes -> "";
            };
            this.buckets = new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Bucket> eldest) {
                    return size() > size;
                }
            };
        }

        String key(Attributes attributes) {
            return keyOf.apply(attributes);
        }

        synchronized boolean take(String key, long now) {
            Bucket bucket = buckets.computeIfAbsent(key, k -> new Bucket(burst, now));
            bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / 1e9 * perSecond);
            bucket.at = now;
            if (bucket.tokens < 1) {
                return false;
            }
            bucket.tokens--;
            return true;
        }

        private static String sourceAndObject(Attributes attributes) {
            JsonNode event = attributes.object();
            if (event == null) {
                return "";
            }
            JsonNode source = event.path("source").isObject() ? event.path("source") : event.path("deprecatedSource");
            JsonNode about =
                    event.path("involvedObject").isObject() ? event.path("involvedObject") : event.path("regarding");
            StringBuilder key = new StringBuilder();
            for (String field : List.of("component", "host")) {
                key.append(source.path(field).asText(""));
            }
            for (String field : List.of("kind", "namespace", "name", "uid", "apiVersion")) {
                key.append(about.path(field).asText(""));
            }
            return key.toString();
        }
    }

    private static final class Bucket {
        double tokens;
        long at;

        Bucket(double tokens, long at) {
            this.tokens = tokens;
            this.at = at;
        }
    }
}
