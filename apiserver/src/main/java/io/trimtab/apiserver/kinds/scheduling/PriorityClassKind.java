package io.trimtab.apiserver.kinds.scheduling;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import java.util.Map;

/** PriorityClasses. Stateless. */
public final class PriorityClassKind implements Kind {
    private static final long HIGHEST_OF_USERS = 1_000_000_000;
    private static final Map<String, Long> SYSTEM =
            Map.of("system-node-critical", 2_000_001_000L, "system-cluster-critical", 2_000_000_000L);

    @Override
    public void defaults(ObjectNode object) {
        if (!Trees.has(object, "preemptionPolicy")) {
            object.put("preemptionPolicy", "PreemptLowerPriority");
        }
        Trees.fill(object, "value", 0);
    }

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        String name = Trees.text(object.get("metadata"), "name");
        long value = Trees.number(object, "value");
        if (name.startsWith("system-")) {
            String wrong = system(name, value, Trees.flag(object, "globalDefault"));
            if (!wrong.isEmpty()) {
                errors.forbidden(
                        "metadata.name",
                        "priority class names with 'system-' prefix are reserved for system use only. error: " + wrong);
            }
        } else if (value > HIGHEST_OF_USERS) {
            errors.forbidden("value", "maximum allowed value of a user defined priority is " + HIGHEST_OF_USERS);
        }
        FieldRules.choice(errors, "", object, "preemptionPolicy", List.of("PreemptLowerPriority", "Never"));
    }

    private static String system(String name, long value, boolean globalDefault) {
        Long known = SYSTEM.get(name);
        if (known == null) {
            return name + " is not a known system priority class";
        }
        if (known != value) {
            return "value of " + name + " PriorityClass must be " + known;
        }
        return globalDefault ? "globalDefault of " + name + " PriorityClass must be false" : "";
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        if (Trees.number(object, "value") != Trees.number(old, "value")) {
            errors.forbidden("value", "may not be changed in an update.");
        }
        if (!Trees.same(object, old, "preemptionPolicy")) {
            errors.invalid("preemptionPolicy", Trees.shown(object, "preemptionPolicy"), FieldRules.IMMUTABLE);
        }
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    /** Generation is 1 for ever: what it would count cannot change. */
    @Override
    public boolean isSpecChange(ObjectNode object, ObjectNode old) {
        return false;
    }
}
