package io.trimtab.apiserver.kinds.dynamicresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.Times;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** ResourceSlices: devices that drivers offer, found by field selectors. Stateless but for the gates. */
public final class ResourceSliceKind implements Kind {
    private final DisabledFields disabled;

    public ResourceSliceKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode slice) {
        ObjectNode spec = Trees.object(slice, "spec");
        drop("DRAPartitionableDevices", spec, "sharedCounters", "perDeviceNodeSelection");
        for (ObjectNode device : Trees.objects(spec, "devices")) {
            drop("DRADeviceTaints", device, "taints");
            drop("DRAPartitionableDevices", device, "consumesCounters", "nodeName", "nodeSelector", "allNodes");
            drop("DRADeviceBindingConditions", device, "bindingConditions", "bindingFailureConditions", "bindsToNode");
            drop("DRAConsumableCapacity", device, "allowMultipleAllocations");
            ObjectNode capacity = Trees.object(device, "capacity");
            if (capacity != null) {
                for (JsonNode one : capacity) {
                    if (one instanceof ObjectNode amount) {
                        drop("DRAConsumableCapacity", amount, "requestPolicy");
                    }
                }
            }
        }
    }

    private void drop(String gate, @Nullable ObjectNode parent, String... fields) {
        for (String field : fields) {
            disabled.drop(gate, parent, field);
        }
    }

    @Override
    public void prepareCreate(ObjectNode slice, WriteContext context) {
        stampTaints(slice, context);
    }

    @Override
    public void prepareUpdate(ObjectNode slice, ObjectNode old, WriteContext context) {
        stampTaints(slice, context);
    }

    private static void stampTaints(ObjectNode slice, WriteContext context) {
        for (ObjectNode device : Trees.objects(Trees.object(slice, "spec"), "devices")) {
            for (ObjectNode taint : Trees.objects(device, "taints")) {
                Trees.fill(taint, "timeAdded", Times.seconds(context.driver().now()));
            }
        }
    }

    @Override
    public void validateCreate(ObjectNode slice, FieldErrors errors, WriteContext context) {
        new SliceRules(errors, Trees.child(slice, "spec")).spec(null);
    }

    @Override
    public void validateUpdate(ObjectNode slice, ObjectNode old, FieldErrors errors, WriteContext context) {
        new SliceRules(errors, Trees.child(slice, "spec")).spec(Trees.child(old, "spec"));
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }

    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of(
                "spec.driver", slice -> Trees.text(Trees.child(slice, "spec"), "driver"),
                "spec.nodeName", slice -> Trees.text(Trees.child(slice, "spec"), "nodeName"));
    }
}
