package io.trimtab.apiserver.kinds.dynamicresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.cel.CelEnvironment;
import io.trimtab.apiserver.cel.CelType;
import io.trimtab.apiserver.cel.DeviceExpressions;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** What claims, classes and slices say of devices in the same words. Stateless. */
final class DeviceRules {
    static final List<String> EFFECTS = List.of("NoExecute", "NoSchedule");
    private static final int LONGEST_ID = 32;
    private static final int LONGEST_JSON = 10 * 1024;
    private static final int MOST_SELECTORS = 32;
    private static final int MOST_CONDITIONS = 4;

    private DeviceRules() {}

    static void driver(FieldErrors errors, String path, String name) {
        if (name.isEmpty()) {
            errors.required(path, "");
        }
        if (FieldRules.utf8Length(name) > 63) {
            errors.tooLong(path, 63);
        }
        FieldRules.invalid(errors, path, name, Names.subdomain(name.toLowerCase(Locale.ROOT)));
    }

    static void pool(FieldErrors errors, String path, String name) {
        if (name.isEmpty()) {
            errors.required(path, "");
            return;
        }
        if (FieldRules.utf8Length(name) > 253) {
            errors.tooLong(path, 253);
        }
        for (String part : name.split("/", -1)) {
            FieldRules.invalid(errors, path, part, Names.subdomain(part));
        }
    }

    static void label(FieldErrors errors, String path, String name) {
        FieldRules.invalid(errors, path, name, Names.label(name));
    }

    /** A name of an attribute or capacity: a C identifier, perhaps behind the domain of a driver. */
    static void qualified(FieldErrors errors, String path, String name) {
        if (name.isEmpty()) {
            errors.required(path, "name required");
            return;
        }
        String[] parts = name.split("/", -1);
        if (parts.length == 1) {
            identifier(errors, path, parts[0]);
        } else if (parts.length == 2) {
            if (parts[0].isEmpty()) {
                errors.required(path, "the domain must not be empty");
            } else {
                driver(errors, path, parts[0]);
            }
            if (parts[1].isEmpty()) {
                errors.required(path, "the name must not be empty");
            } else {
                identifier(errors, path, parts[1]);
            }
        }
    }

    static void fullyQualified(FieldErrors errors, String path, String name) {
        qualified(errors, path, name);
        if (!name.isEmpty() && name.indexOf('/') < 0) {
            errors.invalid(path, name, "must include a domain");
        }
    }

    private static void identifier(FieldErrors errors, String path, String id) {
        if (FieldRules.utf8Length(id) > LONGEST_ID) {
            errors.tooLong(path, LONGEST_ID);
        }
        FieldRules.invalid(errors, path, id, Names.cIdentifier(id));
    }

    /**
     * Expressions that select devices.
     *
     * @param consumable whether devices have a capacity that several claims share
     */
    static void selectors(FieldErrors errors, String path, JsonNode parent, boolean consumable) {
        List<JsonNode> selectors = Trees.items(parent, "selectors");
        int i = 0;
        for (JsonNode selector : selectors) {
            String at = path + ".selectors[" + i++ + "].cel";
            if (!Trees.has(selector, "cel")) {
                errors.required(at, "");
                continue;
            }
            expression(errors, at + ".expression", Trees.text(Trees.child(selector, "cel"), "expression"), consumable);
        }
        tooMany(errors, path + ".selectors", selectors.size(), MOST_SELECTORS);
    }

    private static void expression(FieldErrors errors, String path, String text, boolean consumable) {
        if (FieldRules.utf8Length(text) > LONGEST_JSON) {
            errors.tooLong(path, LONGEST_JSON);
            return;
        }
        CelEnvironment.Compilation compiled =
                DeviceExpressions.environment(consumable).compile(text);
        if (compiled.program() == null) {
            errors.invalid(path, text, "compilation failed: " + compiled.issues());
            return;
        }
        CelType type = compiled.program().type();
        if (!type.equals(CelType.BOOL) && !type.equals(CelType.DYN)) {
            errors.invalid(path, text, "must evaluate to bool or the unknown type, not " + type);
        } else if (DeviceExpressions.worstCost(compiled.program()) > DeviceExpressions.LIMIT) {
            errors.forbidden(path, "too complex, exceeds cost limit");
        }
    }

    /** Of a list that may only have so many items. */
    static void tooMany(FieldErrors errors, String path, int size, int most) {
        if (size > most) {
            errors.tooMany(path, size, most);
        }
    }

