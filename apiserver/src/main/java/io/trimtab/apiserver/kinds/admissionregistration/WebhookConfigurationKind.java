package io.trimtab.apiserver.kinds.admissionregistration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.WebhookClientRules;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** ValidatingWebhookConfigurations and MutatingWebhookConfigurations. Stateless. */
public final class WebhookConfigurationKind implements Kind {
    private static final List<String> OPERATIONS = List.of("*", "CONNECT", "CREATE", "DELETE", "UPDATE");
    private final boolean mutating;

    /** @param mutating true for MutatingWebhookConfiguration */
    public WebhookConfigurationKind(boolean mutating) {
        this.mutating = mutating;
    }

    @Override
    public void defaults(ObjectNode configuration) {
        for (ObjectNode hook : Trees.objects(configuration, "webhooks")) {
            ObjectNode service = Trees.object(Trees.make(hook, "clientConfig"), "service");
            if (service != null) {
                Trees.fill(service, "port", 443);
            }
            for (ObjectNode rule : Trees.objects(hook, "rules")) {
                if (!Trees.has(rule, "scope")) {
                    rule.put("scope", "*");
                }
            }
            fill(hook, "failurePolicy", "Fail");
            fill(hook, "matchPolicy", "Equivalent");
            Trees.make(hook, "namespaceSelector");
            Trees.make(hook, "objectSelector");
            Trees.fill(hook, "timeoutSeconds", 10);
            if (mutating) {
                fill(hook, "reinvocationPolicy", "Never");
            }
        }
    }

    private static void fill(ObjectNode hook, String field, String value) {
        if (!Trees.has(hook, field)) {
            hook.put(field, value);
        }
    }

    @Override
    public void validateCreate(ObjectNode configuration, FieldErrors errors, WriteContext context) {
        validate(configuration, errors, true);
    }

    private void validate(ObjectNode configuration, FieldErrors errors, boolean conditions) {
        Set<String> names = new HashSet<>();
        int i = 0;
        for (JsonNode hook : Trees.items(configuration, "webhooks")) {
            String path = "webhooks[" + i++ + "]";
            hook(errors, path, hook, conditions);
            versions(errors, path + ".admissionReviewVersions", hook);
            String name = Trees.text(hook, "name");
            if (!name.isEmpty() && !names.add(name)) {
                errors.duplicate(path + ".name", Trees.textNode(name));
            }
        }
    }

