package io.trimtab.webhook;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.webhook.Admission.Operation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The webhooks of a program: a function from requests to answers, before it is a web server. {@link WebhookServer} serves it;
 * a test hands requests to {@link #handle} itself. Immutable; safe for use by any thread.
 *
 * <pre>{@code
 * Webhooks.named("website-operator")
 *     .mutating(WebSite.class, (admission, site) -> { site.getSpec().host = ...; return Verdict.allow(); })
 *     .validating(WebSite.class, admission -> Verdict.of(problems(admission.object())))
 *     .converting(Conversion.hub(WebSite.class).spoke(...))
 *     .build();
 * }</pre>
 *
 * @since 0.1
 */
public final class Webhooks {
    private static final Logger log = LoggerFactory.getLogger(Webhooks.class);
    static final String CONVERT = "/convert";
    private static final ObjectMapper JSON = KubernetesJson.mapper();

    /** The answer to a call: an HTTP code, and JSON or, for a failure, plain text. */
    public record Answer(int code, String contentType, byte[] body) {
        static Answer failure(int code, String text) {
            return new Answer(code, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** One admission webhook. Exactly one of the two handlers is there. */
    record Hook<T extends HasMetadata>(
            ResourceType<T> type,
            HookOptions options,
            @Nullable Validator<T> validator,
            @Nullable Mutator<T> mutator) {

        boolean isMutating() {
            return mutator != null;
        }

        /** Where controller-runtime puts them: {@code /validate-group-version-kind}, dots as dashes. */
        String path() {
            return "/" + verb() + "-" + type.group().replace('.', '-') + "-" + type.version() + "-"
                    + type.kind().toLowerCase(Locale.ROOT) + (options.name().isEmpty() ? "" : "-" + options.name());
        }

        /** At least three parts with dots between them. */
        String name() {
            return (options.name().isEmpty() ? "" : options.name() + ".") + verb() + "." + type.plural() + "."
                    + (type.group().isEmpty() ? "core" : type.group());
        }

        private String verb() {
            return isMutating() ? "mutate" : "validate";
        }
    }

    private final String name;
    private final Map<String, Hook<?>> hooks;
    private final List<Conversion> conversions;

    private Webhooks(Builder builder) {
        this.name = builder.name;
        this.hooks = new LinkedHashMap<>(builder.hooks);
        this.conversions = List.copyOf(builder.conversions);
    }

    /** @param name names the configurations that are made for these webhooks */
    public static Builder named(String name) {
        return new Builder(name);
    }

    /** Collects webhooks. Not safe for use by several threads. */
    public static final class Builder {
        private final String name;
        private final Map<String, Hook<?>> hooks = new LinkedHashMap<>();
        private final List<Conversion> conversions = new ArrayList<>();

        private Builder(String name) {
            this.name = name;
        }

        /** Has its say when objects of this class are created or updated. */
        public <T extends HasMetadata> Builder validating(Class<T> type, Validator<T> validator) {
            return validating(ResourceType.of(type), HookOptions.DEFAULT, validator);
        }

        /** Has its say where the options tell. */
        public <T extends HasMetadata> Builder validating(
                ResourceType<T> type, HookOptions options, Validator<T> validator) {
            return add(new Hook<>(type, options, validator, null));
        }

        /** Changes objects of this class when they are created or updated. */
        public <T extends HasMetadata> Builder mutating(Class<T> type, Mutator<T> mutator) {
            return mutating(ResourceType.of(type), HookOptions.DEFAULT, mutator);
        }

        /** Changes objects where the options tell. */
        public <T extends HasMetadata> Builder mutating(ResourceType<T> type, HookOptions options, Mutator<T> mutator) {
            return add(new Hook<>(type, options, null, mutator));
        }

        /** Converts the versions of a custom resource. */
        public Builder converting(Conversion conversion) {
            conversions.add(conversion);
            return this;
        }

        private Builder add(Hook<?> hook) {
            if (hooks.putIfAbsent(hook.path(), hook) != null) {
                throw new IllegalArgumentException(
                        "there is a webhook at " + hook.path() + " already: give one of them a name in its options");
            }
            return this;
        }

        public Webhooks build() {
            return new Webhooks(this);
        }
    }

    public String name() {
        return name;
    }

    /** Where something is served. */
    public List<String> paths() {
        List<String> all = new ArrayList<>(hooks.keySet());
        if (!conversions.isEmpty()) {
            all.add(CONVERT);
        }
        return all;
    }

    List<Hook<?>> hooks(boolean mutating) {
        return hooks.values().stream().filter(h -> h.isMutating() == mutating).toList();
    }

    List<Conversion> conversions() {
        return conversions;
    }

    /**
     * Answers one call. Whatever a handler throws is logged and becomes a 500, which the API server treats as the webhook's
     * failure policy says.
     *
     * @param path without a query
     * @param body an AdmissionReview or a ConversionReview
     */
    public Answer handle(String path, byte[] body) {
        Hook<?> hook = hooks.get(path);
        if (hook == null && !(path.equals(CONVERT) && !conversions.isEmpty())) {
            return Answer.failure(404, "no webhook at " + path);
        }
        JsonNode review;
        try {
            review = JSON.readTree(body);
        } catch (IOException e) {
            return Answer.failure(400, "expected a review in JSON: " + e.getMessage());
        }
        if (review == null || !review.path("request").isObject()) {
            return Answer.failure(400, "expected a review with a request");
        }
        try {
            ObjectNode answer = JSON.createObjectNode();
            answer.set("apiVersion", review.path("apiVersion"));
            answer.set("kind", review.path("kind"));
            answer.set(
                    "response",
                    hook == null ? converted(review.get("request")) : admitted(hook, review.get("request")));
            return new Answer(200, "application/json", JSON.writeValueAsBytes(answer));
        } catch (JsonProcessingException e) {
            log.warn("Webhook cannot read what it is sent: path={}", path, e);
            return Answer.failure(400, "cannot read the object: " + e.getOriginalMessage());
        } catch (RuntimeException e) {
            log.error(
                    "Webhook failed: path={} request={}",
                    path,
                    review.path("request").path("uid").asText(),
                    e);
            return Answer.failure(500, String.valueOf(e.getMessage()));
        }
    }

    // ---- Admission -------------------------------------------------------------------------------------------------

    private static <T extends HasMetadata> ObjectNode admitted(Hook<T> hook, JsonNode request)
            throws JsonProcessingException {
        Operation operation;
        try {
            operation = Operation.valueOf(request.path("operation").asText());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("no such operation: " + request.path("operation"), e);
        }
        T object = read(hook, request.path("object"));
        T old = read(hook, request.path("oldObject"));
        Admission<T> admission = new Admission<>(request, operation, object, old, caller(request.path("userInfo")));
        Mutator<T> mutator = hook.mutator();
        Verdict verdict;
        JsonNode patch = null;
        if (mutator != null) {
            JsonNode before = object == null ? null : JSON.valueToTree(object);
            verdict = mutator.mutate(admission, admission.object());
            if (object != null && before != null && verdict.allowed()) {
                JsonNode document = request.get("object");
                JsonNode wanted = JsonChange.carry(document, before, JSON.valueToTree(object));
                ArrayNode operations = JsonChange.patch(document, wanted);
                patch = operations.isEmpty() ? null : operations;
            }
        } else {
            verdict = java.util.Objects.requireNonNull(hook.validator()).validate(admission);
        }
        return response(request, verdict, patch);
    }

    private static ObjectNode response(JsonNode request, Verdict verdict, @Nullable JsonNode patch) {
        ObjectNode response = JSON.createObjectNode();
        response.set("uid", request.path("uid"));
        response.put("allowed", verdict.allowed());
        if (!verdict.allowed()) {
            ObjectNode status = response.putObject("status");
            status.put("status", "Failure").put("code", verdict.code()).put("message", verdict.message());
            if (!verdict.reason().isEmpty()) {
                status.put("reason", verdict.reason());
            }
        }
        if (patch != null) {
            response.put("patchType", "JSONPatch");
            response.put(
                    "patch", Base64.getEncoder().encodeToString(patch.toString().getBytes(StandardCharsets.UTF_8)));
        }
        if (!verdict.warnings().isEmpty()) {
            verdict.warnings().forEach(response.putArray("warnings")::add);
        }
        if (!verdict.audit().isEmpty()) {
            verdict.audit().forEach(response.putObject("auditAnnotations")::put);
        }
        return response;
    }

    private static <T extends HasMetadata> @Nullable T read(Hook<T> hook, JsonNode document)
            throws JsonProcessingException {
        return document.isObject() ? JSON.treeToValue(document, hook.type().javaType()) : null;
    }

    private static Admission.Caller caller(JsonNode user) {
        Map<String, List<String>> extra = new LinkedHashMap<>();
        user.path("extra").fields().forEachRemaining(field -> extra.put(field.getKey(), texts(field.getValue())));
        return new Admission.Caller(
                user.path("username").asText(""), user.path("uid").asText(""), texts(user.path("groups")), extra);
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return List.copyOf(texts);
    }

    // ---- Conversion ------------------------------------------------------------------------------------------------

    private ObjectNode converted(JsonNode request) {
        ObjectNode response = JSON.createObjectNode();
        response.set("uid", request.path("uid"));
        String to = request.path("desiredAPIVersion").asText("");
        ArrayNode objects = JSON.createArrayNode();
        for (JsonNode object : request.path("objects")) {
            try {
                objects.add(conversionOf(object).convert((ObjectNode) object, to));
            } catch (RuntimeException e) {
                String which = object.path("metadata").path("namespace").asText("") + "/"
                        + object.path("metadata").path("name").asText("");
                log.warn(
                        "Conversion failed: kind={} object={} to={}",
                        object.path("kind").asText(),
                        which,
                        to,
                        e);
                response.putObject("result").put("status", "Failure").put("message", which + ": " + e.getMessage());
                return response;
            }
        }
        response.set("convertedObjects", objects);
        response.putObject("result").put("status", "Success");
        return response;
    }

    private Conversion conversionOf(JsonNode object) {
        String apiVersion = object.path("apiVersion").asText("");
        String kind = object.path("kind").asText("");
        return conversions.stream()
                .filter(c -> c.covers(apiVersion, kind) && object.isObject())
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("nothing converts " + kind + " of " + apiVersion));
    }
}
