package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Rules for where pods may go: affinity, node selectors, tolerations, taints and topology spread. Stateless. */
public final class Affinities {
    static final List<String> EFFECTS = List.of("NoSchedule", "PreferNoSchedule", "NoExecute");
    private static final String REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
    private static final String PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";

    private Affinities() {}

    static void validate(FieldErrors errors, String path, JsonNode affinity) {
        JsonNode ofNodes = Trees.child(affinity, "nodeAffinity");
        if (Trees.has(ofNodes, REQUIRED)) {
            nodeSelector(errors, path + ".nodeAffinity." + REQUIRED, ofNodes.get(REQUIRED), true);
        }
        int i = 0;
        for (JsonNode term : Trees.items(ofNodes, PREFERRED)) {
            String at = path + ".nodeAffinity." + PREFERRED + "[" + i++ + "]";
            weight(errors, at, term);
            nodeSelectorTerm(errors, at + ".preference", Trees.child(term, "preference"), false);
        }
        for (String kind : List.of("podAffinity", "podAntiAffinity")) {
            JsonNode ofPods = Trees.child(affinity, kind);
            int j = 0;
            for (JsonNode term : Trees.items(ofPods, REQUIRED)) {
                podTerm(errors, path + "." + kind + "." + REQUIRED + "[" + j++ + "]", term);
            }
            j = 0;
            for (JsonNode term : Trees.items(ofPods, PREFERRED)) {
                String at = path + "." + kind + "." + PREFERRED + "[" + j++ + "]";
                weight(errors, at, term);
                podTerm(errors, at + ".podAffinityTerm", Trees.child(term, "podAffinityTerm"));
            }
        }
    }

    private static void weight(FieldErrors errors, String path, JsonNode term) {
        long weight = Trees.number(term, "weight");
        if (weight <= 0 || weight > 100) {
            errors.invalid(path + ".weight", weight, "must be in the range 1-100");
        }
    }

    /** A selector of nodes with its terms. */
    public static void nodeSelector(FieldErrors errors, String path, JsonNode selector, boolean checkValues) {
        List<JsonNode> terms = Trees.items(selector, "nodeSelectorTerms");
        if (terms.isEmpty()) {
            errors.required(path + ".nodeSelectorTerms", "must have at least one node selector term");
        }
        for (int i = 0; i < terms.size(); i++) {
            nodeSelectorTerm(errors, path + ".nodeSelectorTerms[" + i + "]", terms.get(i), checkValues);
        }
    }

    private static void nodeSelectorTerm(FieldErrors errors, String path, JsonNode term, boolean checkValues) {
        int i = 0;
        for (JsonNode requirement : Trees.items(term, "matchExpressions")) {
            expression(errors, path + ".matchExpressions[" + i++ + "]", requirement, checkValues);
        }
        i = 0;
        for (JsonNode requirement : Trees.items(term, "matchFields")) {
            field(errors, path + ".matchFields[" + i++ + "]", requirement);
        }
    }

