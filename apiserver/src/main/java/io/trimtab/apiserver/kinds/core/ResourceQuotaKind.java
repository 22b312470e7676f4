package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.ResourceRequirements;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** ResourceQuotas. Stateless. */
public final class ResourceQuotaKind implements Kind {
    private static final Set<String> SCOPES = Set.of(
            "Terminating",
            "NotTerminating",
            "BestEffort",
            "NotBestEffort",
            "PriorityClass",
            "VolumeAttributesClass",
            "CrossNamespacePodAffinity");
    private static final Set<String> COMPUTE =
            Set.of("cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory");
    private static final String ONLY_EXISTS = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating,"
            + " ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or"
            + " ResourceQuotaScopeCrossNamespacePodAffinity";

    @Override
    public void defaults(ObjectNode quota) {
        Trees.make(quota, "spec");
        Trees.make(quota, "status");
    }

    @Override
    public void prepareCreate(ObjectNode quota, WriteContext context) {
        quota.putObject("status");
    }

    @Override
    public void validateCreate(ObjectNode quota, FieldErrors errors, WriteContext context) {
        spec(Trees.child(quota, "spec"), errors);
    }

    private static void spec(JsonNode spec, FieldErrors errors) {
        amounts(errors, "spec.hard", spec, "hard");
        List<String> scopes = Trees.texts(spec, "scopes");
        JsonNode shown = Trees.shown(spec, "scopes");
        for (String scope : scopes) {
            if (!SCOPES.contains(scope)) {
                errors.invalid("spec.scopes", shown, "unsupported scope");
            }
            for (String name : Trees.entries(spec, "hard").keySet()) {
                if (!fits(scope, name)) {
                    errors.invalid("spec.scopes", shown, "unsupported scope applied to resource");
                }
            }
        }
        conflicts(errors, new HashSet<>(scopes), shown);
        if (Trees.has(spec, "scopeSelector")) {
            selector(errors, spec);
        }
    }

    private static void amounts(FieldErrors errors, String path, JsonNode parent, String list) {
        Trees.entries(parent, list).forEach((name, amount) -> {
            String at = path + "[" + name + "]";
            ResourceRequirements.quotaName(errors, at, name);
            ResourceRequirements.quantity(errors, at, name, amount);
        });
    }

    private static boolean fits(String scope, String resource) {
        if (!ResourceRequirements.isQuota(resource)) {
            return true;
        }
        return switch (scope) {
            case "Terminating", "NotTerminating", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity" ->
                resource.equals("pods") || COMPUTE.contains(resource);
            case "BestEffort" -> resource.equals("pods");
            case "VolumeAttributesClass" ->
                resource.equals("persistentvolumeclaims") || resource.equals("requests.storage");
            default -> true;
        };
    }

    private static void conflicts(FieldErrors errors, Set<String> scopes, JsonNode shown) {
        if (scopes.containsAll(List.of("BestEffort", "NotBestEffort"))) {
            errors.invalid("spec.scopes", shown, "conflicting scopes");
        }
        if (scopes.containsAll(List.of("Terminating", "NotTerminating"))) {
            errors.invalid("spec.scopes", shown, "conflicting scopes");
        }
    }

    private static void selector(FieldErrors errors, JsonNode spec) {
        String path = "spec.scopeSelector.matchExpressions";
        Set<String> scopes = new HashSet<>();
        for (JsonNode requirement : Trees.items(spec.get("scopeSelector"), "matchExpressions")) {
            String scope = Trees.text(requirement, "scopeName");
            String operator = Trees.text(requirement, "operator");
            scopes.add(scope);
            if (!SCOPES.contains(scope)) {
                errors.invalid(path + ".scopeName", scope, "unsupported scope");
            }
            for (String name : Trees.entries(spec, "hard").keySet()) {
                if (!fits(scope, name)) {
                    errors.invalidShown(
                            path,
                            InternalForm.of(spec.get("scopeSelector"), "core/v1.ScopeSelector"),
                            "unsupported scope applied to resource");
                }
            }
            if (!operator.equals("Exists")
                    && SCOPES.contains(scope)
                    && !scope.equals("PriorityClass")
                    && !scope.equals("VolumeAttributesClass")) {
                errors.invalid(path + ".operator", operator, ONLY_EXISTS);
            }
            boolean values = Trees.hasContent(requirement, "values");
            switch (operator) {
                case "In", "NotIn" -> {
                    if (!values) {
                        errors.required(
                                path + ".values",
                                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
                    }
                }
                case "Exists", "DoesNotExist" -> {
                    if (values) {
                        errors.invalid(
                                path + ".values",
                                requirement.get("values"),
                                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
                    }
                }
                default -> errors.invalid(path + ".operator", operator, "not a valid selector operator");
            }
        }
        conflicts(errors, scopes, Trees.shown(spec, "scopes"));
    }

    @Override
    public void validateUpdate(ObjectNode quota, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(quota, "spec");
        spec(spec, errors);
        Set<String> had = new HashSet<>(Trees.texts(Trees.child(old, "spec"), "scopes"));
        if (!had.equals(new HashSet<>(Trees.texts(spec, "scopes")))) {
            errors.invalid("spec.scopes", Trees.shown(spec, "scopes"), FieldRules.IMMUTABLE);
        }
    }

    @Override
    public void validateStatusUpdate(ObjectNode quota, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode status = Trees.child(quota, "status");
        amounts(errors, "status.hard", status, "hard");
        amounts(errors, "status.used", status, "used");
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }
}
