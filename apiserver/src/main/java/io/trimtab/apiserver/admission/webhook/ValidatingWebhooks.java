package io.trimtab.apiserver.admission.webhook;

import io.micrometer.core.instrument.MeterRegistry;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.callout.WebhookClient;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.runtime.Driver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Lets webhooks refuse writes. All that a write concerns are asked at once, and all answers are waited for; of several refusals
 * the first, in the order of the configurations, is told (plugin/webhook/validating). Safe for use by any thread; whoever made
 * it closes it.
 */
public final class ValidatingWebhooks implements AdmissionPlugin, AutoCloseable {
    private final WebhookSource source;
    private final WebhookCalls calls;
    private final ResourceRegistry registry;
    private final Driver driver;

    /** @param authorizer what match conditions may ask */
    public ValidatingWebhooks(
            Storage storage,
            ResourceRegistry registry,
            WebhookClient client,
            Authorizer authorizer,
            Driver driver,
            MeterRegistry metrics) {
        this.source = new WebhookSource(storage, CoreResources.VALIDATING_WEBHOOKS);
        this.calls = new WebhookCalls(client, driver, false, authorizer, new WebhookMetrics(metrics, "validating"));
        this.registry = registry;
        this.driver = driver;
    }

    @Override
    public String name() {
        return "ValidatingAdmissionWebhook";
    }

    @Override
    public void close() {
        source.close();
    }

    @Override
    public void validate(Attributes attributes) {
        if (WebhookCalls.isExempt(attributes)) {
            return;
        }
        List<Webhook> hooks = source.webhooks();
        if (hooks.isEmpty()) {
            return;
        }
        Write write = new Write(attributes, registry);
        List<Webhook> concerned = new ArrayList<>();
        List<Form> forms = new ArrayList<>();
        for (Webhook hook : hooks) {
            Optional<Form> seen = calls.seenBy(hook, write);
            if (seen.isPresent()) {
                concerned.add(hook);
                forms.add(seen.get());
            }
        }
        if (concerned.isEmpty()) {
            return;
        }
        if (attributes.context().trail().left(driver.nanoTime()).isNegative()) {
            throw WebhookCalls.outOfTime();
        }
        StatusException first = null;
        List<WebhookCalls.Question> questions = new ArrayList<>();
        for (int i = 0; i < concerned.size(); i++) {
            try {
                questions.add(calls.ask(concerned.get(i), write, forms.get(i)));
            } catch (StatusException e) {
                first = first == null ? e : first;
            }
        }
        for (int i = 0; i < questions.size(); i++) {
            StatusException refusal = answer(questions.get(i), i, attributes);
            first = first == null ? refusal : first;
        }
        if (first != null) {
            throw first;
        }
    }

    private @Nullable StatusException answer(WebhookCalls.Question question, int index, Attributes attributes) {
        Webhook hook = question.hook();
        try {
            AdmissionReviews.Answer answer = calls.await(question, attributes);
            if (answer.allowed()) {
                calls.went(question, attributes.operation());
                return null;
            }
            StatusException refusal = WebhookCalls.refusal(hook, answer.status());
            calls.refused(question, attributes.operation(), refusal.code());
            return refusal;
        } catch (WebhookCalls.CallFailure e) {
            if (calls.passes(question, attributes.operation(), e)) {
                attributes
                        .context()
                        .trail()
                        .annotate(
                                "failed-open.validating.webhook.admission.k8s.io/round_0_index_" + index, hook.name());
                return null;
            }
            return e.status();
        }
    }
}