    private static void expression(FieldErrors errors, String path, JsonNode requirement, boolean checkValues) {
        List<String> values = Trees.texts(requirement, "values");
        String operator = Trees.text(requirement, "operator");
        switch (operator) {
            case "In", "NotIn" -> {
                if (values.isEmpty()) {
                    errors.required(path + ".values", "must be specified when `operator` is 'In' or 'NotIn'");
                }
            }
            case "Exists", "DoesNotExist" -> {
                if (!values.isEmpty()) {
                    errors.forbidden(
                            path + ".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
                }
            }
            case "Gt", "Lt" -> {
                if (values.size() != 1) {
                    errors.required(path + ".values", "must be specified single value when `operator` is 'Lt' or 'Gt'");
                }
            }
            default -> errors.invalid(path + ".operator", operator, "not a valid selector operator");
        }
        String key = Trees.text(requirement, "key");
        FieldRules.invalid(errors, path + ".key", key, Names.qualified(key));
        if (checkValues) {
            for (int i = 0; i < values.size(); i++) {
                FieldRules.invalid(errors, path + ".values[" + i + "]", values.get(i), Names.labelValue(values.get(i)));
            }
        }
    }

    private static void field(FieldErrors errors, String path, JsonNode requirement) {
        List<String> values = Trees.texts(requirement, "values");
        String operator = Trees.text(requirement, "operator");
        if (operator.equals("In") || operator.equals("NotIn")) {
            if (values.size() != 1) {
                errors.required(
                        path + ".values",
                        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
            }
        } else {
            errors.invalid(path + ".operator", operator, "not a valid selector operator");
        }
        String key = Trees.text(requirement, "key");
        if (!key.equals("metadata.name")) {
            errors.invalid(path + ".key", key, "not a valid field selector key");
            return;
        }
        for (int i = 0; i < values.size(); i++) {
            FieldRules.invalid(errors, path + ".values[" + i + "]", values.get(i), Names.subdomain(values.get(i)));
        }
    }

    private static void podTerm(FieldErrors errors, String path, JsonNode term) {
        LabelSelectorRules.validate(errors, path + ".labelSelector", term.get("labelSelector"));
        LabelSelectorRules.validate(errors, path + ".namespaceSelector", term.get("namespaceSelector"));
        for (String namespace : Trees.texts(term, "namespaces")) {
            FieldRules.invalid(errors, path + ".namespace", namespace, Names.label(namespace));
        }
        labelKeys(errors, path, term);
        String topology = Trees.text(term, "topologyKey");
        if (topology.isEmpty()) {
            errors.required(path + ".topologyKey", "can not be empty");
        }
        FieldRules.invalid(errors, path + ".topologyKey", topology, Names.qualified(topology));
    }

    private static void labelKeys(FieldErrors errors, String path, JsonNode term) {
        List<String> match = Trees.texts(term, "matchLabelKeys");
        List<String> mismatch = Trees.texts(term, "mismatchLabelKeys");
        boolean selects = Trees.has(term, "labelSelector");
        for (String list : List.of("matchLabelKeys", "mismatchLabelKeys")) {
            List<String> keys = list.equals("matchLabelKeys") ? match : mismatch;
            if (!keys.isEmpty() && !selects) {
                errors.forbidden(path + "." + list, "must not be specified when labelSelector is not set");
                continue;
            }
            for (int i = 0; i < keys.size(); i++) {
                FieldRules.invalid(
                        errors, path + "." + list + "[" + i + "]", keys.get(i), Names.qualified(keys.get(i)));
            }
        }
        if (selects) {
            Map<String, Integer> index = new HashMap<>();
            for (int i = 0; i < match.size(); i++) {
                index.put(match.get(i), i);
            }
            JsonNode selector = term.get("labelSelector");
            Set<String> seen = new HashSet<>(Trees.map(selector, "matchLabels").keySet());
            for (JsonNode requirement : Trees.items(selector, "matchExpressions")) {
                String key = Trees.text(requirement, "key");
                // One requirement for the key is what the server itself added; a second is the user's.
                if (index.containsKey(key) && seen.contains(key)) {
                    errors.invalid(
                            path + "[" + index.get(key) + "]", key, "exists in both matchLabelKeys and labelSelector");
                }
                seen.add(key);
            }
        }
        for (int i = 0; i < match.size(); i++) {
            if (mismatch.contains(match.get(i))) {
                errors.invalid(
                        path + ".matchLabelKeys[" + i + "]",
                        match.get(i),
                        "exists in both matchLabelKeys and mismatchLabelKeys");
            }
        }
    }

    static void spread(FieldErrors errors, String path, List<JsonNode> constraints) {
        for (int i = 0; i < constraints.size(); i++) {
            JsonNode constraint = constraints.get(i);
            String at = path + "[" + i + "]";
            FieldRules.positive(errors, at + ".maxSkew", Trees.number(constraint, "maxSkew"));
            String topology = Trees.text(constraint, "topologyKey");
            String action = Trees.text(constraint, "whenUnsatisfiable");
            if (topology.isEmpty()) {
                errors.required(at + ".topologyKey", "can not be empty");
            }
            if (!action.equals("DoNotSchedule") && !action.equals("ScheduleAnyway")) {
                errors.notSupported(
                        at + ".whenUnsatisfiable", Trees.textNode(action), List.of("DoNotSchedule", "ScheduleAnyway"));
            }
            for (JsonNode other : constraints.subList(i + 1, constraints.size())) {
                if (Trees.text(other, "topologyKey").equals(topology)
                        && Trees.text(other, "whenUnsatisfiable").equals(action)) {
                    errors.duplicate(
                            at + ".{topologyKey, whenUnsatisfiable}",
                            Trees.textNode("{" + topology + ", " + action + "}"));
                    break;
                }
            }
            if (Trees.has(constraint, "minDomains")) {
                long domains = Trees.number(constraint, "minDomains");
                FieldRules.positive(errors, at + ".minDomains", domains);
                if (!action.equals("DoNotSchedule")) {
                    errors.invalid(
                            at + ".minDomains",
                            domains,
                            "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not " + action);
                }
            }
            FieldRules.choice(errors, at, constraint, "nodeAffinityPolicy", List.of("Honor", "Ignore"));
            FieldRules.choice(errors, at, constraint, "nodeTaintsPolicy", List.of("Honor", "Ignore"));
            labelKeys(errors, at, constraint);
            LabelSelectorRules.validate(errors, at + ".labelSelector", constraint.get("labelSelector"));
        }
    }

    /** The tolerations that a RuntimeClass gives to its pods: each but once. */
    public static void runtimeTolerations(FieldErrors errors, String path, List<JsonNode> tolerations) {
        tolerations(errors, path + ".tolerations", tolerations);
        Set<List<String>> seen = new HashSet<>();
        for (int i = 0; i < tolerations.size(); i++) {
            JsonNode toleration = tolerations.get(i);
            List<String> key = new ArrayList<>();
            for (String field : List.of("key", "operator", "value", "effect")) {
                key.add(Trees.text(toleration, field));
            }
            if (!seen.add(key)) {
                errors.duplicateShown(path + "[" + i + "]", InternalForm.of(toleration, "core/v1.Toleration"));
            }
        }
    }

    static void tolerations(FieldErrors errors, String path, List<JsonNode> tolerations) {
        for (int i = 0; i < tolerations.size(); i++) {
            JsonNode toleration = tolerations.get(i);
            String at = path + "[" + i + "]";
            String key = Trees.text(toleration, "key");
            String operator = Trees.text(toleration, "operator");
            String value = Trees.text(toleration, "value");
            String effect = Trees.text(toleration, "effect");
            if (!key.isEmpty()) {
                FieldRules.invalid(errors, at + ".key", key, Names.qualified(key));
            } else if (!operator.equals("Exists")) {
                errors.invalid(
                        at + ".operator",
                        operator,
                        "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
            }
            if (Trees.has(toleration, "tolerationSeconds") && !effect.equals("NoExecute")) {
                errors.invalid(at + ".effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
            }
            switch (operator) {
                case "", "Equal" -> {
                    List<String> wrong = Names.labelValue(value);
                    if (!wrong.isEmpty()) {
                        errors.invalid(at + ".operator", value, String.join(";", wrong));
                    }
                }
                case "Exists" -> {
                    if (!value.isEmpty()) {
                        errors.invalid(at + ".operator", value, "value must be empty when `operator` is 'Exists'");
                    }
                }
                default ->
                    errors.notSupportedInOrder(at + ".operator", Trees.textNode(operator), List.of("Equal", "Exists"));
            }
            if (!effect.isEmpty() && !EFFECTS.contains(effect)) {
                errors.notSupportedInOrder(at + ".effect", Trees.textNode(effect), EFFECTS);
            }
        }
    }

    static void taints(FieldErrors errors, String path, List<JsonNode> taints) {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < taints.size(); i++) {
            JsonNode taint = taints.get(i);
            String at = path + "[" + i + "]";
            String key = Trees.text(taint, "key");
            FieldRules.invalid(errors, at + ".key", key, Names.qualified(key));
            List<String> wrong = Names.labelValue(Trees.text(taint, "value"));
            if (!wrong.isEmpty()) {
                errors.invalid(at + ".value", Trees.text(taint, "value"), String.join(";", wrong));
            }
            FieldRules.requiredChoice(errors, at, taint, "effect", EFFECTS);
            if (!seen.add(Trees.text(taint, "effect") + " " + key)) {
                errors.add(new FieldErrors.FieldError(
                        FieldErrors.Type.DUPLICATE,
                        at,
                        "Duplicate value: "
                                + InternalForm.of(taint, "core/v1.Taint")
                                + ": taints must be unique by key and effect pair"));
            }
        }
    }
}
