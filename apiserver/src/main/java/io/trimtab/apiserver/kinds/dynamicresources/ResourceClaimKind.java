package io.trimtab.apiserver.kinds.dynamicresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import java.util.Set;

/** ResourceClaims: devices asked for, and those given. Stateless but for the gates. */
public final class ResourceClaimKind implements Kind {
    private final DisabledFields disabled;
    private final DeviceClaimRules rules;

    public ResourceClaimKind(DisabledFields disabled) {
        this.disabled = disabled;
        rules = new DeviceClaimRules(disabled);
    }

    @Override
    public void dropDisabled(ObjectNode claim) {
        rules.dropDisabled(Trees.object(claim, "spec"));
        ObjectNode status = Trees.object(claim, "status");
        disabled.drop("DRAResourceClaimDeviceStatus", status, "devices");
        Trees.objects(status, "devices").forEach(one -> disabled.drop("DRAConsumableCapacity", one, "shareID"));
        ObjectNode allocation = Trees.object(status, "allocation");
        disabled.drop("DRADeviceBindingConditions", allocation, "allocationTimestamp");
        for (ObjectNode result : Trees.objects(Trees.object(allocation, "devices"), "results")) {
            disabled.drop("DRAAdminAccess", result, "adminAccess");
            disabled.drop("DRADeviceBindingConditions", result, "bindingConditions");
            disabled.drop("DRADeviceBindingConditions", result, "bindingFailureConditions");
            disabled.drop("DRAConsumableCapacity", result, "shareID");
            disabled.drop("DRAConsumableCapacity", result, "consumedCapacity");
        }
    }

    @Override
    public void defaults(ObjectNode claim) {
        ObjectNode spec = Trees.make(claim, "spec");
        Trees.make(spec, "devices");
        DeviceClaimRules.defaults(spec);
        Trees.make(claim, "status");
    }

    @Override
    public void prepareCreate(ObjectNode claim, WriteContext context) {
        claim.putObject("status");
    }

    @Override
    public void prepareUpdate(ObjectNode claim, ObjectNode old, WriteContext context) {
        Trees.carry(claim, old, "status");
    }

    /** What is known of a device goes with its allocation. */
    @Override
    public void prepareStatusUpdate(ObjectNode claim, ObjectNode old, WriteContext context) {
        Set<String> gone = ClaimStatusRules.allocated(Trees.child(old, "status"));
        gone.removeAll(ClaimStatusRules.allocated(Trees.child(claim, "status")));
        ObjectNode status = Trees.object(claim, "status");
        if (status == null || !(status.get("devices") instanceof ArrayNode devices)) {
            return;
        }
        for (var each = devices.iterator(); each.hasNext(); ) {
            if (gone.contains(ClaimStatusRules.id(each.next()))) {
                each.remove();
            }
        }
        if (devices.isEmpty()) {
            status.remove("devices");
        }
    }

    @Override
    public void validateCreate(ObjectNode claim, FieldErrors errors, WriteContext context) {
        DeviceClaimRules.adminAccess(errors, Trees.child(claim, "spec"), context);
        rules.spec(errors, "spec", Trees.child(claim, "spec"), false);
    }

    @Override
    public void validateUpdate(ObjectNode claim, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(claim, "spec");
        rules.spec(errors, "spec", spec, false);
        if (!Trees.same(claim, old, "spec")) {
            errors.invalidShown("spec", InternalForm.of(spec, "resource/v1.ResourceClaimSpec"), FieldRules.IMMUTABLE);
        }
        rules.spec(errors, "spec", spec, true);
    }

    @Override
    public void validateStatusUpdate(ObjectNode claim, ObjectNode old, FieldErrors errors, WriteContext context) {
        if (adminResult(old) < 0 && adminResult(claim) >= 0) {
            DeviceClaimRules.requireAdmin(
                    errors, "status.allocation.devices.results[" + adminResult(claim) + "].adminAccess", context);
        }
        new ClaimStatusRules(DeviceClaimRules.requestNames(Trees.child(claim, "spec"))).status(errors, claim, old);
    }

    private static int adminResult(JsonNode claim) {
        List<JsonNode> results = Trees.items(Trees.at(claim, "status", "allocation", "devices"), "results");
        for (int i = 0; i < results.size(); i++) {
            if (Trees.flag(results.get(i), "adminAccess")) {
                return i;
            }
        }
        return -1;
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }
}
