package io.trimtab.apiserver.kinds.storage;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Amounts;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** CSIStorageCapacities. Stateless. */
public final class CsiStorageCapacityKind implements Kind {

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        LabelSelectorRules.validate(errors, "nodeTopology", object.get("nodeTopology"));
        String name = Trees.text(object, "storageClassName");
        FieldRules.invalid(errors, "storageClassName", name, Names.subdomain(name));
        if (Amounts.sign(object.get("capacity")) < 0) {
            errors.invalid("capacity", Amounts.text(object.get("capacity")), FieldRules.NOT_NEGATIVE);
        }
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(object, errors, context);
        for (String field : List.of("nodeTopology", "storageClassName")) {
            if (!Trees.same(object, old, field)) {
                errors.invalid(field, Trees.shown(object, field), FieldRules.IMMUTABLE);
            }
        }
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
    }

    @Override
    public boolean isValidatedAsNewToo() {
        return true;
    }
}
