package io.trimtab.apiserver.kinds.storage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** CSIDrivers. Stateless. */
public final class CsiDriverKind implements Kind {

    private final DisabledFields disabled;

    /** Stateless but for what it is told of the cluster. */
    public CsiDriverKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode driver) {
        disabled.drop(
                "MutableCSINodeAllocatableCount", Trees.object(driver, "spec"), "nodeAllocatableUpdatePeriodSeconds");
    }

    @Override
    public void prepareUpdate(ObjectNode driver, ObjectNode old, WriteContext context) {
        // Counted from the first change on, and not from the start.
        if (!Trees.same(driver, old, "spec")) {
            Trees.put(
                    Trees.make(driver, "metadata"), "generation", Trees.number(old.get("metadata"), "generation") + 1);
        }
    }

    @Override
    public void defaults(ObjectNode driver) {
        ObjectNode spec = Trees.make(driver, "spec");
        Trees.fill(spec, "attachRequired", true);
        Trees.fill(spec, "podInfoOnMount", false);
        Trees.fill(spec, "storageCapacity", false);
        if (!Trees.has(spec, "fsGroupPolicy")) {
            spec.put("fsGroupPolicy", "ReadWriteOnceWithFSType");
        }
        if (!Trees.hasContent(spec, "volumeLifecycleModes")) {
            spec.putArray("volumeLifecycleModes").add("Persistent");
        }
        Trees.fill(spec, "requiresRepublish", false);
        Trees.fill(spec, "seLinuxMount", false);
    }

    @Override
    public void validateCreate(ObjectNode driver, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(driver, "spec");
        FieldRules.choice(errors, "spec", spec, "fsGroupPolicy", List.of("File", "None", "ReadWriteOnceWithFSType"));
        Set<String> audiences = new HashSet<>();
        int i = 0;
        for (JsonNode request : Trees.items(spec, "tokenRequests")) {
            String path = "spec.tokenRequests[" + i++ + "]";
            String audience = Trees.text(request, "audience");
            if (!audiences.add(audience)) {
                errors.duplicate(path + ".audience", Trees.textNode(audience));
                continue;
            }
            if (!Trees.has(request, "expirationSeconds")) {
                continue;
            }
            long seconds = Trees.number(request, "expirationSeconds");
            if (seconds < 600) {
                errors.invalid(path + ".expirationSeconds", seconds, "may not specify a duration less than 10 minutes");
            }
            if (seconds > 1L << 32) {
                errors.invalid(
                        path + ".expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds");
            }
        }
        for (String mode : Trees.texts(spec, "volumeLifecycleModes")) {
            if (!mode.equals("Persistent") && !mode.equals("Ephemeral")) {
                errors.notSupportedInOrder(
                        "spec.volumeLifecycleModes", Trees.textNode(mode), List.of("Persistent", "Ephemeral"));
            }
        }
        if (Trees.has(spec, "nodeAllocatableUpdatePeriodSeconds")
                && Trees.number(spec, "nodeAllocatableUpdatePeriodSeconds") < 10) {
            errors.invalid(
                    "spec.nodeAllocatableUpdatePeriodSeconds",
                    Trees.number(spec, "nodeAllocatableUpdatePeriodSeconds"),
                    "must be greater than or equal to 10 seconds");
        }
    }

    @Override
    public void validateUpdate(ObjectNode driver, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(driver, errors, context);
        JsonNode spec = Trees.child(driver, "spec");
        JsonNode before = Trees.child(old, "spec");
        if (!Trees.same(spec, before, "attachRequired")) {
            errors.invalid("spec.attachedRequired", Trees.shown(spec, "attachRequired"), FieldRules.IMMUTABLE);
        }
        FieldRules.immutable(errors, "spec", spec, before, "volumeLifecycleModes");
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }
}