    private static void versions(FieldErrors errors, String path, JsonNode hook) {
        List<String> versions = Trees.texts(hook, "admissionReviewVersions");
        if (versions.isEmpty()) {
            errors.required(path, "must specify one of v1, v1beta1");
            return;
        }
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < versions.size(); i++) {
            if (!seen.add(versions.get(i))) {
                errors.duplicate(path + "[" + i + "]", Trees.textNode(versions.get(i)));
                continue;
            }
            FieldRules.invalid(errors, path + "[" + i + "]", versions.get(i), Names.label1035(versions.get(i)));
        }
        if (!seen.contains("v1") && !seen.contains("v1beta1")) {
            errors.invalid(path, hook.get("admissionReviewVersions"), "must include at least one of v1, v1beta1");
        }
    }

    private void hook(FieldErrors errors, String path, JsonNode hook, boolean conditions) {
        String name = Trees.text(hook, "name");
        if (name.isEmpty()) {
            errors.required(path + ".name", "");
        } else {
            List<String> wrong = Names.subdomain(name);
            if (!wrong.isEmpty()) {
                errors.invalid(path + ".name", name, String.join(",", wrong));
            } else if (name.split("\\.").length < 3) {
                errors.invalid(
                        path + ".name", name, "should be a domain with at least three segments separated by dots");
            }
        }
        int i = 0;
        for (JsonNode rule : Trees.items(hook, "rules")) {
            rule(errors, path + ".rules[" + i++ + "]", rule);
        }
        FieldRules.choice(errors, path, hook, "failurePolicy", List.of("Fail", "Ignore"));
        FieldRules.choice(errors, path, hook, "matchPolicy", List.of("Equivalent", "Exact"));
        String effects = Trees.text(hook, "sideEffects");
        if (!Trees.has(hook, "sideEffects")) {
            errors.required(path + ".sideEffects", "must specify one of None, NoneOnDryRun");
        } else if (!effects.equals("None") && !effects.equals("NoneOnDryRun")) {
            errors.notSupported(path + ".sideEffects", hook.get("sideEffects"), List.of("None", "NoneOnDryRun"));
        }
        if (mutating) {
            FieldRules.choice(errors, path, hook, "reinvocationPolicy", List.of("IfNeeded", "Never"));
        }
        long timeout = Trees.number(hook, "timeoutSeconds", 10);
        if (timeout < 1 || timeout > 30) {
            errors.invalid(path + ".timeoutSeconds", timeout, "the timeout value must be between 1 and 30 seconds");
        }
        LabelSelectorRules.validate(errors, path + ".namespaceSelector", hook.get("namespaceSelector"));
        LabelSelectorRules.validate(errors, path + ".objectSelector", hook.get("objectSelector"));
        client(errors, path + ".clientConfig", Trees.child(hook, "clientConfig"));
        if (conditions) {
            PolicyExpressionRules.conditions(errors, path + ".matchConditions", hook, false);
        }
    }

    private static void client(FieldErrors errors, String path, JsonNode config) {
        boolean url = Trees.has(config, "url");
        boolean service = Trees.has(config, "service");
        if (url == service) {
            errors.required(path, "exactly one of url or service is required");
        } else if (url) {
            WebhookClientRules.url(errors, path + ".url", Trees.text(config, "url"));
        } else {
            JsonNode called = config.get("service");
            WebhookClientRules.service(
                    errors, path + ".service", Trees.text(called, "namespace"), Trees.text(called, "name"), called);
        }
    }

    /** A rule that names operations, groups, versions and resources. */
    static void rule(FieldErrors errors, String path, JsonNode rule) {
        List<String> operations = Trees.texts(rule, "operations");
        if (operations.isEmpty()) {
            errors.required(path + ".operations", "");
        }
        if (operations.size() > 1 && operations.contains("*")) {
            errors.invalid(
                    path + ".operations",
                    rule.get("operations"),
                    "if '*' is present, must not specify other operations");
        }
        for (int i = 0; i < operations.size(); i++) {
            if (!OPERATIONS.contains(operations.get(i))) {
                errors.notSupported(path + ".operations[" + i + "]", Trees.textNode(operations.get(i)), OPERATIONS);
            }
        }
        list(errors, path, rule, "apiGroups", "API groups");
        list(errors, path, rule, "apiVersions", "API versions");
        List<String> versions = Trees.texts(rule, "apiVersions");
        for (int i = 0; i < versions.size(); i++) {
            if (versions.get(i).isEmpty()) {
                errors.required(path + ".apiVersions[" + i + "]", "");
            }
        }
        resources(errors, path + ".resources", rule);
        FieldRules.choice(errors, path, rule, "scope", List.of("*", "Cluster", "Namespaced"));
    }

    private static void list(FieldErrors errors, String path, JsonNode rule, String field, String what) {
        List<String> values = Trees.texts(rule, field);
        if (values.isEmpty()) {
            errors.required(path + "." + field, "");
        }
        if (values.size() > 1 && values.contains("*")) {
            errors.invalid(path + "." + field, rule.get(field), "if '*' is present, must not specify other " + what);
        }
    }

    private static void resources(FieldErrors errors, String path, JsonNode rule) {
        List<String> resources = Trees.texts(rule, "resources");
        if (resources.isEmpty()) {
            errors.required(path, "");
        }
        Set<String> allBelow = new HashSet<>();
        Set<String> belowAll = new HashSet<>();
        boolean plain = false;
        for (int i = 0; i < resources.size(); i++) {
            String resource = resources.get(i);
            int slash = resource.indexOf('/');
            if (resource.isEmpty()) {
                errors.required(path + "[" + i + "]", "");
            } else if (slash < 0) {
                plain = !resource.equals("*"); // only the last of them counts, in Kubernetes, too
            } else {
                String above = resource.substring(0, slash);
                String below = resource.substring(slash + 1);
                if (allBelow.contains(above)) {
                    errors.invalid(
                            path + "[" + i + "]",
                            resource,
                            "if '" + above + "/*' is present, must not specify " + resource);
                }
                if (belowAll.contains(below)) {
                    errors.invalid(
                            path + "[" + i + "]",
                            resource,
                            "if '*/" + below + "' is present, must not specify " + resource);
                }
                if (below.equals("*")) {
                    allBelow.add(above);
                }
                if (above.equals("*")) {
                    belowAll.add(below);
                }
            }
        }
        if (resources.size() > 1 && resources.contains("*/*")) {
            errors.invalid(path, rule.get("resources"), "if '*/*' is present, must not specify other resources");
        }
        if (plain && resources.contains("*")) {
            errors.invalid(
                    path,
                    rule.get("resources"),
                    "if '*' is present, must not specify other resources without subresources");
        }
    }

    @Override
    public void validateUpdate(ObjectNode configuration, ObjectNode old, FieldErrors errors, WriteContext context) {
        validate(configuration, errors, !sameConditions(configuration, old));
    }

    /** Conditions that were accepted before are, as long as none of them changes. */
    private static boolean sameConditions(JsonNode configuration, JsonNode old) {
        List<JsonNode> now = Trees.items(configuration, "webhooks");
        List<JsonNode> before = Trees.items(old, "webhooks");
        if (now.size() != before.size()) {
            return false;
        }
        for (int i = 0; i < now.size(); i++) {
            if (!Trees.same(now.get(i), before.get(i), "matchConditions")) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode configuration, ObjectNode old) {
        return !Trees.same(configuration, old, "webhooks");
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
    }
}