    /** No text may stand twice. */
    static void distinct(FieldErrors errors, String path, List<String> keys, String field) {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < keys.size(); i++) {
            if (!seen.add(keys.get(i))) {
                errors.duplicate(path + "[" + i + "]" + field, Trees.textNode(keys.get(i)));
            }
        }
    }

    /** What a driver alone understands. */
    static void configuration(FieldErrors errors, String path, JsonNode config, boolean stored) {
        if (!Trees.has(config, "opaque")) {
            errors.required(path + ".opaque", "");
            return;
        }
        JsonNode opaque = config.get("opaque");
        driver(errors, path + ".opaque.driver", Trees.text(opaque, "driver"));
        json(errors, path + ".opaque.parameters", Trees.child(opaque, "parameters"), stored);
    }

    /** An object of any form. */
    static void json(FieldErrors errors, String path, JsonNode value, boolean stored) {
        if (value.isMissingNode()) {
            errors.required(path, "");
        } else if (!stored && FieldRules.utf8Length(value.toString()) > LONGEST_JSON) {
            errors.tooLong(path, LONGEST_JSON);
        } else if (!value.isObject()) {
            errors.invalid(path, "<value omitted>", "must be a valid JSON object");
        }
    }

    static void taint(FieldErrors errors, String path, JsonNode taint) {
        String key = Trees.text(taint, "key");
        FieldRules.invalid(errors, path + ".key", key, Names.qualified(key));
        String value = Trees.text(taint, "value");
        FieldRules.invalid(errors, path + ".value", value, Names.labelValue(value));
        FieldRules.requiredChoice(errors, path, taint, "effect", EFFECTS);
    }

    static void toleration(FieldErrors errors, String path, JsonNode toleration) {
        String key = Trees.text(toleration, "key");
        if (!key.isEmpty()) {
            FieldRules.invalid(errors, path + ".key", key, Names.qualified(key));
        }
        String value = Trees.text(toleration, "value");
        switch (Trees.text(toleration, "operator")) {
            case "Exists" -> {
                if (!value.isEmpty()) {
                    errors.invalid(path + ".value", value, "must be empty for operator `Exists`");
                }
            }
            case "Equal" -> FieldRules.invalid(errors, path + ".value", value, Names.labelValue(value));
            case "" -> errors.required(path + ".operator", "");
            default ->
                errors.notSupported(
                        path + ".operator", Trees.child(toleration, "operator"), List.of("Equal", "Exists"));
        }
        if (Trees.hasContent(toleration, "effect")) {
            FieldRules.choice(errors, path, toleration, "effect", EFFECTS);
        }
    }

    /** Conditions that must come true, and that must not, before a pod is bound. */
    static void binding(FieldErrors errors, String path, JsonNode device) {
        String good = "bindingConditions";
        String bad = "bindingFailureConditions";
        List<String> wanted = Trees.texts(device, good);
        List<String> failures = Trees.texts(device, bad);
        names(errors, path + "." + good, wanted);
        names(errors, path + "." + bad, failures);
        distinct(errors, path + "." + good, wanted, "");
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < failures.size(); i++) {
            String failure = failures.get(i);
            String at = path + "." + bad + "[" + i + "]";
            if (!seen.add(failure)) {
                errors.duplicate(at, Trees.textNode(failure));
            }
            if (wanted.contains(failure)) {
                errors.invalid(at, failure, bad + " must not overlap with " + good);
            }
        }
        if (wanted.isEmpty() && !failures.isEmpty()) {
            errors.invalid(path + "." + good, listOf(device, good), good + " are required to use " + bad);
        }
        if (failures.isEmpty() && !wanted.isEmpty()) {
            errors.invalid(path + "." + bad, listOf(device, bad), bad + " are required to use " + good);
        }
    }

    private static JsonNode listOf(JsonNode device, String field) {
        JsonNode list = Trees.child(device, field);
        return list.isMissingNode() ? NullNode.getInstance() : list;
    }

    private static void names(FieldErrors errors, String path, List<String> names) {
        for (int i = 0; i < names.size(); i++) {
            FieldRules.invalid(errors, path + "[" + i + "]", names.get(i), Names.qualified(names.get(i)));
        }
        tooMany(errors, path, names.size(), MOST_CONDITIONS);
    }

    /** A key as paths show it: not longer than a valid one. */
    static String shortened(String key, int most) {
        if (key.length() <= most) {
            return key;
        }
        int remaining = most - 3;
        return key.substring(0, (remaining + 1) / 2) + "..." + key.substring(key.length() - remaining / 2);
    }

    /** The counting of devices that a request leaves open. */
    static void defaults(ObjectNode request) {
        Trees.fill(request, "allocationMode", "ExactCount");
        if (Trees.text(request, "allocationMode").equals("ExactCount")) {
            Trees.fillZero(request, "count", 1);
        }
        Trees.objects(request, "tolerations").forEach(one -> Trees.fill(one, "operator", "Equal"));
    }
}
