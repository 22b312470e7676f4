package io.trimtab.apiserver.kinds.admissionregistration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** ValidatingAdmissionPolicies. Stateless. */
public final class AdmissionPolicyKind extends PolicyKind {
    @Override
    public void defaults(ObjectNode policy) {
        super.defaults(policy);
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
    void validate(FieldErrors errors, String name, JsonNode spec) {
        PolicyExpressionRules.policy(errors, name, spec);
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
}
