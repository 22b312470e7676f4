package io.trimtab.apiserver.admission.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.admission.webhook.Form;
import io.trimtab.apiserver.admission.webhook.Write;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.cel.AdmissionInput;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Refuses what ValidatingAdmissionPolicies forbid (plugin/policy/validating). Safe for use by any thread; whoever made it closes
 * it. Without a bound policy it costs a look at two lists.
 */
public final class ValidatingPolicies implements AdmissionPlugin, AutoCloseable {
    private static final int MAX_ANNOTATION = 10 * 1024;

    private final Bound<ValidatingPolicy> bound;
    private final Parameters parameters;
    private final ResourceRegistry registry;
    private final Authorizer authorizer;

    public ValidatingPolicies(Storage storage, ResourceRegistry registry, Authorizer authorizer) {
        this.bound = new Bound<>(
                storage,
                CoreResources.VALIDATING_POLICIES,
                CoreResources.VALIDATING_POLICY_BINDINGS,
                tree -> new ValidatingPolicy(tree)); // not a method reference: that would load the language at start
        this.parameters = new Parameters(registry);
        this.registry = registry;
        this.authorizer = authorizer;
    }

    @Override
    public String name() {
        return "ValidatingAdmissionPolicy";
    }

    @Override
    public void close() {
        bound.close();
    }

    /** Policies are not asked about policies: nobody could repair a bad one. */
    static boolean isPolicy(Attributes attributes) {
        return attributes.resource().group().equals("admissionregistration.k8s.io")
                && attributes.resource().plural().contains("admissionpolic");
    }

    /** A refusal and who it comes from. */
    private record Denial(String policy, @Nullable String binding, String message, String reason) {
        String text() {
            return "ValidatingAdmissionPolicy '" + policy + "'"
                    + (binding == null ? "" : " with binding '" + binding + "'") + " denied request: " + message;
        }
    }

    @Override
    public void validate(Attributes attributes) {
        List<Bound.Hook<ValidatingPolicy>> hooks = bound.hooks();
        if (hooks.isEmpty() || isPolicy(attributes)) {
            return;
        }
        Write write = new Write(attributes, registry);
        List<Denial> denials = new ArrayList<>();
        for (Bound.Hook<ValidatingPolicy> hook : hooks) {
            judge(hook, write, denials);
        }
        if (!denials.isEmpty()) {
            throw refusal(attributes, denials.get(0));
        }
    }

    private void judge(Bound.Hook<ValidatingPolicy> hook, Write write, List<Denial> denials) {
        Bound.Policy<ValidatingPolicy> policy = hook.policy();
        Form seen;
        Served paramKind;
        try {
            seen = policy.constraints.seen(write);
            if (seen == null) {
                return;
            }
            paramKind = parameters.kind(policy.tree.path("spec"));
        } catch (Parameters.MisconfiguredException e) {
            misconfigured(policy, null, String.valueOf(e.getMessage()), denials);
            return;
        } catch (StatusException e) {
            misconfigured(policy, null, String.valueOf(e.getMessage()), denials);
            return;
        }
        Map<String, List<String>> notes = new LinkedHashMap<>();
        for (Bound.Binding binding : hook.bindings()) {
            try {
                if (binding.constraints.seen(write) != null) {
                    judge(policy, binding, paramKind, seen, write, denials, notes);
                }
            } catch (Parameters.MisconfiguredException e) {
                misconfigured(policy, binding.name, String.valueOf(e.getMessage()), denials);
            }
        }
        notes.forEach((key, values) ->
                write.attributes().context().trail().annotate(policy.name + "/" + key, String.join(", ", values)));
    }

    private static void misconfigured(
            Bound.Policy<?> policy, @Nullable String binding, String why, List<Denial> denials) {
        if (!policy.failsOpen()) {
            String what = binding == null ? "failed to configure policy: " : "failed to configure binding: ";
            denials.add(new Denial(policy.name, binding, what + why, ""));
        }
    }

