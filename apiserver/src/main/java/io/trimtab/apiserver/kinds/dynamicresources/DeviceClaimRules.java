package io.trimtab.apiserver.kinds.dynamicresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The spec of a claim to devices, in a ResourceClaim and in a template of one. Stateless but for the gates. */
record DeviceClaimRules(DisabledFields disabled) {
    static final int MOST = 32;
    private static final int MOST_ALTERNATIVES = 8;
    private static final String ADMIN_LABEL = "resource.kubernetes.io/admin-access";
    private static final String NO_SUCH_REQUEST =
            "must be the name of a request in the claim or the name of a request and"
                    + " a subrequest separated by '/'";

    boolean isConsumable() {
        return disabled.gates().enabled("DRAConsumableCapacity");
    }

    static void defaults(@Nullable ObjectNode spec) {
        ObjectNode devices = Trees.object(spec, "devices");
        for (ObjectNode request : Trees.objects(devices, "requests")) {
            ObjectNode exactly = Trees.object(request, "exactly");
            if (exactly != null) {
                DeviceRules.defaults(exactly);
            }
            Trees.objects(request, "firstAvailable").forEach(DeviceRules::defaults);
        }
    }

    void dropDisabled(@Nullable ObjectNode spec) {
        for (ObjectNode request : Trees.objects(Trees.object(spec, "devices"), "requests")) {
            disabled.drop("DRAPrioritizedList", request, "firstAvailable");
            List<ObjectNode> requests = new java.util.ArrayList<>(Trees.objects(request, "firstAvailable"));
            ObjectNode exactly = Trees.object(request, "exactly");
            if (exactly != null) {
                disabled.drop("DRAAdminAccess", exactly, "adminAccess");
                requests.add(exactly);
            }
            for (ObjectNode one : requests) {
                disabled.drop("DRAConsumableCapacity", one, "capacity");
            }
        }
    }

    /** The requests by name, each with the names of its alternatives; none of a plain request. */
    static Map<String, Set<String>> requestNames(JsonNode spec) {
        Map<String, Set<String>> names = new HashMap<>();
        for (JsonNode request : Trees.items(Trees.child(spec, "devices"), "requests")) {
            Set<String> alternatives = new HashSet<>();
            Trees.items(request, "firstAvailable").forEach(one -> alternatives.add(Trees.text(one, "name")));
            names.put(Trees.text(request, "name"), alternatives);
        }
        return names;
    }

    /** @param stored whether it was stored before, when it might be longer than now */
    void spec(FieldErrors errors, String path, JsonNode spec, boolean stored) {
        JsonNode devices = Trees.child(spec, "devices");
        String at = path + ".devices";
        Map<String, Set<String>> names = requestNames(spec);
        List<JsonNode> requests = Trees.items(devices, "requests");
        for (int i = 0; i < requests.size(); i++) {
            request(errors, at + ".requests[" + i + "]", requests.get(i));
        }
        DeviceRules.tooMany(errors, at + ".requests", requests.size(), MOST);
        DeviceRules.distinct(errors, at + ".requests", texts(requests, "name"), ".name");
        List<JsonNode> constraints = Trees.items(devices, "constraints");
        for (int i = 0; i < constraints.size(); i++) {
            constraint(errors, at + ".constraints[" + i + "]", constraints.get(i), names);
        }
        DeviceRules.tooMany(errors, at + ".constraints", constraints.size(), MOST);
        List<JsonNode> configs = Trees.items(devices, "config");
        for (int i = 0; i < configs.size(); i++) {
            references(errors, at + ".config[" + i + "].requests", configs.get(i), names);
            DeviceRules.configuration(errors, at + ".config[" + i + "]", configs.get(i), stored);
        }
        DeviceRules.tooMany(errors, at + ".config", configs.size(), MOST);
    }

    static List<String> texts(List<JsonNode> items, String field) {
        return items.stream().map(item -> Trees.text(item, field)).toList();
    }

    private void request(FieldErrors errors, String path, JsonNode request) {
        DeviceRules.label(errors, path + ".name", Trees.text(request, "name"));
        List<JsonNode> alternatives = Trees.items(request, "firstAvailable");
        for (int i = 0; i < alternatives.size(); i++) {
            String at = path + ".firstAvailable[" + i + "]";
            DeviceRules.label(errors, at + ".name", Trees.text(alternatives.get(i), "name"));
            devices(errors, at, alternatives.get(i));
        }
        DeviceRules.tooMany(errors, path + ".firstAvailable", alternatives.size(), MOST_ALTERNATIVES);
        DeviceRules.distinct(errors, path + ".firstAvailable", texts(alternatives, "name"), ".name");
        boolean exact = Trees.has(request, "exactly");
        if (exact) {
            devices(errors, path + ".exactly", request.get("exactly"));
        }
        String one = "exactly one of `exactly` or `firstAvailable` is required";
        if (exact && !alternatives.isEmpty()) {
            errors.invalidShown(path, "null", one + ", but multiple fields are set");
        } else if (!exact && alternatives.isEmpty()) {
            errors.required(path, one);
        }
    }

