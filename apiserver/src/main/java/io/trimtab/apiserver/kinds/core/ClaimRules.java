package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Amounts;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.ResourceRequirements;
import io.trimtab.apiserver.kinds.Trees;
import java.util.List;

/** Rules for the spec of a claim, standing alone or as a template. Stateless. */
public final class ClaimRules {
    static final List<String> ACCESS_MODES =
            List.of("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod");
    static final List<String> VOLUME_MODES = List.of("Block", "Filesystem");

    private ClaimRules() {}

    public static void spec(FieldErrors errors, String path, JsonNode spec) {
        List<String> modes = Trees.texts(spec, "accessModes");
        if (modes.isEmpty()) {
            errors.required(path + ".accessModes", "at least 1 access mode is required");
        }
        LabelSelectorRules.validate(errors, path + ".selector", spec.get("selector"));
        accessModes(errors, path + ".accessModes", modes);
        JsonNode storage = Trees.at(spec, "resources", "requests", "storage");
        String at = path + ".resources[storage]";
        if (storage.isMissingNode()) {
            errors.required(at, "");
        } else if (Amounts.sign(storage) <= 0) {
            errors.invalid(at, Amounts.text(storage), "must be greater than zero");
        } else {
            ResourceRequirements.quantity(errors, at, "storage", storage);
        }
        String storageClass = Trees.text(spec, "storageClassName");
        if (!storageClass.isEmpty()) {
            FieldRules.invalid(errors, path + ".storageClassName", storageClass, Names.subdomain(storageClass));
        }
        FieldRules.choice(errors, path, spec, "volumeMode", VOLUME_MODES);
        dataSources(errors, path, spec);
        String attributes = Trees.text(spec, "volumeAttributesClassName");
        if (!attributes.isEmpty()) {
            FieldRules.invalid(errors, path + ".volumeAttributesClassName", attributes, Names.subdomain(attributes));
        }
    }

    static void accessModes(FieldErrors errors, String path, List<String> modes) {
        boolean one = false;
        boolean other = false;
        for (String mode : modes) {
            if (!ACCESS_MODES.contains(mode)) {
                errors.notSupported(path, Trees.textNode(mode), ACCESS_MODES);
            } else if (mode.equals("ReadWriteOncePod")) {
                one = true;
            } else {
                other = true;
            }
        }
        if (one && other) {
            errors.forbidden(path, "may not use ReadWriteOncePod with other access modes");
        }
    }

    private static void dataSources(FieldErrors errors, String path, JsonNode spec) {
        for (String field : List.of("dataSource", "dataSourceRef")) {
            if (!Trees.has(spec, field)) {
                continue;
            }
            JsonNode source = spec.get(field);
            String at = path + "." + field;
            Volumes.required(errors, at, source, "name");
            Volumes.required(errors, at, source, "kind");
            String group = Trees.text(source, "apiGroup");
            if (group.isEmpty() && !Trees.text(source, "kind").equals("PersistentVolumeClaim")) {
                errors.invalid(
                        at,
                        Trees.text(source, "kind"),
                        "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
            }
            if (!group.isEmpty()) {
                FieldRules.invalid(errors, at + ".apiGroup", group, Names.subdomain(group));
            }
            String namespace = Trees.text(source, "namespace");
            if (!namespace.isEmpty()) {
                FieldRules.invalid(errors, at + ".namespace", namespace, Names.label(namespace));
            }
        }
        boolean both = Trees.has(spec, "dataSource") && Trees.has(spec, "dataSourceRef");
        if (both && Trees.hasContent(spec.get("dataSourceRef"), "namespace")) {
            errors.invalidShown(path, "{}", "may not be specified when dataSourceRef.namespace is specified");
        } else if (both && !Trees.same(spec.get("dataSource"), spec.get("dataSourceRef"))) {
            errors.invalidShown(path, "{}", "must match dataSourceRef");
        }
    }
}
