package io.trimtab.apiserver.kinds.dynamicresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.ResourceRequirements;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** DeviceClasses: what claims may name to get a device. Stateless but for the gates. */
public final class DeviceClassKind implements Kind {
    private final DisabledFields disabled;

    public DeviceClassKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode object) {
        disabled.drop("DRAExtendedResource", Trees.object(object, "spec"), "extendedResourceName");
    }

    @Override
    public void defaults(ObjectNode object) {
        Trees.make(object, "spec");
    }

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        spec(errors, Trees.child(object, "spec"), false);
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(object, "spec");
        spec(errors, spec, Trees.same(spec, Trees.child(old, "spec"), "config"));
    }

    private void spec(FieldErrors errors, JsonNode spec, boolean stored) {
        DeviceRules.selectors(errors, "spec", spec, disabled.gates().enabled("DRAConsumableCapacity"));
        List<JsonNode> configs = Trees.items(spec, "config");
        for (int i = 0; i < configs.size(); i++) {
            DeviceRules.configuration(errors, "spec.config[" + i + "]", configs.get(i), stored);
        }
        DeviceRules.tooMany(errors, "spec.config", configs.size(), DeviceClaimRules.MOST);
        String name = Trees.text(spec, "extendedResourceName");
        if (Trees.has(spec, "extendedResourceName") && !ResourceRequirements.isExtended(name)) {
            errors.invalid("spec.extendedResourceName", name, "must be a valid extended resource name");
        }
    }

    @Override
    public boolean isValidatedAsNewToo() {
        return true;
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }
}