    private void devices(FieldErrors errors, String path, JsonNode request) {
        String name = Trees.text(request, "deviceClassName");
        if (name.isEmpty()) {
            errors.required(path + ".deviceClassName", "");
        } else {
            FieldRules.invalid(errors, path + ".deviceClassName", name, Names.subdomain(name));
        }
        DeviceRules.selectors(errors, path, request, isConsumable());
        long count = Trees.number(request, "count");
        switch (Trees.text(request, "allocationMode")) {
            case "All" -> {
                if (count != 0) {
                    errors.invalid(path + ".count", count, "must not be specified when allocationMode is 'All'");
                }
            }
            case "ExactCount" -> FieldRules.positive(errors, path + ".count", count);
            default ->
                errors.notSupported(
                        path + ".allocationMode",
                        Trees.textNode(Trees.text(request, "allocationMode")),
                        List.of("All", "ExactCount"));
        }
        int i = 0;
        for (JsonNode toleration : Trees.items(request, "tolerations")) {
            DeviceRules.toleration(errors, path + ".tolerations[" + i++ + "]", toleration);
        }
    }

    private void constraint(FieldErrors errors, String path, JsonNode constraint, Map<String, Set<String>> names) {
        references(errors, path + ".requests", constraint, names);
        if (Trees.has(constraint, "matchAttribute")) {
            DeviceRules.fullyQualified(errors, path + ".matchAttribute", Trees.text(constraint, "matchAttribute"));
        } else if (Trees.has(constraint, "distinctAttribute")) {
            DeviceRules.fullyQualified(
                    errors, path + ".distinctAttribute", Trees.text(constraint, "distinctAttribute"));
        } else if (isConsumable()) {
            errors.required(
                    path,
                    "exactly one of \"matchAttribute\" or \"distinctAttribute\" is required, but multiple fields are set");
        } else {
            errors.required(path + ".matchAttribute", "");
        }
    }

    /** A list of names of requests. */
    static void references(FieldErrors errors, String path, JsonNode parent, Map<String, Set<String>> names) {
        List<String> references = Trees.texts(parent, "requests");
        for (int i = 0; i < references.size(); i++) {
            reference(errors, path + "[" + i + "]", references.get(i), names);
        }
        DeviceRules.tooMany(errors, path, references.size(), MOST);
        DeviceRules.distinct(errors, path, references, "");
    }

    static void reference(FieldErrors errors, String path, String name, Map<String, Set<String>> names) {
        String[] parts = name.split("/", -1);
        if (parts.length > 2) {
            errors.invalid(path, name, NO_SUCH_REQUEST);
            return;
        }
        for (String part : parts) {
            DeviceRules.label(errors, path, part);
        }
        Set<String> alternatives = names.get(parts[0]);
        if (alternatives == null || parts.length == 2 && !alternatives.contains(parts[1])) {
            errors.invalid(path, name, NO_SUCH_REQUEST);
        }
    }

    /** Who asks for access as an administrator needs a namespace that allows it. */
    static void adminAccess(FieldErrors errors, JsonNode spec, WriteContext context) {
        int i = 0;
        for (JsonNode request : Trees.items(Trees.child(spec, "devices"), "requests")) {
            if (Trees.flag(Trees.child(request, "exactly"), "adminAccess")) {
                requireAdmin(errors, "spec.devices.requests[" + i + "].adminAccess", context);
                return;
            }
            i++;
        }
    }

    static void requireAdmin(FieldErrors errors, String path, WriteContext context) {
        JsonNode namespace = context.storage()
                .get(CoreResources.NAMESPACES, null, context.namespace())
                .map(stored -> (JsonNode) stored.tree())
                .orElse(null);
        if (namespace == null) {
            errors.internal(
                    path,
                    "could not retrieve namespace to verify admin access: namespaces "
                            + FieldErrors.quote(context.namespace()) + " not found");
        } else if (!Trees.text(Trees.at(namespace, "metadata", "labels"), ADMIN_LABEL)
                .equals("true")) {
            errors.forbidden(
                    path,
                    "admin access to devices requires the `" + ADMIN_LABEL
                            + ": true` label on the containing namespace");
        }
    }
}
