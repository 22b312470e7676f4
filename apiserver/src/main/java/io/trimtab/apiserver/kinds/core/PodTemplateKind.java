package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** PodTemplates. Stateless. */
public final class PodTemplateKind implements Kind {

    private final DisabledFields disabled;

    /** Stateless but for what it is told of the cluster. */
    public PodTemplateKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode object) {
        disabled.ofPodSpec(Trees.object(Trees.object(object, "template"), "spec"));
    }

    @Override
    public void defaults(ObjectNode object) {
        PodDefaults.template(Trees.make(object, "template"));
    }

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        PodSpecRules.template(errors, "template", Trees.child(object, "template"));
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(object, errors, context);
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode object, ObjectNode old) {
        return !Trees.same(object, old, "template");
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }

    @Override
    public void warn(ObjectNode object, List<String> warnings) {
        PodWarnings.template(Trees.child(object, "template"), "template", warnings);
    }
}
