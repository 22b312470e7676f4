package io.trimtab.apiserver.admission.webhook;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.AdmissionPlugin.Attributes;
import io.trimtab.apiserver.admission.AdmissionPlugin.Operation;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.callout.Target;
import io.trimtab.apiserver.callout.WebhookClient;
import io.trimtab.apiserver.cel.AdmissionInput;
import io.trimtab.apiserver.cel.MatchConditions;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What calls of mutating and validating webhooks have in common (plugin/webhook/generic). Safe for use by any thread. */
final class WebhookCalls {
    private static final Logger LOG = LoggerFactory.getLogger(WebhookCalls.class);

    private static final Set<String> EXEMPT = Set.of(
            "ValidatingWebhookConfiguration",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding");

    private final WebhookClient client;
    private final Driver driver;
    private final boolean mutating;
    private final Authorizer authorizer;
    final WebhookMetrics metrics;

    WebhookCalls(WebhookClient client, Driver driver, boolean mutating, Authorizer authorizer, WebhookMetrics metrics) {
        this.client = client;
        this.driver = driver;
        this.mutating = mutating;
        this.authorizer = authorizer;
        this.metrics = metrics;
    }

    /** Whether a write is none of any webhook's business: a webhook that refused its own repair would be there for ever. */
    static boolean isExempt(Attributes attributes) {
        ApiResource resource = attributes.resource();
        return resource.group().equals("admissionregistration.k8s.io") && EXEMPT.contains(resource.kind());
    }

    // ---- Whom to ask ---------------------------------------------------------------------------------------------

    /** How a webhook wants to see a write; empty if it does not. */
    Optional<Form> seenBy(Webhook hook, Write write) {
        boolean clusterScoped = write.namespace().isEmpty() && !write.isNamespace();
        StatusException noNamespace = null;
        if (!clusterScoped && hook.hasSelector("namespaceSelector")) {
            try {
                if (!hook.selects("namespaceSelector", write.namespaceLabels())) {
                    return Optional.empty();
                }
            } catch (StatusException e) {
                noNamespace = e; // matters only if the webhook would be asked
            }
        }
        if (hook.hasSelector("objectSelector") && !selectsObject(hook, write)) {
            return Optional.empty();
        }
        Form seen = byRules(hook, write);
        if (seen == null) {
            return Optional.empty();
        }
        if (noNamespace != null) {
            throw noNamespace;
        }
        if (!hook.conditions().isEmpty() && !meetsConditions(hook, write, seen)) {
            metrics.excluded(hook.name(), write.attributes.operation());
            return Optional.empty();
        }
        return Optional.of(seen);
    }

    private static boolean selectsObject(Webhook hook, Write write) {
        ObjectNode object = write.attributes.object();
        ObjectNode old = write.attributes.old();
        return object != null && object.has("metadata") && hook.selects("objectSelector", write.labelsSeen(object))
                || old != null && hook.selects("objectSelector", write.labelsSeen(old));
    }

    private static @Nullable Form byRules(Webhook hook, Write write) {
        for (Webhook.Rule rule : hook.rules()) {
            if (matches(rule, write, write.form.resource())) {
                return write.form;
            }
        }
        if (!hook.equivalent() || hook.rules().isEmpty()) {
            return null;
        }
        var equivalents = write.equivalents();
        for (Webhook.Rule rule : hook.rules()) {
            for (Form equivalent : equivalents) {
                if (matches(rule, write, equivalent.resource())) {
                    return equivalent;
                }
            }
        }
        return null;
    }

    private static boolean matches(Webhook.Rule rule, Write write, ApiResource resource) {
        return matchesScope(rule.scope(), write)
                && holds(rule.operations(), write.attributes.operation().name())
                && holds(rule.groups(), resource.group())
                && holds(rule.versions(), resource.version())
                && matchesResource(rule, resource.plural(), write.attributes.subresource());
    }

    private static boolean matchesScope(String scope, Write write) {
        boolean cluster = write.isNamespace() || write.namespace().isEmpty();
        return switch (scope) {
            case "*" -> true;
            case "Namespaced" -> !cluster;
            case "Cluster" -> cluster;
            default -> false;
        };
    }

    private static boolean holds(Iterable<String> items, String wanted) {
        for (String item : items) {
            if (item.equals("*") || item.equals(wanted)) {
                return true;
            }
        }
        return false;
    }

    private static boolean matchesResource(Webhook.Rule rule, String plural, String subresource) {
        for (String item : rule.resources()) {
            int slash = item.indexOf('/');
            String resource = slash < 0 ? item : item.substring(0, slash);
            String below = slash < 0 ? "" : item.substring(slash + 1);
            if ((resource.equals("*") || resource.equals(plural)) && (below.equals("*") || below.equals(subresource))) {
                return true;
            }
        }
        return false;
    }

    private boolean meetsConditions(Webhook hook, Write write, Form seen) {
        MatchConditions.Result result = hook.conditions()
                .evaluate(AdmissionInput.of(
                        write.attributes, write.object(seen), write.old(seen), seen.resource(), authorizer));
        if (result.isError() && !hook.failsOpen()) {
            ApiResource resource = write.attributes.resource();
            throw Statuses.forbidden(resource.group(), resource.plural(), write.attributes.name(), result.message());
        }
        return result.matches();
    }

    // ---- Asking --------------------------------------------------------------------------------------------------

    /** A webhook that was asked, or could not be. */
    record Question(
            Webhook hook,
            Form seen,
            String version,
            String uid,
            WebhookClient.@Nullable Asked asked,
            @Nullable CallFailure failure,
            long begun) {}

    /** The webhook could not be asked, or did not answer as it should: its failure policy decides. */
    static final class CallFailure extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final int code;

        CallFailure(Webhook hook, String why, int code) {
            super("failed calling webhook " + FieldErrors.quote(hook.name()) + ": " + why, null, false, false);
            this.code = code;
        }

        int code() {
            return code;
        }

        StatusException status() {
            return Statuses.internal(String.valueOf(getMessage()));
        }
    }

