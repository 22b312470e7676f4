package io.trimtab.apiserver.kinds.storage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** StorageClasses, and VolumeAttributesClasses, which are checked alike. Stateless. */
public final class StorageClassKind implements Kind {
    private final boolean ofAttributes;

    /** @param ofAttributes true for VolumeAttributesClass */
    public StorageClassKind(boolean ofAttributes) {
        this.ofAttributes = ofAttributes;
    }

    @Override
    public void defaults(ObjectNode object) {
        if (!ofAttributes) {
            Trees.fill(object, "reclaimPolicy", "Delete");
            Trees.fill(object, "volumeBindingMode", "Immediate");
        }
    }

    private String driverField() {
        return ofAttributes ? "driverName" : "provisioner";
    }

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        String driver = Trees.text(object, driverField());
        if (driver.isEmpty()) {
            errors.required(driverField(), "");
        } else {
            String lower = driver.toLowerCase(Locale.ROOT);
            FieldRules.invalid(errors, driverField(), lower, Names.qualified(lower));
        }
        parameters(errors, Trees.map(object, "parameters"));
        if (ofAttributes) {
            return;
        }
        String policy = Trees.text(object, "reclaimPolicy");
        if (!policy.isEmpty() && !policy.equals("Delete") && !policy.equals("Retain")) {
            errors.notSupported("reclaimPolicy", object.get("reclaimPolicy"), List.of("Delete", "Retain"));
        }
        String mode = Trees.text(object, "volumeBindingMode");
        if (!Trees.has(object, "volumeBindingMode")) {
            errors.required("volumeBindingMode", "");
        } else if (!mode.equals("Immediate") && !mode.equals("WaitForFirstConsumer")) {
            errors.notSupported(
                    "volumeBindingMode", object.get("volumeBindingMode"), List.of("Immediate", "WaitForFirstConsumer"));
        }
        topologies(errors, object);
    }

    private void parameters(FieldErrors errors, Map<String, String> parameters) {
        if (parameters.size() > 512) {
            errors.tooLong("parameters", 512);
            return;
        }
        long size = 0;
        for (Map.Entry<String, String> entry : parameters.entrySet()) {
            if (entry.getKey().isEmpty()) {
                errors.invalid("parameters", "", "field can not be empty.");
            }
            size += FieldRules.utf8Length(entry.getKey()) + FieldRules.utf8Length(entry.getValue());
        }
        if (size > 256 * 1024) {
            errors.tooLong("parameters", 256 * 1024);
        }
        if (ofAttributes && parameters.isEmpty()) {
            errors.required("parameters", "must contain at least one key/value pair");
        }
    }

    private static void topologies(FieldErrors errors, ObjectNode object) {
        int i = 0;
        for (JsonNode term : Trees.items(object, "allowedTopologies")) {
            String path = "allowedTopologies[" + i++ + "].matchLabelExpressions";
            Set<String> keys = new HashSet<>();
            int j = 0;
            for (JsonNode requirement : Trees.items(term, "matchLabelExpressions")) {
                String at = path + "[" + j++ + "]";
                List<String> values = Trees.texts(requirement, "values");
                if (values.isEmpty()) {
                    errors.required(at + ".values", "");
                }
                Set<String> seen = new HashSet<>();
                for (int k = 0; k < values.size(); k++) {
                    if (!seen.add(values.get(k))) {
                        errors.duplicate(at + ".values[" + k + "]", Trees.textNode(values.get(k)));
                    }
                }
                String key = Trees.text(requirement, "key");
                FieldRules.invalid(errors, at + ".key", key, Names.qualified(key));
                if (!keys.add(key)) {
                    errors.duplicate(at + ".key", Trees.textNode(key));
                }
            }
        }
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        if (ofAttributes) {
            forbidden(errors, object, old, "driverName");
            forbidden(errors, object, old, "parameters");
            validateCreate(object, errors, context);
            return;
        }
        forbidden(errors, object, old, "parameters");
        forbidden(errors, object, old, "provisioner");
        forbidden(errors, object, old, "reclaimPolicy");
        if (!Trees.same(object, old, "volumeBindingMode")) {
            errors.invalid("volumeBindingMode", Trees.shown(object, "volumeBindingMode"), FieldRules.IMMUTABLE);
        }
    }

    private static void forbidden(FieldErrors errors, ObjectNode object, ObjectNode old, String field) {
        if (!Trees.same(object, old, field)) {
            errors.forbidden(field, "updates to " + field + " are forbidden.");
        }
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }

    @Override
    public boolean isValidatedAsNewToo() {
        return true;
    }
}
