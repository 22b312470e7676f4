package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Amounts;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.ResourceRequirements;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** LimitRanges. Stateless. */
public final class LimitRangeKind implements Kind {
    private static final Set<String> TYPES = Set.of("Pod", "Container", "PersistentVolumeClaim");

    @Override
    public void defaults(ObjectNode object) {
        for (ObjectNode limit : Trees.objects(Trees.make(object, "spec"), "limits")) {
            if (!Trees.text(limit, "type").equals("Container")) {
                continue;
            }
            ObjectNode limits = Trees.make(limit, "default");
            ObjectNode requests = Trees.make(limit, "defaultRequest");
            fill(limits, limit, "max");
            fill(requests, limit, "default");
            fill(requests, limit, "min");
            for (String list : List.of("default", "defaultRequest")) {
                if (!Trees.hasContent(limit, list)) {
                    limit.remove(list);
                }
            }
        }
    }

    private static void fill(ObjectNode amounts, ObjectNode limit, String from) {
        Trees.entries(limit, from).forEach((name, amount) -> {
            if (!amounts.has(name)) {
                amounts.set(name, amount);
            }
        });
    }

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        Set<String> types = new HashSet<>();
        int i = 0;
        for (JsonNode limit : Trees.items(Trees.child(object, "spec"), "limits")) {
            String at = "spec.limits[" + i++ + "]";
            String type = Trees.text(limit, "type");
            List<String> wrong = Names.qualified(type);
            FieldRules.invalid(errors, at + ".type", type, wrong);
            if (wrong.isEmpty() && type.indexOf('/') < 0 && !TYPES.contains(type)) {
                errors.invalid(at + ".type", type, "must be a standard limit type or fully qualified");
            }
            if (!types.add(type)) {
                errors.duplicate(at + ".type", Trees.textNode(type));
            }
            limit(errors, at, limit, type);
        }
    }

    private static void limit(FieldErrors errors, String at, JsonNode limit, String type) {
        Set<String> names = new TreeSet<>();
        for (String list : List.of("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")) {
            boolean ofDefaults = list.startsWith("default");
            if (ofDefaults && type.equals("Pod")) {
                if (Trees.hasContent(limit, list)) {
                    errors.forbidden(at + "." + list, "may not be specified when `type` is 'Pod'");
                }
                continue;
            }
            if (list.equals("maxLimitRequestRatio")
                    && type.equals("PersistentVolumeClaim")
                    && Trees.at(limit, "min", "storage").isMissingNode()
                    && Trees.at(limit, "max", "storage").isMissingNode()) {
                errors.required(
                        at + ".limits",
                        "either minimum or maximum storage value is required, but neither was provided");
            }
            for (String name : Trees.entries(limit, list).keySet()) {
                String path = at + "." + list + "[" + name + "]";
                if (type.equals("Pod") || type.equals("Container")) {
                    ResourceRequirements.containerName(errors, path, name);
                } else {
                    ResourceRequirements.name(errors, path, name);
                }
                names.add(name);
            }
        }
        boolean pod = type.equals("Pod");
        for (String name : names) {
            amounts(errors, at, limit, name, pod);
        }
    }

    private static final long MAX_MILLI = Long.MAX_VALUE / 1000;

    private static void amounts(FieldErrors errors, String at, JsonNode limit, String name, boolean pod) {
        JsonNode min = Trees.at(limit, "min", name);
        JsonNode max = Trees.at(limit, "max", name);
        JsonNode limits = pod ? MissingNode.getInstance() : Trees.at(limit, "default", name);
        JsonNode requests = pod ? MissingNode.getInstance() : Trees.at(limit, "defaultRequest", name);
        JsonNode ratio = Trees.at(limit, "maxLimitRequestRatio", name);
        greater(errors, at + ".min", name, min, min, max, "min value", "max value");
        greater(errors, at + ".defaultRequest", name, requests, min, requests, "min value", "default request value");
        greater(errors, at + ".defaultRequest", name, requests, requests, max, "default request value", "max value");
        greater(
                errors,
                at + ".defaultRequest",
                name,
                requests,
                requests,
                limits,
                "default request value",
                "default limit value");
        greater(errors, at + ".default", name, min, min, limits, "min value", "default value");
        greater(errors, at + ".default", name, max, limits, max, "default value", "max value");
        String ratioPath = at + ".maxLimitRequestRatio[" + name + "]";
        if (!ratio.isMissingNode()) {
            if (Amounts.compare(ratio, Trees.textNode("1")) < 0) {
                errors.invalid(ratioPath, Amounts.text(ratio), "ratio " + Amounts.text(ratio) + " is less than 1");
            }
            if (!min.isMissingNode() && !max.isMissingNode()) {
                // In thousandths, where all three are small enough for that.
                boolean small = Amounts.of(ratio).toLong() < MAX_MILLI
                        && Amounts.of(min).toLong() < MAX_MILLI
                        && Amounts.of(max).toLong() < MAX_MILLI;
                double possible = small
                        ? (double) Amounts.of(max).toMilli() / Amounts.of(min).toMilli()
                        : (double) Amounts.of(max).toLong() / Amounts.of(min).toLong();
                double asked = small
                        ? Amounts.of(ratio).toMilli() / 1000.0
                        : Amounts.of(ratio).toLong();
                if (asked > possible) {
                    errors.invalid(
                            ratioPath,
                            Amounts.text(ratio),
                            "ratio " + Amounts.text(ratio) + " is greater than max/min = "
                                    + String.format(java.util.Locale.ROOT, "%f", possible));
                }
            }
        }
        if (!ResourceRequirements.allowsOvercommit(name)
                && !limits.isMissingNode()
                && !requests.isMissingNode()
                && Amounts.compare(limits, requests) != 0) {
            errors.invalid(
                    at + ".defaultRequest[" + name + "]",
                    Amounts.text(requests),
                    "default value " + Amounts.text(limits) + " must equal to defaultRequest value "
                            + Amounts.text(requests) + " in " + name);
        }
    }

    private static void greater(
            FieldErrors errors,
            String path,
            String name,
            JsonNode shown,
            JsonNode a,
            JsonNode b,
            String ofA,
            String ofB) {
        if (!a.isMissingNode() && !b.isMissingNode() && Amounts.compare(a, b) > 0) {
            errors.invalid(
                    path + "[" + name + "]",
                    Amounts.text(shown),
                    ofA + " " + Amounts.text(a) + " is greater than " + ofB + " " + Amounts.text(b));
        }
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(object, errors, context);
    }

    @Override
    public boolean allowsCreateOnUpdate() {
        return true;
    }
}