    /** Asks a webhook, without waiting for its answer. */
    Question ask(Webhook hook, Write write, Form seen) {
        long begun = driver.nanoTime();
        if (write.attributes.context().dryRun() && !hook.toleratesDryRun()) {
            throw Statuses.badRequest(
                    "admission webhook " + FieldErrors.quote(hook.name()) + " does not support dry run");
        }
        String version = AdmissionReviews.version(hook);
        if (version == null) {
            return failed(
                    hook,
                    seen,
                    "could not create admission objects: webhook does not accept known AdmissionReview versions (v1,"
                            + " v1beta1)",
                    400,
                    begun);
        }
        Target target = hook.target();
        if (target == null) {
            return failed(hook, seen, "could not get REST client: " + hook.problem(), 500, begun);
        }
        Duration left = write.attributes.context().trail().left(begun);
        Duration timeout = left.compareTo(hook.timeout()) < 0 ? left : hook.timeout();
        if (timeout.isNegative() || timeout.isZero()) {
            throw outOfTime();
        }
        String uid = uid();
        ObjectNode review = AdmissionReviews.review(version, uid, write, seen);
        WebhookClient.Asked asked = client.ask(target, Map.of(), review, AdmissionReviews.VERSIONS, timeout);
        return new Question(hook, seen, version, uid, asked, null, begun);
    }

    private static Question failed(Webhook hook, Form seen, String why, int code, long begun) {
        return new Question(hook, seen, "", "", null, new CallFailure(hook, why, code), begun);
    }

    /**
     * Waits for the answer.
     *
     * @throws CallFailure if it is none
     */
    AdmissionReviews.Answer await(Question question, Attributes attributes) {
        CallFailure failure = question.failure();
        WebhookClient.Asked asked = question.asked();
        if (failure != null || asked == null) {
            throw failure != null ? failure : new CallFailure(question.hook(), "it was not asked", 500);
        }
        Webhook hook = question.hook();
        AdmissionReviews.Answer answer;
        try {
            ObjectNode review = client.await(asked);
            answer = AdmissionReviews.answer(review, question.version(), question.uid(), mutating);
        } catch (WebhookClient.WebhookFailure e) {
            throw new CallFailure(hook, "failed to call webhook: " + e.getMessage(), e.code());
        } catch (AdmissionReviews.BadAnswer e) {
            throw new CallFailure(
                    hook,
                    (e.unreadable ? "failed to call webhook: " : "received invalid webhook response: ")
                            + e.getMessage(),
                    503);
        }
        answer.annotations()
                .forEach((key, value) -> attributes.context().trail().annotate(hook.name() + "/" + key, value));
        attributes.context().warnings().addAll(answer.warnings());
        return answer;
    }

    /** The refusal that a webhook's answer asks for. */
    static StatusException refusal(Webhook hook, @Nullable ObjectNode status) {
        String denied = "admission webhook " + FieldErrors.quote(hook.name()) + " denied the request";
        ObjectNode given = status == null ? Statuses.status(400, "", "", null) : status;
        String message = given.path("message").asText("");
        String reason = given.path("reason").asText("");
        ObjectNode refusal = Statuses.status(
                Math.max(400, given.path("code").asInt(0)),
                reason,
                !message.isEmpty()
                        ? denied + ": " + message
                        : !reason.isEmpty() ? denied + ": " + reason : denied + " without explanation",
                given.get("details") instanceof ObjectNode details ? details : null);
        if (given.get("metadata") instanceof ObjectNode metadata) {
            refusal.set("metadata", metadata);
        }
        String word = given.path("status").asText("");
        if (!word.isEmpty() && !word.equals("Success")) {
            refusal.put("status", word);
        }
        return new StatusException(refusal);
    }

    static StatusException outOfTime() {
        return Statuses.timeout("request did not complete within requested timeout", 0);
    }

    /** Counts a call that failed; true if the write goes on all the same. */
    boolean passes(Question question, Operation operation, CallFailure failure) {
        Webhook hook = question.hook();
        boolean open = hook.failsOpen();
        Duration took = took(question);
        if (!open) {
            metrics.rejected(hook.name(), operation, "calling_webhook_error", failure.code());
        }
        metrics.called(hook.name(), operation, took, !open, failure.code());
        if (open) {
            metrics.failedOpen(hook.name());
        }
        LOG.warn("webhook failed: name={} open={} error={}", hook.name(), open, failure.getMessage());
        return open;
    }

    /** Counts a refusal. */
    void refused(Question question, Operation operation, int code) {
        metrics.rejected(question.hook().name(), operation, "no_error", code);
        metrics.called(question.hook().name(), operation, took(question), true, code);
    }

    /** Counts a call after which the server itself could not go on. */
    void broke(Question question, Operation operation) {
        metrics.rejected(question.hook().name(), operation, "apiserver_internal_error", 0);
        metrics.called(question.hook().name(), operation, took(question), true, 0);
    }

    /** Counts a call that went well. */
    void went(Question question, Operation operation) {
        metrics.called(question.hook().name(), operation, took(question), false, 200);
    }

    Duration took(Question question) {
        return Duration.ofNanos(Math.max(0, driver.nanoTime() - question.begun()));
    }

    private String uid() {
        long high = driver.random().nextLong() & 0xffff_ffff_ffff_0fffL | 0x4000L;
        long low = driver.random().nextLong() & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }
}
