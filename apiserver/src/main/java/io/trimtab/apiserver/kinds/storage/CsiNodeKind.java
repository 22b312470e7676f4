package io.trimtab.apiserver.kinds.storage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/** CSINodes. Stateless. */
public final class CsiNodeKind implements Kind {

    @Override
    public void defaults(ObjectNode node) {
        ObjectNode spec = Trees.make(node, "spec");
        if (!spec.has("drivers")) {
            spec.putNull("drivers");
        }
        for (ObjectNode driver : Trees.objects(spec, "drivers")) {
            // The list has no "absent": it is written as null.
            if (!driver.has("topologyKeys")) {
                driver.putNull("topologyKeys");
            }
        }
    }

    @Override
    public void validateCreate(ObjectNode node, FieldErrors errors, WriteContext context) {
        Set<String> names = new HashSet<>();
        int i = 0;
        for (JsonNode driver : Trees.items(Trees.child(node, "spec"), "drivers")) {
            String path = "spec.drivers[" + i++ + "]";
            String name = Trees.text(driver, "name");
            if (name.isEmpty()) {
                errors.required(path + ".name", "");
            }
            if (name.length() > 63) {
                errors.tooLong(path + ".name", 63);
            }
            FieldRules.invalid(errors, path + ".name", name, Names.subdomain(name.toLowerCase(Locale.ROOT)));
            String id = Trees.text(driver, "nodeID");
            if (id.isEmpty()) {
                errors.required(path + ".nodeID", "");
            }
            if (id.length() > 256) {
                errors.invalid(path + ".nodeID", id, "must be 256 characters or less");
            }
            FieldRules.notNegative(errors, path + ".allocatable", Trees.child(driver, "allocatable"), "count");
            if (!names.add(name)) {
                errors.duplicate(path + ".name", Trees.textNode(name));
            }
            Set<String> keys = new HashSet<>();
            for (String key : Trees.texts(driver, "topologyKeys")) {
                if (key.isEmpty()) {
                    errors.required(path, "");
                }
                if (!keys.add(key)) {
                    errors.duplicate(path, Trees.textNode(key));
                }
                FieldRules.invalid(errors, path, key, Names.qualified(key));
            }
        }
    }

    @Override
    public void validateUpdate(ObjectNode node, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(node, errors, context);
        for (JsonNode before : Trees.items(Trees.child(old, "spec"), "drivers")) {
            for (JsonNode driver : Trees.items(Trees.child(node, "spec"), "drivers")) {
                if (Trees.text(driver, "name").equals(Trees.text(before, "name")) && !Trees.same(driver, before)) {
                    errors.invalidShown(
                            "spec.drivers", InternalForm.of(driver, "storage/v1.CSINodeDriver"), FieldRules.IMMUTABLE);
                }
            }
        }
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
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
