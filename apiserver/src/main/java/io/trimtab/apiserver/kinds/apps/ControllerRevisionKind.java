package io.trimtab.apiserver.kinds.apps;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;

/** ControllerRevisions: a number and data that never changes. Stateless. */
public final class ControllerRevisionKind implements Kind {

    @Override
    public void defaults(ObjectNode revision) {
        Trees.fill(revision, "revision", 0);
    }

    @Override
    public void validateCreate(ObjectNode revision, FieldErrors errors, WriteContext context) {
        FieldRules.notNegative(errors, "revision", Trees.number(revision, "revision"));
        if (!Trees.has(revision, "data")) {
            errors.required("data", "data is mandatory");
        } else if (!revision.get("data").isObject()) {
            errors.required("data", "data must be a valid JSON object");
        }
    }

    @Override
    public void validateUpdate(ObjectNode revision, ObjectNode old, FieldErrors errors, WriteContext context) {
        FieldRules.notNegative(errors, "revision", Trees.number(revision, "revision"));
        if (!Trees.shown(revision, "data").equals(Trees.shown(old, "data"))) {
            errors.invalid("data", Trees.shown(revision, "data"), FieldRules.IMMUTABLE);
        }
    }
}
