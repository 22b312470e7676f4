package io.trimtab.apiserver.kinds.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.ResourceRequirements;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.Affinities;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** RuntimeClasses. Stateless. */
public final class RuntimeClassKind implements Kind {

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        String handler = Trees.text(object, "handler");
        FieldRules.invalid(errors, "handler", handler, Names.label(handler));
        if (Trees.has(object, "overhead")) {
            ObjectNode limits = object.objectNode();
            limits.set("limits", Trees.child(object.get("overhead"), "podFixed"));
            ResourceRequirements.container(errors, "overhead", limits, List.of());
        }
        if (Trees.has(object, "scheduling")) {
            JsonNode scheduling = object.get("scheduling");
            FieldRules.labels(errors, "scheduling.nodeSelector", Trees.map(scheduling, "nodeSelector"));
            Affinities.runtimeTolerations(errors, "scheduling.tolerations", Trees.items(scheduling, "tolerations"));
        }
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        if (!Trees.same(object, old, "handler")) {
            errors.invalid("handler", Trees.shown(object, "handler"), FieldRules.IMMUTABLE);
        }
    }

    @Override
    public boolean allowsCreateOnUpdate() {
        return true;
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
