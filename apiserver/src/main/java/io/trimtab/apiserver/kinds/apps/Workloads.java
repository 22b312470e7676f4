package io.trimtab.apiserver.kinds.apps;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.PodSpecRules;
import java.util.List;
import java.util.Map;

/** What the workloads have in common: selectors that fit templates, percentages, counters of the status. Stateless. */
final class Workloads {
    static final String NO_MATCH = "`selector` does not match template `labels`";

    private Workloads() {}

    /** A required selector that must say something. */
    static void selector(FieldErrors errors, JsonNode spec, String kind) {
        if (!Trees.has(spec, "selector")) {
            errors.required("spec.selector", "");
            return;
        }
        LabelSelectorRules.validate(errors, "spec.selector", spec.get("selector"));
        if (LabelSelectorRules.isEmpty(spec.get("selector"))) {
            errors.invalid("spec.selector", Trees.shown(spec, "selector"), "empty selector is invalid for " + kind);
        }
    }

    /** A template whose pods the selector must match and which run for ever. */
    static void template(FieldErrors errors, JsonNode spec, String kind) {
        JsonNode selector = Trees.child(spec, "selector");
        JsonNode template = Trees.child(spec, "template");
        if (!isConvertible(selector)) {
            errors.invalid("spec.selector", Trees.shown(spec, "selector"), "invalid label selector");
            return;
        }
        mismatch(errors, spec);
        PodSpecRules.alwaysRunningTemplate(errors, "spec.template", template, kind);
    }

    /** Says so if a selector does not match the template's labels; an absent selector matches nothing, an empty one all. */
    static void mismatch(FieldErrors errors, JsonNode spec) {
        JsonNode selector = Trees.child(spec, "selector");
        Map<String, String> labels = Trees.map(Trees.at(spec, "template", "metadata"), "labels");
        boolean matches = LabelSelectorRules.matches(selector, labels);
        if (!matches) {
            errors.invalid(
                    "spec.template.metadata.labels",
                    Trees.shown(Trees.at(spec, "template", "metadata"), "labels"),
                    NO_MATCH);
        }
    }

    /** Whether the selector's operators and values are such that it can be evaluated at all. */
    static boolean isConvertible(JsonNode selector) {
        if (!selector.isObject()) {
            return true;
        }
        FieldErrors errors = new FieldErrors();
        LabelSelectorRules.validate(errors, "", selector);
        return errors.isEmpty();
    }

    /** Counters must not be negative. */
    static void counters(FieldErrors errors, JsonNode status, List<String> fields) {
        fields.forEach(field -> FieldRules.notNegative(errors, "status", status, field));
    }

    /** Counters that count a part of the replicas. */
    static void partsOfReplicas(FieldErrors errors, JsonNode status, List<String> fields, String readyName) {
        for (String field : fields) {
            if (Trees.number(status, field) > Trees.number(status, "replicas")) {
                errors.invalid(
                        "status." + field, Trees.number(status, field), "cannot be greater than status.replicas");
            }
        }
        if (Trees.number(status, "availableReplicas") > Trees.number(status, "readyReplicas")) {
            errors.invalid(
                    "status.availableReplicas",
                    Trees.number(status, "availableReplicas"),
                    "cannot be greater than " + readyName);
        }
    }

    static void collisionsGrow(FieldErrors errors, JsonNode status, JsonNode old) {
        if (Trees.has(old, "collisionCount")
                && (!Trees.has(status, "collisionCount")
                        || Trees.number(status, "collisionCount") < Trees.number(old, "collisionCount"))) {
            errors.invalid("status.collisionCount", Trees.number(status, "collisionCount"), "cannot be decremented");
        }
    }
}