    private void judge(
            Bound.Policy<ValidatingPolicy> policy,
            Bound.Binding binding,
            @Nullable Served paramKind,
            Form seen,
            Write write,
            List<Denial> denials,
            Map<String, List<String>> notes)
            throws Parameters.MisconfiguredException {
        Attributes attributes = write.attributes();
        List<@Nullable ObjectNode> params = parameters.of(
                paramKind,
                binding.spec,
                attributes.namespace(),
                attributes.context().storage());
        if (params.isEmpty()) {
            return;
        }
        AdmissionInput input = AdmissionInput.of(
                        attributes, write.object(seen), write.old(seen), seen.resource(), authorizer)
                .withNamespace(namespace(write));
        for (ObjectNode param : params) {
            ValidatingPolicy.Judgement judgement = policy.compiled().judge(input.withParams(param));
            for (ValidatingPolicy.Refusal refusal : judgement.refusals) {
                act(policy.name, binding, refusal, attributes, denials);
            }
            judgement.errors.forEach(error -> denials.add(new Denial(policy.name, binding.name, error, "")));
            for (int i = 0; i < judgement.keys.size(); i++) {
                String value = judgement.values.get(i);
                value = value.length() > MAX_ANNOTATION ? value.substring(0, MAX_ANNOTATION) : value;
                List<String> values = notes.computeIfAbsent(judgement.keys.get(i), k -> new ArrayList<>());
                if (!values.contains(value)) {
                    values.add(value);
                }
            }
        }
    }

    /** The namespace that the write is in; null if it is in none. */
    static @Nullable ObjectNode namespace(Write write) {
        String name = write.isNamespace() ? "" : write.attributes().namespace();
        if (name.isEmpty()) {
            return null;
        }
        return write.attributes()
                .context()
                .storage()
                .get(CoreResources.NAMESPACES, null, name)
                .map(StoredObject::tree)
                .orElseThrow(() -> Statuses.notFound("", "namespaces", name));
    }

    private static void act(
            String policy,
            Bound.Binding binding,
            ValidatingPolicy.Refusal refusal,
            Attributes attributes,
            List<Denial> denials) {
        for (JsonNode action : binding.spec.path("validationActions")) {
            switch (action.asText()) {
                case "Deny" -> denials.add(new Denial(policy, binding.name, refusal.message(), refusal.reason()));
                case "Warn" ->
                    attributes
                            .context()
                            .warnings()
                            .add("Validation failed for ValidatingAdmissionPolicy '" + policy + "' with binding '"
                                    + binding.name + "': " + refusal.message());
                case "Audit" -> {
                    ArrayNode failures = JsonNodeFactory.instance.arrayNode();
                    ObjectNode failure = failures.addObject();
                    failure.put("message", refusal.message());
                    failure.put("policy", policy);
                    failure.put("binding", binding.name);
                    failure.put("expressionIndex", refusal.index());
                    failure.set("validationActions", binding.spec.path("validationActions"));
                    attributes
                            .context()
                            .trail()
                            .annotate("validation.policy.admission.k8s.io/validation_failure", failures.toString());
                }
                default -> {}
            }
        }
    }

    private static StatusException refusal(Attributes attributes, Denial denial) {
        StatusException plain = Refusals.forbidden(attributes, denial.text());
        String reason = denial.reason().isEmpty() ? "Invalid" : denial.reason();
        int code =
                switch (reason) {
                    case "Forbidden" -> 403;
                    case "Unauthorized" -> 401;
                    case "RequestEntityTooLarge" -> 413;
                    default -> 422;
                };
        ObjectNode details = plain.status().path("details") instanceof ObjectNode d
                ? d.deepCopy()
                : JsonNodeFactory.instance.objectNode();
        details.putArray("causes").addObject().put("message", denial.text());
        return Statuses.of(code, reason, plain.status().path("message").asText(), details);
    }
}
