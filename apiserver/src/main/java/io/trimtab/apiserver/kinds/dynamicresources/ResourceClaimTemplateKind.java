package io.trimtab.apiserver.kinds.dynamicresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.Volumes;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;

/** ResourceClaimTemplates: the claims that pods get of their own. Stateless but for the gates. */
public final class ResourceClaimTemplateKind implements Kind {
    private final DeviceClaimRules rules;

    public ResourceClaimTemplateKind(DisabledFields disabled) {
        rules = new DeviceClaimRules(disabled);
    }

    @Override
    public void dropDisabled(ObjectNode object) {
        rules.dropDisabled(Trees.object(Trees.object(object, "spec"), "spec"));
    }

    @Override
    public void defaults(ObjectNode object) {
        ObjectNode spec = Trees.make(Trees.make(object, "spec"), "spec");
        Trees.make(spec, "devices");
        DeviceClaimRules.defaults(spec);
    }

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        DeviceClaimRules.adminAccess(errors, Trees.at(object, "spec", "spec"), context);
        spec(object, errors, false);
    }

    private void spec(ObjectNode object, FieldErrors errors, boolean stored) {
        JsonNode metadata = Trees.at(object, "spec", "metadata");
        Volumes.templateMetadata(errors, "spec.metadata", metadata);
        rules.spec(errors, "spec.spec", Trees.at(object, "spec", "spec"), stored);
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        spec(object, errors, false);
        if (!Trees.same(object, old, "spec")) {
            errors.invalidShown(
                    "spec",
                    InternalForm.of(Trees.child(object, "spec"), "resource/v1.ResourceClaimTemplateSpec"),
                    FieldRules.IMMUTABLE);
        }
        spec(object, errors, true);
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }
}
