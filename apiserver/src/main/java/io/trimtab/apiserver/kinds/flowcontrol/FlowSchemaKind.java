package io.trimtab.apiserver.kinds.flowcontrol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;

/** FlowSchemas. Stateless. */
public final class FlowSchemaKind implements Kind {

    @Override
    public void defaults(ObjectNode schema) {
        ObjectNode spec = Trees.make(schema, "spec");
        Trees.make(spec, "priorityLevelConfiguration");
        Trees.fillZero(spec, "matchingPrecedence", 1000);
        Trees.make(schema, "status");
    }

    @Override
    public void prepareCreate(ObjectNode schema, WriteContext context) {
        schema.putObject("status");
    }

    @Override
    public void validateCreate(ObjectNode schema, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(schema, "spec");
        long precedence = Trees.number(spec, "matchingPrecedence");
        if (precedence <= 0) {
            errors.invalid("spec.matchingPrecedence", precedence, "must be a positive value");
        }
        if (precedence > 10000) {
            errors.invalid("spec.matchingPrecedence", precedence, "must not be greater than 10000");
        }
        String level = Trees.text(Trees.child(spec, "priorityLevelConfiguration"), "name");
        if (level.isEmpty()) {
            errors.required("spec.priorityLevelConfiguration.name", "must reference a priority level");
        } else {
            FieldRules.invalid(errors, "spec.priorityLevelConfiguration.name", level, Names.subdomain(level));
        }
        int i = 0;
        for (JsonNode rule : Trees.items(spec, "rules")) {
            String path = "spec.rules[" + i++ + "]";
            if (!Trees.hasContent(rule, "subjects")) {
                errors.required(path + ".subjects", "subjects must contain at least one value");
            }
            if (!Trees.hasContent(rule, "resourceRules") && !Trees.hasContent(rule, "nonResourceRules")) {
                errors.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty");
            }
        }
    }

    @Override
    public void validateUpdate(ObjectNode schema, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(schema, errors, context);
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode schema, ObjectNode old) {
        return !Trees.same(schema, old, "spec");
    }
}
