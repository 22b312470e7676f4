package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.FieldErrors.FieldError;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.ResourceRequirements;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Nodes. Stateless. */
public final class NodeKind implements Kind {
    private static final String ONCE = "node updates may not change podCIDR except from \"\" to valid";

    @Override
    public void defaults(ObjectNode node) {
        ObjectNode spec = Trees.make(node, "spec");
        List<String> ranges = Trees.texts(spec, "podCIDRs");
        String range = Trees.text(spec, "podCIDR");
        // The list is the truth; the single field is its head. An old client sends the latter alone, or changes it
        // alone.
        if (!range.isEmpty() && (ranges.isEmpty() || !ranges.get(0).equals(range))) {
            spec.putArray("podCIDRs").add(range);
        } else if (!ranges.isEmpty()) {
            spec.put("podCIDR", ranges.get(0));
        }
        ObjectNode status = Trees.make(node, "status");
        if (!Trees.has(status, "allocatable") && Trees.has(status, "capacity")) {
            status.set("allocatable", status.get("capacity").deepCopy());
        }
        ObjectNode endpoints = Trees.make(status, "daemonEndpoints");
        Trees.fill(Trees.make(endpoints, "kubeletEndpoint"), "Port", 0);
        ObjectNode info = Trees.make(status, "nodeInfo");
        for (String field : List.of(
                "machineID",
                "systemUUID",
                "bootID",
                "kernelVersion",
                "osImage",
                "containerRuntimeVersion",
                "kubeletVersion",
                "kubeProxyVersion",
                "operatingSystem",
                "architecture")) {
            if (!Trees.has(info, field)) {
                info.put(field, "");
            }
        }
    }

    /** A kubelet registers with what it has. */
    @Override
    public boolean clearsStatusOnCreate() {
        return false;
    }

    @Override
    public void prepareCreate(ObjectNode node, WriteContext context) {
        Trees.make(node, "spec").remove("configSource");
        Trees.make(node, "status").remove("config");
    }

    @Override
    public void prepareStatusUpdate(ObjectNode node, ObjectNode old, WriteContext context) {
        Trees.make(node, "status").remove("config");
    }

    @Override
    public void warn(ObjectNode node, @Nullable ObjectNode old, List<String> warnings) {
        JsonNode spec = Trees.child(node, "spec");
        if (Trees.has(spec, "configSource")) {
            warnings.add("spec.configSource: the feature is removed");
        }
        if (!Trees.text(spec, "externalID").isEmpty()) {
            warnings.add("spec.externalID: this field is deprecated, and is unused by Kubernetes");
        }
        List<String> ranges = Trees.texts(spec, "podCIDRs");
        if (old == null) {
            for (int i = 0; i < ranges.size(); i++) {
                IpAddresses.warnRange("spec.podCIDRs[" + i + "]", ranges.get(i), warnings);
            }
        }
    }

    @Override
    public void prepareUpdate(ObjectNode node, ObjectNode old, WriteContext context) {
        Trees.carry(node, old, "status");
        Trees.make(node, "spec").remove("configSource");
    }

    @Override
    public void validateCreate(ObjectNode node, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(node, "spec");
        Affinities.taints(errors, "metadata.taints", Trees.items(spec, "taints"));
        resources(errors, node);
        List<String> ranges = Trees.texts(spec, "podCIDRs");
        for (int i = 0; i < ranges.size(); i++) {
            IpAddresses.validateRange(errors, "spec.podCIDRs[" + i + "]", ranges.get(i));
        }
        if (ranges.size() > 1) {
            IpAddresses.Range first = IpAddresses.parseRange(ranges.get(0));
            IpAddresses.Range second = IpAddresses.parseRange(ranges.get(1));
            boolean both = ranges.size() == 2 && first != null && second != null && first.isV6() != second.isV6();
            if (!both) {
                errors.invalid(
                        "spec.podCIDRs", spec.get("podCIDRs"), "may specify no more than one CIDR for each IP family");
            }
        }
    }

    private static void resources(FieldErrors errors, ObjectNode node) {
        for (String list : List.of("capacity", "allocatable")) {
            Trees.entries(Trees.child(node, "status"), list)
                    .forEach((name, amount) ->
                            ResourceRequirements.quantity(errors, "status." + list + "." + name, name, amount));
        }
    }

    @Override
    public void validateUpdate(ObjectNode node, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(node, "spec");
        JsonNode before = Trees.child(old, "spec");
        // Kubernetes looks twice at what a new node is checked for.
        validateCreate(node, errors, context);
        resources(errors, node);
        Set<JsonNode> seen = new HashSet<>();
        int i = 0;
        for (JsonNode address : Trees.items(Trees.child(node, "status"), "addresses")) {
            if (!seen.add(address)) {
                errors.add(new FieldError(
                        FieldErrors.Type.DUPLICATE,
                        "status.addresses[" + i + "]",
                        "Duplicate value: " + InternalForm.of(address, "core/v1.NodeAddress")));
            }
            i++;
        }
        List<String> had = Trees.texts(before, "podCIDRs");
        List<String> has = Trees.texts(spec, "podCIDRs");
        if (!had.isEmpty()) {
            if (had.size() != has.size()) {
                errors.forbidden("spec.podCIDRs", ONCE);
            } else {
                for (int j = 0; j < had.size(); j++) {
                    if (!had.get(j).equals(has.get(j))) {
                        errors.forbidden("spec.podCIDRs", ONCE);
                    }
                }
            }
        }
        String provider = Trees.text(before, "providerID");
        if (!provider.isEmpty() && !provider.equals(Trees.text(spec, "providerID"))) {
            errors.forbidden("spec.providerID", "node updates may not change providerID except from \"\" to valid");
        }
        Affinities.taints(errors, "metadata.taints", Trees.items(spec, "taints"));
        if (!Trees.same(spec, before, "externalID")) {
            errors.forbidden("spec.externalID", "may not be updated");
        }
    }

    @Override
    public void validateStatusUpdate(ObjectNode node, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateUpdate(node, old, errors, context);
    }

    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of(
                "spec.unschedulable", node -> Boolean.toString(Trees.flag(Trees.child(node, "spec"), "unschedulable")));
    }
}
