package io.trimtab.apiserver.admission.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.webhook.Form;
import io.trimtab.apiserver.admission.webhook.Write;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.resource.ApiResource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which writes a policy or a binding is for: {@code matchConstraints} or {@code matchResources}. Immutable. */
final class Constraints {
    private record Rule(
            List<String> groups,
            List<String> versions,
            List<String> resources,
            List<String> operations,
            List<String> names,
            String scope) {
        static List<Rule> of(JsonNode rules) {
            List<Rule> all = new ArrayList<>();
            for (JsonNode rule : rules) {
                all.add(new Rule(
                        texts(rule.path("apiGroups")),
                        texts(rule.path("apiVersions")),
                        texts(rule.path("resources")),
                        texts(rule.path("operations")),
                        texts(rule.path("resourceNames")),
                        rule.path("scope").asText("*")));
            }
            return List.copyOf(all);
        }
    }

    private final JsonNode tree;
    private final List<Rule> rules;
    private final List<Rule> excluded;
    private final boolean equivalent;

    /** @param tree missing if there are no constraints: then everything is meant */
    Constraints(JsonNode tree) {
        this.tree = tree;
        this.rules = Rule.of(tree.path("resourceRules"));
        this.excluded = Rule.of(tree.path("excludeResourceRules"));
        this.equivalent = tree.path("matchPolicy").asText("Equivalent").equals("Equivalent");
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return List.copyOf(texts);
    }

    /**
     * How the policy sees the write; null if it is not meant.
     *
     * @throws StatusException if its namespace is unknown and would have to be looked at
     */
    @Nullable
    Form seen(Write write) {
        StatusException noNamespace = null;
        boolean clusterScoped = write.namespace().isEmpty() && !write.isNamespace();
        JsonNode namespaces = tree.path("namespaceSelector");
        if (!clusterScoped && !LabelSelectorRules.isEmpty(namespaces)) {
            try {
                if (!LabelSelectorRules.matches(namespaces, write.namespaceLabels())) {
                    return null;
                }
            } catch (StatusException e) {
                noNamespace = e;
            }
        }
        JsonNode objects = tree.path("objectSelector");
        if (!LabelSelectorRules.isEmpty(objects)
                && !selects(objects, write, write.attributes().object())
                && !selects(objects, write, write.attributes().old())) {
            return null;
        }
        if (match(excluded, write) != null) {
            return null;
        }
        Form form = rules.isEmpty() ? write.form() : match(rules, write);
        if (form != null && noNamespace != null) {
            throw noNamespace;
        }
        return form;
    }

    private static boolean selects(JsonNode selector, Write write, @Nullable ObjectNode object) {
        return object != null
                && object.has("metadata")
                && LabelSelectorRules.matches(selector, write.labelsSeen(object));
    }

    private @Nullable Form match(List<Rule> any, Write write) {
        for (Rule rule : any) {
            if (matches(rule, write, write.form().resource())) {
                return write.form();
            }
        }
        if (!equivalent || any.isEmpty()) {
            return null;
        }
        List<Form> equivalents = write.equivalents();
        for (Rule rule : any) {
            for (Form form : equivalents) {
                if (matches(rule, write, form.resource())) {
                    return form;
                }
            }
        }
        return null;
    }

    private static boolean matches(Rule rule, Write write, ApiResource resource) {
        boolean cluster = write.isNamespace() || write.namespace().isEmpty();
        boolean scope =
                switch (rule.scope()) {
                    case "*" -> true;
                    case "Namespaced" -> !cluster;
                    case "Cluster" -> cluster;
                    default -> false;
                };
        return scope
                && holds(rule.operations(), write.attributes().operation().name())
                && holds(rule.groups(), resource.group())
                && holds(rule.versions(), resource.version())
                && matchesResource(rule, resource.plural(), write.attributes().subresource())
                && (rule.names().isEmpty()
                        || rule.names().contains(write.attributes().name()));
    }

    private static boolean holds(List<String> items, String wanted) {
        return items.contains("*") || items.contains(wanted);
    }

    private static boolean matchesResource(Rule rule, String plural, String subresource) {
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
}
