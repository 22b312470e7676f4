package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Namespaces. The finalizers of their spec can be changed by the subresource {@code finalize} only, which comes here as an update
 * with that subresource in the context. Stateless.
 */
public final class NamespaceKind implements Kind {
    private static final String NAME_LABEL = "kubernetes.io/metadata.name";

    @Override
    public void defaults(ObjectNode namespace) {
        ObjectNode metadata = Trees.make(namespace, "metadata");
        String name = Trees.text(metadata, "name");
        if (!name.isEmpty()) {
            Trees.make(metadata, "labels").put(NAME_LABEL, name);
        }
        Trees.make(namespace, "spec");
        Trees.fill(Trees.make(namespace, "status"), "phase", "Active");
    }

    @Override
    public void prepareCreate(ObjectNode namespace, WriteContext context) {
        namespace.putObject("status").put("phase", "Active");
        ObjectNode spec = Trees.make(namespace, "spec");
        if (!Trees.texts(spec, "finalizers").contains("kubernetes")) {
            Trees.makeList(spec, "finalizers").add("kubernetes");
        }
        // A generated name is known only now.
        ObjectNode metadata = Trees.make(namespace, "metadata");
        if (Trees.hasContent(metadata, "name")) {
            Trees.make(metadata, "labels").put(NAME_LABEL, Trees.text(metadata, "name"));
        }
    }

    @Override
    public void prepareUpdate(ObjectNode namespace, ObjectNode old, WriteContext context) {
        Trees.carry(namespace, old, "status");
        if (!context.subresource().equals("finalize")) {
            Trees.carry(Trees.make(namespace, "spec"), old.get("spec"), "finalizers");
        }
    }

    @Override
    public void prepareStatusUpdate(ObjectNode namespace, ObjectNode old, WriteContext context) {
        Trees.carry(namespace, old, "spec");
    }

    @Override
    public void validateCreate(ObjectNode namespace, FieldErrors errors, WriteContext context) {
        for (String finalizer : Trees.texts(Trees.child(namespace, "spec"), "finalizers")) {
            finalizer(errors, "spec.finalizers", finalizer);
        }
    }

    private static void finalizer(FieldErrors errors, String path, String finalizer) {
        FieldRules.invalid(errors, path, finalizer, Names.qualified(finalizer));
        if (finalizer.indexOf('/') < 0
                && !Set.of("kubernetes", "orphan", "foregroundDeletion").contains(finalizer)) {
            errors.invalid(path, finalizer, "name is neither a standard finalizer name nor is it fully qualified");
        }
    }

    @Override
    public void validateUpdate(ObjectNode namespace, ObjectNode old, FieldErrors errors, WriteContext context) {
        if (context.subresource().equals("finalize")) {
            List<String> finalizers = Trees.texts(Trees.child(namespace, "spec"), "finalizers");
            for (int i = 0; i < finalizers.size(); i++) {
                finalizer(errors, "spec.finalizers[" + i + "]", finalizers.get(i));
            }
        }
    }

    @Override
    public void validateStatusUpdate(ObjectNode namespace, ObjectNode old, FieldErrors errors, WriteContext context) {
        boolean deleting = Trees.has(namespace.get("metadata"), "deletionTimestamp");
        String phase = Trees.text(Trees.child(namespace, "status"), "phase");
        if (!deleting && !phase.equals("Active")) {
            errors.invalid("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty");
        } else if (deleting && !phase.equals("Terminating")) {
            errors.invalid("status.Phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty");
        }
    }

    @Override
    public NameRule nameRule() {
        return NameRule.LABEL;
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }

    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of("status.phase", namespace -> Trees.text(Trees.child(namespace, "status"), "phase"));
    }
}
