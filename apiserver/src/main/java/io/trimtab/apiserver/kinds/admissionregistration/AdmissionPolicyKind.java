package io.trimtab.apiserver.kinds.admissionregistration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** ValidatingAdmissionPolicies. Stateless. */
public final class AdmissionPolicyKind implements Kind {

    @Override
    public void defaults(ObjectNode policy) {
        ObjectNode spec = Trees.make(policy, "spec");
        if (!Trees.has(spec, "failurePolicy")) {
            spec.put("failurePolicy", "Fail");
        }
        ObjectNode constraints = Trees.object(spec, "matchConstraints");
        if (constraints != null) {
            matchResources(constraints);
        }
        Trees.make(policy, "status");
    }

    /** What policies and their bindings match. */
    static void matchResources(ObjectNode match) {
        if (!Trees.has(match, "matchPolicy")) {
            match.put("matchPolicy", "Equivalent");
        }
        Trees.make(match, "namespaceSelector");
        Trees.make(match, "objectSelector");
        for (String list : List.of("resourceRules", "excludeResourceRules")) {
            for (ObjectNode rule : Trees.objects(match, list)) {
                if (!Trees.has(rule, "scope")) {
                    rule.put("scope", "*");
                }
            }
        }
    }

    @Override
    public void prepareCreate(ObjectNode policy, WriteContext context) {
        policy.putObject("status");
    }

    @Override
    public void validateCreate(ObjectNode policy, FieldErrors errors, WriteContext context) {
        validate(policy, errors, true);
    }

    private static void validate(ObjectNode policy, FieldErrors errors, boolean conditions) {
        JsonNode spec = Trees.child(policy, "spec");
        FieldRules.choice(errors, "spec", spec, "failurePolicy", List.of("Fail", "Ignore"));
        JsonNode kind = Trees.child(spec, "paramKind");
        if (kind.isObject()) {
            paramKind(errors, "spec.paramKind", kind);
        }
        JsonNode match = Trees.child(spec, "matchConstraints");
        if (match.isMissingNode()) {
            errors.required("spec.matchConstraints", "");
        } else {
            matchResources(errors, "spec.matchConstraints", match);
            if (!Trees.hasContent(match, "resourceRules")) {
                errors.required("spec.matchConstraints.resourceRules", "");
            }
        }
        if (conditions) {
            PolicyExpressionRules.conditions(errors, "spec.matchConditions", spec, kind.isObject());
        }
        PolicyExpressionRules.policy(errors, Trees.text(policy.get("metadata"), "name"), spec);
    }

    /** What a policy or a binding is for. */
    static void matchResources(FieldErrors errors, String path, JsonNode match) {
        FieldRules.choice(errors, path, match, "matchPolicy", List.of("Equivalent", "Exact"));
        for (String selector : List.of("namespaceSelector", "objectSelector")) {
            LabelSelectorRules.validate(errors, path + "." + selector, match.get(selector));
        }
        for (String list : List.of("resourceRules", "excludeResourceRules")) {
            int i = 0;
            for (JsonNode rule : Trees.items(match, list)) {
                String at = path + "." + list + "[" + i++ + "]";
                names(errors, at + ".resourceNames", Trees.texts(rule, "resourceNames"));
                WebhookConfigurationKind.rule(errors, at, rule);
            }
        }
    }

    private static void names(FieldErrors errors, String path, List<String> names) {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < names.size(); i++) {
            for (String wrong : Names.pathSegment(names.get(i))) {
                errors.invalid(path + "[" + i + "]", names.get(i), wrong);
            }
            if (!seen.add(names.get(i))) {
                errors.duplicate(path + "[" + i + "]", Trees.textNode(names.get(i)));
            }
        }
    }

    static void paramKind(FieldErrors errors, String path, JsonNode kind) {
        String apiVersion = Trees.text(kind, "apiVersion");
        int slash = apiVersion.indexOf('/');
        String group = slash < 0 ? "" : apiVersion.substring(0, slash);
        String version = apiVersion.substring(slash + 1);
        if (apiVersion.isEmpty()) {
            errors.required(path + ".apiVersion", "");
        } else if (version.indexOf('/') >= 0) {
            errors.invalid(path + ".apiVersion", apiVersion, "unexpected GroupVersion string: " + apiVersion);
        } else {
            if (!group.isEmpty()) {
                FieldRules.invalid(errors, path + ".apiVersion", group, joined(Names.subdomain(group)));
            }
            if (version.isEmpty()) {
                errors.invalid(path + ".apiVersion", apiVersion, "version must be specified");
            } else {
                FieldRules.invalid(errors, path + ".apiVersion", version, joined(Names.label1035(version)));
            }
        }
        String name = Trees.text(kind, "kind");
        List<String> wrong = Names.label1035(name.toLowerCase(Locale.ROOT));
        if (name.isEmpty()) {
            errors.required(path + ".kind", "");
        } else if (!wrong.isEmpty()) {
            errors.invalid(
                    path + ".kind",
                    name,
                    "may have mixed case, but should otherwise match: " + String.join(",", wrong));
        }
    }

    private static List<String> joined(List<String> wrong) {
        return wrong.isEmpty() ? wrong : List.of(String.join(",", wrong));
    }

    @Override
    public void validateUpdate(ObjectNode policy, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(policy, "spec");
        JsonNode before = Trees.child(old, "spec");
        // Conditions that were accepted before are, as long as nothing about them changes.
        boolean same = Trees.same(spec, before, "matchConditions") && Trees.same(spec, before, "paramKind");
        validate(policy, errors, !same);
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode policy, ObjectNode old) {
        return !Trees.same(policy, old, "spec");
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
    }
}
