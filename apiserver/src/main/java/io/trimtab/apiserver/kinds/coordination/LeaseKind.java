package io.trimtab.apiserver.kinds.coordination;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;

/** Leases. Stateless. */
public final class LeaseKind implements Kind {

    @Override
    public void defaults(ObjectNode lease) {
        Trees.make(lease, "spec");
    }

    private final DisabledFields disabled;

    /** Stateless but for what it is told of the cluster. */
    public LeaseKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode lease) {
        ObjectNode spec = Trees.object(lease, "spec");
        disabled.drop("CoordinatedLeaderElection", spec, "strategy");
        disabled.drop("CoordinatedLeaderElection", spec, "preferredHolder");
    }

    @Override
    public void validateCreate(ObjectNode lease, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(lease, "spec");
        if (Trees.has(spec, "leaseDurationSeconds") && Trees.number(spec, "leaseDurationSeconds") <= 0) {
            errors.invalid(
                    "spec.leaseDurationSeconds", Trees.number(spec, "leaseDurationSeconds"), "must be greater than 0");
        }
        FieldRules.notNegative(errors, "spec", spec, "leaseTransitions");
        if (Trees.hasContent(spec, "preferredHolder") && !Trees.hasContent(spec, "strategy")) {
            errors.forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined");
        }
    }

    @Override
    public void validateUpdate(ObjectNode lease, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(lease, errors, context);
    }

    @Override
    public boolean allowsCreateOnUpdate() {
        return true;
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
    }
}
