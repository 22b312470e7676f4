package io.trimtab.apiserver.admission.policy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.admission.Reinvocation;
import io.trimtab.apiserver.admission.Rounds;
import io.trimtab.apiserver.admission.webhook.Form;
import io.trimtab.apiserver.admission.webhook.Write;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.cel.AdmissionInput;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.storage.Storage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Changes writes as MutatingAdmissionPolicies say (plugin/policy/mutating), one after another in the order of their names, each
 * seeing what those before it did; and once more those that ask for it, if the object changed after them. Safe for use by any
 * thread; whoever made it closes it.
 */
public final class MutatingPolicies implements AdmissionPlugin, AutoCloseable {
    private static final String NAME = "MutatingAdmissionPolicy";

    private final Bound<MutatingPolicy> bound;
    private final Parameters parameters;
    private final ResourceRegistry registry;
    private final Authorizer authorizer;

    public MutatingPolicies(Storage storage, ResourceRegistry registry, Authorizer authorizer) {
        this.bound = new Bound<>(
                storage,
                CoreResources.MUTATING_POLICIES,
                CoreResources.MUTATING_POLICY_BINDINGS,
                tree -> new MutatingPolicy(tree)); // not a method reference: that would load the language at start
        this.parameters = new Parameters(registry);
        this.registry = registry;
        this.authorizer = authorizer;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void close() {
        bound.close();
    }

    /** A policy, a binding and one of its parameters, meant for the write. */
    private record Invocation(
            Bound.Policy<MutatingPolicy> policy,
            Bound.Binding binding,
            @Nullable ObjectNode param,
            Form seen) {
        String id() {
            String of = param == null
                    ? ""
                    : param.path("metadata").path("namespace").asText("") + "/"
                            + param.path("metadata").path("name").asText("");
            return policy.name + "\n" + binding.name + "\n" + of;
        }
    }

    private record Failure(Bound.Policy<?> policy, @Nullable String binding, String message, String reason) {
        String text() {
            return binding == null
                    ? "policy \"" + policy.name + "\" denied request: " + message
                    : "policy '" + policy.name + "' with binding '" + binding + "' denied request: " + message;
        }
    }

    @Override
    public void admit(Attributes attributes) {
        admit(attributes, new Reinvocation());
    }

    @Override
    public void admit(Attributes attributes, Reinvocation reinvocation) {
        if (attributes.operation() == Operation.DELETE) {
            return;
        }
        List<Bound.Hook<MutatingPolicy>> hooks = bound.hooks();
        if (hooks.isEmpty() || ValidatingPolicies.isPolicy(attributes)) {
            return;
        }
        Write write = new Write(attributes, registry);
        List<Failure> failures = new ArrayList<>();
        List<Invocation> invocations = new ArrayList<>();
        for (Bound.Hook<MutatingPolicy> hook : hooks) {
            collect(hook, write, invocations, failures);
        }
        if (!invocations.isEmpty()) {
            invoke(invocations, write, reinvocation, failures);
        }
        failures.removeIf(failure -> failure.policy().failsOpen());
        if (!failures.isEmpty()) {
            throw refusal(attributes, failures);
        }
    }

    private void collect(
            Bound.Hook<MutatingPolicy> hook, Write write, List<Invocation> invocations, List<Failure> failures) {
        Bound.Policy<MutatingPolicy> policy = hook.policy();
        Form seen;
        Served paramKind;
        try {
            seen = policy.constraints.seen(write);
            if (seen == null) {
                return;
            }
            paramKind = parameters.kind(policy.tree.path("spec"));
        } catch (Parameters.MisconfiguredException | StatusException e) {
            failures.add(new Failure(policy, null, "failed to configure policy: " + e.getMessage(), ""));
            return;
        }
        for (Bound.Binding binding : hook.bindings()) {
            try {
                if (binding.constraints.seen(write) == null) {
                    continue;
                }
                Attributes attributes = write.attributes();
                List<@Nullable ObjectNode> params = parameters.of(
                        paramKind,
                        binding.spec,
                        attributes.namespace(),
                        attributes.context().storage());
                for (ObjectNode param : params) {
                    invocations.add(new Invocation(policy, binding, param, seen));
                }
            } catch (Parameters.MisconfiguredException | StatusException e) {
                failures.add(new Failure(policy, binding.name, "failed to configure binding: " + e.getMessage(), ""));
            }
        }
    }

    private void invoke(List<Invocation> invocations, Write write, Reinvocation reinvocation, List<Failure> failures) {
        Attributes attributes = write.attributes();
        Rounds rounds = Rounds.begin(reinvocation, NAME, attributes.object());
        ObjectNode namespace = ValidatingPolicies.namespace(write);
        boolean touched = false;
        for (Invocation invocation : invocations) {
            touched |= invoke(invocation, write, namespace, rounds, failures);
        }
        if (touched) {
            // So a policy that asks for it sees its own work again, too.
            rounds.changed();
        }
        rounds.end(attributes.object());
    }

    /** Whether a mutation was carried out, be it that it changed nothing. */
    private boolean invoke(
            Invocation invocation, Write write, @Nullable ObjectNode namespace, Rounds rounds, List<Failure> failures) {
        Form seen = invocation.seen();
        MutatingPolicy policy = invocation.policy().compiled();
        try {
            if (!policy.matches(input(invocation, write, namespace))) {
                return false;
            }
        } catch (MutatingPolicy.FailedException e) {
            failures.add(failure(invocation, e));
            return false;
        }
        if (rounds.skips(invocation.id())) {
            return false;
        }
        Served served = registry.find(
                seen.resource().group(),
                seen.resource().version(),
                seen.resource().plural());
        boolean changed = false;
        boolean touched = false;
        for (int i = 0; i < policy.size(); i++) {
            ObjectNode object = write.object(seen);
            if (object == null) {
                continue;
            }
            if (served == null) {
                throw Statuses.of(
                        503,
                        "ServiceUnavailable",
                        "Resource kind " + seen.resource().apiVersion() + ", Kind=" + seen.kind()
                                + " not found. There can be a delay between when CustomResourceDefinitions are created and when"
                                + " they are available.",
                        null);
            }
            try {
                ObjectNode next = policy.mutate(i, input(invocation, write, namespace), object, served.schema());
                if (next != object) {
                    changed |= replace(write, seen, next);
                }
                touched = true;
            } catch (MutatingPolicy.FailedException e) {
                failures.add(failure(invocation, e));
            }
        }
        if (changed) {
            rounds.changed();
        }
        if (policy.isReinvoked()) {
            rounds.asked(invocation.id());
        }
        return touched;
    }

    private static boolean replace(Write write, Form seen, ObjectNode next) {
        try {
            List<String> unknown = new ArrayList<>();
            boolean changed = write.replace(seen, next, unknown);
            if (!unknown.isEmpty()) {
                throw Statuses.internal("strict decoding error: " + String.join(", ", unknown));
            }
            return changed;
        } catch (DecodeException e) {
            throw Statuses.internal(String.valueOf(e.getMessage()));
        }
    }

    private AdmissionInput input(Invocation invocation, Write write, @Nullable ObjectNode namespace) {
        Form seen = invocation.seen();
        return AdmissionInput.of(write.attributes(), write.object(seen), write.old(seen), seen.resource(), authorizer)
                .withNamespace(namespace)
                .withParams(invocation.param());
    }

    private static Failure failure(Invocation invocation, MutatingPolicy.FailedException e) {
        return new Failure(invocation.policy(), invocation.binding().name, String.valueOf(e.getMessage()), "Invalid");
    }

    private static StatusException refusal(Attributes attributes, List<Failure> failures) {
        StatusException plain = Refusals.forbidden(attributes, "");
        ObjectNode details = plain.status().path("details") instanceof ObjectNode d
                ? d.deepCopy()
                : JsonNodeFactory.instance.objectNode();
        var causes = details.putArray("causes");
        failures.forEach(failure -> causes.addObject().put("message", failure.text()));
        Failure first = failures.get(0);
        String reason = first.reason().isEmpty() ? "Forbidden" : first.reason();
        return Statuses.of(403, reason, first.text(), details);
    }
}
