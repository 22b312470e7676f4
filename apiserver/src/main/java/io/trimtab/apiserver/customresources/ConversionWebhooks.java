package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.trimtab.apiserver.callout.Target;
import io.trimtab.apiserver.callout.WebhookClient;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Asks the webhook of a definition to convert objects between its versions, and checks what it gives back
 * (apiextensions-apiserver's webhook_converter.go). Safe for use by any thread.
 */
public final class ConversionWebhooks {
    private static final String GROUP = "apiextensions.k8s.io";
    private static final List<String> VERSIONS = List.of("v1", "v1beta1");
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    /** Objects in one request: a list of any length then takes requests of bounded size. */
    static final int BATCH = 500;

    private final WebhookClient client;
    private final Driver driver;
    private final MeterRegistry metrics;

    public ConversionWebhooks(WebhookClient client, Driver driver, MeterRegistry metrics) {
        this.client = client;
        this.driver = driver;
        this.metrics = metrics;
    }

    /**
     * The webhook of a definition.
     *
     * @param target null if it cannot be reached, and why
     */
    record Webhook(
            String definition,
            @org.jspecify.annotations.Nullable Target target,
            String problem,
            List<String> reviewVersions) {}

    /**
     * Converts objects. Those that are at the wanted version already are given back as they are.
     *
     * @param objects of one kind; not changed
     * @return as many, in the same order
     * @throws io.trimtab.apiserver.errors.StatusException 500 if the webhook does not do it
     */
    List<ObjectNode> convert(Webhook webhook, List<ObjectNode> objects, String apiVersion) {
        List<ObjectNode> result = new ArrayList<>(objects);
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < objects.size(); i++) {
            if (!apiVersion(objects.get(i)).equals(apiVersion)) {
                places.add(i);
            }
        }
        for (int from = 0; from < places.size(); from += BATCH) {
            List<Integer> batch = places.subList(from, Math.min(places.size(), from + BATCH));
            List<ObjectNode> asked = batch.stream().map(objects::get).toList();
            List<ObjectNode> converted = ask(webhook, asked, apiVersion);
            for (int i = 0; i < batch.size(); i++) {
                result.set(batch.get(i), converted.get(i));
            }
        }
        return result;
    }

    private List<ObjectNode> ask(Webhook webhook, List<ObjectNode> objects, String apiVersion) {
        long begun = driver.nanoTime();
        String what = "conversion webhook for " + describe(objects.get(0));
        String version = webhook.reviewVersions().stream()
                .filter(VERSIONS::contains)
                .findFirst()
                .orElseThrow(() -> Statuses.raw("no supported conversion review versions"));
        Target target = webhook.target();
        if (target == null) {
            throw Statuses.raw(webhook.problem());
        }
        String uid = uid();
        ObjectNode response;
        try {
            ObjectNode review = client.await(
                    client.ask(target, Map.of(), review(version, uid, objects, apiVersion), VERSIONS, TIMEOUT));
            response = response(review, version, uid);
        } catch (WebhookClient.WebhookFailure e) {
            throw failed(begun, "conversion_webhook_call_failure", what + " failed: " + e.getMessage());
        } catch (BadConversion e) {
            throw failed(begun, "conversion_webhook_malformed_response_failure", what + " failed: " + e.getMessage());
        }
        JsonNode converted = response.path("convertedObjects");
        if (converted.size() != objects.size()) {
            throw failed(
                    begun,
                    "conversion_webhook_partial_response_failure",
                    what + " returned " + converted.size() + " objects, expected " + objects.size());
        }
        List<ObjectNode> result = new ArrayList<>(objects.size());
        boolean single = objects.size() == 1;
        for (int i = 0; i < objects.size(); i++) {
            try {
                result.add(checked(objects.get(i), converted.get(i), apiVersion, i, single));
            } catch (BadConversion e) {
                throw failed(
                        begun,
                        "conversion_webhook_invalid_converted_object_failure",
                        what + " returned " + e.getMessage());
            }
        }
        observe("success", "", begun);
        return result;
    }

    private RuntimeException failed(long begun, String type, String message) {
        observe("failure", type, begun);
        return Statuses.raw(message);
    }

    private void observe(String result, String type, long begun) {
        Timer.builder("apiserver_conversion_webhook_duration_seconds")
                .tag("result", result)
                .tag("failure_type", type)
                .register(metrics)
                .record(Duration.ofNanos(Math.max(0, driver.nanoTime() - begun)));
        Counter.builder("apiserver_conversion_webhook_request_total")
                .tag("result", result)
                .tag("failure_type", type)
                .register(metrics)
                .increment();
    }

    private static ObjectNode review(String version, String uid, List<ObjectNode> objects, String apiVersion) {
        ObjectNode review = JsonNodeFactory.instance
                .objectNode()
                .put("kind", "ConversionReview")
                .put("apiVersion", GROUP + "/" + version);
        ObjectNode request = review.putObject("request").put("uid", uid).put("desiredAPIVersion", apiVersion);
        ArrayNode array = request.putArray("objects");
        for (ObjectNode object : objects) {
            ObjectNode sent = object.deepCopy();
            if (sent.get("metadata") instanceof ObjectNode metadata) {
                metadata.remove("resourceVersion"); // the store's, and none of the webhook's business
            }
            array.add(sent);
        }
        // Kubernetes sends an empty answer along.
        ObjectNode response = review.putObject("response").put("uid", "");
        response.putNull("convertedObjects");
        response.putObject("result").putObject("metadata");
        return review;
    }

    /** The answer is not what was asked for; the message says why. */
    private static final class BadConversion extends RuntimeException {
        private static final long serialVersionUID = 1L;

        BadConversion(String message) {
            super(message, null, false, false);
        }
    }

    private static ObjectNode response(ObjectNode review, String version, String uid) {
        boolean strict = version.equals("v1");
        String kind = review.path("kind").asText("");
        String reviewed = review.path("apiVersion").asText("");
        if (strict && (!kind.equals("ConversionReview") || !reviewed.equals(GROUP + "/v1"))) {
            throw new BadConversion("expected webhook response of " + GROUP + "/v1, Kind=ConversionReview, got "
                    + (reviewed.isEmpty() ? "/" : reviewed) + ", Kind=" + kind);
        }
        if (!(review.get("response") instanceof ObjectNode response)) {
            throw new BadConversion("no response provided");
        }
        String answered = response.path("uid").asText("");
        if (strict && !answered.equals(uid)) {
            throw new BadConversion(
                    "expected response.uid=" + FieldErrors.quote(uid) + ", got " + FieldErrors.quote(answered));
        }
        String status = response.path("result").path("status").asText("");
        if (!status.equals("Success")) {
            String message = response.path("result").path("message").asText("");
            throw new BadConversion(
                    message.isEmpty() ? "response.result.status was '" + status + "', not 'Success'" : message);
        }
        return response;
    }

    private static ObjectNode checked(
            ObjectNode original, JsonNode converted, String apiVersion, int index, boolean single) {
        String at = single ? "invalid object at index " + index : "invalid converted object at index " + index;
        if (!(converted instanceof ObjectNode object)) {
            throw new BadConversion(at + ": Object 'Kind' is missing in '" + converted + "'");
        }
        if (!apiVersion(object).equals(apiVersion)) {
            throw new BadConversion(
                    at + ": invalid groupVersion (expected " + apiVersion + ", received " + apiVersion(object) + ")");
        }
        String kind = original.path("kind").asText("");
        if (!object.path("kind").asText("").equals(kind)) {
            throw new BadConversion(at + ": invalid kind (expected " + kind + ", received "
                    + object.path("kind").asText("") + ")");
        }
        String invalid = single ? "invalid object: " : at + ": ";
        same(invalid, "name", "name", original, object);
        same(invalid, "namespace", "namespace", original, object);
        same(invalid, "UID", "uid", original, object);
        try {
            return withMetadata(original, object);
        } catch (BadConversion e) {
            throw new BadConversion(
                    (single ? "invalid metadata: " : "invalid metadata in object at index " + index + ": ")
                            + e.getMessage());
        }
    }

    private static void same(String prefix, String word, String field, ObjectNode original, ObjectNode converted) {
        String before = original.path("metadata").path(field).asText("");
        String after = converted.path("metadata").path(field).asText("");
        if (!before.equals(after)) {
            throw new BadConversion(prefix + "must have the same " + word + ": " + before + " != " + after);
        }
    }

    /** Metadata is not the webhook's to change, but for labels and annotations. */
    private static ObjectNode withMetadata(ObjectNode original, ObjectNode converted) {
        JsonNode given = converted.get("metadata");
        if (given == null) {
            throw new BadConversion("missing metadata in converted object");
        }
        if (!given.isObject()) {
            throw new BadConversion("invalid metadata of type " + goType(given) + " in converted object");
        }
        ObjectNode metadata = original.get("metadata") instanceof ObjectNode m ? m.deepCopy() : original.objectNode();
        for (String field : new String[] {"labels", "annotations"}) {
            JsonNode map = given.get(field);
            if (map == null || map.isNull()) {
                metadata.remove(field);
                continue;
            }
            if (!map.isObject()) {
                throw new BadConversion(
                        "invalid metadata." + field + " of type " + goType(map) + " in converted object");
            }
            map.fields().forEachRemaining(entry -> {
                if (!entry.getValue().isTextual()) {
                    throw new BadConversion("metadata." + field + "[" + entry.getKey() + "] must be a string, but is "
                            + goType(entry.getValue()) + " in converted object");
                }
            });
            if (!map.equals(metadata.get(field))) {
                FieldErrors errors = new FieldErrors();
                if (field.equals("labels")) {
                    FieldRules.labels(errors, "metadata.labels", Trees.map(given, "labels"));
                } else {
                    FieldRules.annotations(errors, "metadata.annotation", Trees.map(given, "annotations"));
                }
                if (!errors.isEmpty()) {
                    throw new BadConversion(String.join(
                            ", ", errors.list().stream().map(e -> e.message()).toList()));
                }
            }
            metadata.set(field, map);
        }
        ObjectNode result = converted.deepCopy();
        result.set("metadata", metadata);
        return result;
    }

    private static String goType(JsonNode value) {
        return value.isObject()
                ? "map[string]interface {}"
                : value.isArray()
                        ? "[]interface {}"
                        : value.isTextual()
                                ? "string"
                                : value.isBoolean() ? "bool" : value.isNull() ? "<nil>" : "int64";
    }

    private static String describe(ObjectNode object) {
        return apiVersion(object) + ", Kind=" + object.path("kind").asText("");
    }

    private static String apiVersion(ObjectNode object) {
        return object.path("apiVersion").asText("");
    }

    private String uid() {
        long high = driver.random().nextLong() & 0xffff_ffff_ffff_0fffL | 0x4000L;
        long low = driver.random().nextLong() & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }
}
