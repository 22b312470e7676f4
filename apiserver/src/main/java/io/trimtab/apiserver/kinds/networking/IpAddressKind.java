package io.trimtab.apiserver.kinds.networking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** IPAddresses: each stands for an address that somebody has taken. Stateless. */
public final class IpAddressKind implements Kind {

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        String name = Trees.text(object.get("metadata"), "name");
        FieldErrors wrong = new FieldErrors();
        IpAddresses.validateStrict(wrong, "metadata.name", name);
        errors.addAll(wrong);
        JsonNode parent = Trees.at(object, "spec", "parentRef");
        String path = "spec.parentRef";
        if (parent.isMissingNode()) {
            errors.required(path, "");
            return;
        }
        String group = Trees.text(parent, "group");
        if (!group.isEmpty()) {
            FieldRules.invalid(errors, path + ".group", group, Names.subdomain(group));
        }
        for (String field : List.of("resource", "name", "namespace")) {
            String value = Trees.text(parent, field);
            if (value.isEmpty()) {
                if (!field.equals("namespace")) {
                    errors.required(path + "." + field, "");
                }
            } else {
                FieldRules.invalid(errors, path + "." + field, value, Names.pathSegment(value));
            }
        }
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        FieldRules.immutable(
                errors,
                "spec",
                Trees.child(object, "spec"),
                Trees.child(old, "spec"),
                "parentRef",
                "networking/v1.ParentReference");
    }

    @Override
    public NameRule nameRule() {
        // The rule for addresses is checked with the rest; this one lets every address through, colons included.
        return NameRule.PATH_SEGMENT;
    }

    @Override
    public boolean isValidatedAsNewToo() {
        return true;
    }
}
