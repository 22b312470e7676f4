package io.trimtab.apiserver.admission.webhook;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micrometer.core.instrument.MeterRegistry;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.admission.Reinvocation;
import io.trimtab.apiserver.admission.Rounds;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.callout.WebhookClient;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.patch.JsonPatch;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.RequestTrail;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.runtime.Driver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Lets webhooks change writes, one after another in the order of their configurations' names, each seeing what those before it
 * did; and once more those that ask for it, if the object changed after them (plugin/webhook/mutating). Safe for use by any
 * thread; whoever made it closes it.
 */
public final class MutatingWebhooks implements AdmissionPlugin, AutoCloseable {
    private static final String NAME = "MutatingAdmissionWebhook";

    private final WebhookSource source;
    private final WebhookCalls calls;
    private final ResourceRegistry registry;
    private final Driver driver;

    /** @param authorizer what match conditions may ask */
    public MutatingWebhooks(
            Storage storage,
            ResourceRegistry registry,
            WebhookClient client,
            Authorizer authorizer,
            Driver driver,
            MeterRegistry metrics) {
        this.source = new WebhookSource(storage, CoreResources.MUTATING_WEBHOOKS);
        this.calls = new WebhookCalls(client, driver, true, authorizer, new WebhookMetrics(metrics, "admit"));
        this.registry = registry;
        this.driver = driver;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void close() {
        source.close();
    }

    @Override
    public void admit(Attributes attributes) {
        admit(attributes, new Reinvocation());
    }

    @Override
    public void admit(Attributes attributes, Reinvocation reinvocation) {
        if (WebhookCalls.isExempt(attributes)) {
            return;
        }
        List<Webhook> hooks = source.webhooks();
        if (hooks.isEmpty()) {
            return;
        }
        Rounds rounds = Rounds.begin(reinvocation, NAME, attributes.object());
        Write write = new Write(attributes, registry);
        for (int i = 0; i < hooks.size(); i++) {
            Webhook hook = hooks.get(i);
            Optional<Form> seen = calls.seenBy(hook, write);
            if (seen.isEmpty() || rounds.skips(hook.id())) {
                continue;
            }
            call(hook, i, write, seen.get(), reinvocation, rounds);
        }
        rounds.end(attributes.object());
    }

    private void call(Webhook hook, int index, Write write, Form seen, Reinvocation reinvocation, Rounds rounds) {
        Attributes attributes = write.attributes;
        RequestTrail trail = attributes.context().trail();
        String round = "round_" + (reinvocation.isSecond() ? 1 : 0) + "_index_" + index;
        WebhookCalls.Question question = calls.ask(hook, write, seen);
        boolean changed = false;
        try {
            AdmissionReviews.Answer answer = calls.await(question, attributes);
            if (!answer.allowed()) {
                StatusException refusal = WebhookCalls.refusal(hook, answer.status());
                calls.refused(question, attributes.operation(), refusal.code());
                throw refusal;
            }
            JsonNode patch = patch(hook, answer);
            if (patch != null) {
                changed = apply(question, write, seen, patch);
                trail.annotate("patch.webhook.admission.k8s.io/" + round, shown(hook, changed, patch));
            }
            calls.went(question, attributes.operation());
        } catch (WebhookCalls.CallFailure e) {
            if (!calls.passes(question, attributes.operation(), e)) {
                throw e.status();
            }
            trail.annotate("failed-open.mutation.webhook.admission.k8s.io/" + round, hook.name());
            if (trail.left(driver.nanoTime()).isNegative()) {
                throw WebhookCalls.outOfTime();
            }
        } finally {
            trail.annotate("mutation.webhook.admission.k8s.io/" + round, shown(hook, changed, null));
        }
        if (changed) {
            rounds.changed();
        }
        if (hook.reinvoked()) {
            rounds.asked(hook.id());
        }
    }

    private static String shown(Webhook hook, boolean mutated, @Nullable JsonNode patch) {
        ObjectNode note = JsonNodeFactory.instance
                .objectNode()
                .put("configuration", hook.configuration())
                .put("webhook", hook.name());
        if (patch == null) {
            note.put("mutated", mutated);
        } else {
            note.set("patch", patch);
            note.put("patchType", "JSONPatch");
        }
        return note.toString();
    }

    /** The operations of the answer's patch; null if it has none. */
    private static @Nullable JsonNode patch(Webhook hook, AdmissionReviews.Answer answer) {
        if (answer.patch().length == 0) {
            return null;
        }
        JsonNode operations;
        try {
            operations = Decoder.parse(answer.patch(), Decoder.Syntax.JSON, new ArrayList<>());
        } catch (DecodeException e) {
            throw new WebhookCalls.CallFailure(
                    hook, "received undecodable patch in webhook response: " + e.getMessage(), 503);
        }
        if (operations.isNull()) {
            return null;
        }
        if (!operations.isArray()) {
            throw new WebhookCalls.CallFailure(
                    hook,
                    "received undecodable patch in webhook response: json: cannot unmarshal " + kind(operations)
                            + " into Go value of type jsonpatch.Patch",
                    503);
        }
        for (JsonNode operation : operations) {
            if (!operation.isObject()) {
                throw new WebhookCalls.CallFailure(
                        hook,
                        "received undecodable patch in webhook response: json: cannot unmarshal " + kind(operation)
                                + " into Go value of type jsonpatch.Operation",
                        503);
            }
        }
        if (operations.isEmpty()) {
            return null;
        }
        if (!answer.patchType().equals("JSONPatch")) {
            throw new WebhookCalls.CallFailure(
                    hook, "unsupported patch type " + FieldErrors.quote(answer.patchType()), 400);
        }
        return operations;
    }

    private static String kind(JsonNode node) {
        return node.isObject()
                ? "object"
                : node.isArray() ? "array" : node.isTextual() ? "string" : node.isBoolean() ? "bool" : "number";
    }

    private boolean apply(WebhookCalls.Question question, Write write, Form seen, JsonNode patch) {
        ObjectNode object = write.object(seen);
        try {
            if (object == null) {
                throw Statuses.internal("admission webhook "
                        + FieldErrors.quote(question.hook().name())
                        + " attempted to modify the object, which is not supported for this operation");
            }
            return write.replace(seen, JsonPatch.apply(object, patch));
        } catch (JsonPatch.DoesNotApplyException | DecodeException e) {
            calls.broke(question, write.attributes.operation());
            throw Statuses.internal(String.valueOf(e.getMessage()));
        } catch (StatusException e) {
            calls.broke(question, write.attributes.operation());
            throw e;
        }
    }
}
