package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Amounts;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.ResourceRequirements;
import io.trimtab.apiserver.kinds.TreeDiff;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** PersistentVolumeClaims. Stateless. */
public final class PersistentVolumeClaimKind implements Kind {
    private static final Set<String> RESIZES = Set.of(
            "ControllerResizeInProgress",
            "ControllerResizeInfeasible",
            "NodeResizePending",
            "NodeResizeInProgress",
            "NodeResizeInfeasible");

    private static final String CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

    @Override
    public void defaults(ObjectNode claim) {
        ObjectNode spec = Trees.make(claim, "spec");
        Trees.make(spec, "resources");
        Trees.fill(spec, "volumeMode", "Filesystem");
        Trees.fill(Trees.make(claim, "status"), "phase", "Pending");
    }

    @Override
    public void prepareCreate(ObjectNode claim, WriteContext context) {
        claim.putObject("status").put("phase", "Pending");
        sources(Trees.make(claim, "spec"));
    }

    /** The two ways of naming a source of data fill each other, unless the newer one crosses namespaces. */
    private static void sources(ObjectNode spec) {
        JsonNode source = Trees.child(spec, "dataSource");
        JsonNode ref = Trees.child(spec, "dataSourceRef");
        if (!source.isMissingNode() && ref.isMissingNode()) {
            spec.set("dataSourceRef", source.deepCopy());
        } else if (source.isMissingNode() && !ref.isMissingNode() && !Trees.hasContent(ref, "namespace")) {
            ObjectNode copy = ref.deepCopy();
            copy.remove("namespace");
            spec.set("dataSource", copy);
        }
    }

    @Override
    public void prepareUpdate(ObjectNode claim, ObjectNode old, WriteContext context) {
        Trees.carry(claim, old, "status");
        sources(Trees.make(claim, "spec"));
    }

    @Override
    public void validateCreate(ObjectNode claim, FieldErrors errors, WriteContext context) {
        ClaimRules.spec(errors, "spec", Trees.child(claim, "spec"));
    }

    @Override
    public void validateUpdate(ObjectNode claim, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(claim, errors, context);
        JsonNode spec = Trees.child(claim, "spec");
        ObjectNode now = spec.deepCopy();
        ObjectNode before = Trees.child(old, "spec").deepCopy();
        if (Trees.text(before, "volumeName").isEmpty()) {
            Trees.carry(before, now, "volumeName");
        }
        Map<String, String> annotations = Trees.map(claim.get("metadata"), "annotations");
        Map<String, String> had = Trees.map(old.get("metadata"), "annotations");
        String storageClass = Trees.text(now, "storageClassName");
        boolean newlyNamed = Trees.has(now, "storageClassName") && !Trees.has(before, "storageClassName");
        boolean fromAnnotation = newlyNamed
                && storageClass.equals(had.get(CLASS_ANNOTATION))
                && (!annotations.containsKey(CLASS_ANNOTATION)
                        || storageClass.equals(annotations.get(CLASS_ANNOTATION)));
        if (fromAnnotation) {
            now.remove("storageClassName");
        } else {
            String value = annotations.getOrDefault(CLASS_ANNOTATION, "");
            if (!value.equals(had.getOrDefault(CLASS_ANNOTATION, ""))) {
                errors.invalid("metadata.annotations." + CLASS_ANNOTATION, value, FieldRules.IMMUTABLE);
            }
            if (newlyNamed && (!had.containsKey(CLASS_ANNOTATION) || storageClass.equals(had.get(CLASS_ANNOTATION)))) {
                now.remove("storageClassName");
            }
        }
        boolean bound = Trees.text(Trees.child(claim, "status"), "phase").equals("Bound");
        ObjectNode requests = Trees.object(Trees.object(now, "resources"), "requests");
        if (bound) {
            if (requests != null) {
                Trees.carry(requests, Trees.at(before, "resources", "requests"), "storage");
            }
            Trees.carry(now, before, "volumeAttributesClassName");
        }
        if (!Trees.same(now, before)) {
            errors.forbidden(
                    "spec",
                    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound"
                            + " claims\n" + TreeDiff.of(before, now, "core/v1.PersistentVolumeClaimSpec"));
        }
        size(spec, old, errors);
        if (!Trees.same(spec, before, "volumeMode")) {
            errors.invalid("volumeMode", Trees.shown(spec, "volumeMode"), FieldRules.IMMUTABLE);
        }
        attributes(spec, old, errors);
    }

    /** A claim may be made smaller only while its expansion has failed: down to more than there is. */
    private static void size(JsonNode spec, ObjectNode old, FieldErrors errors) {
        JsonNode size = Trees.at(spec, "resources", "requests", "storage");
        JsonNode had = Trees.at(old, "spec", "resources", "requests", "storage");
        if (Amounts.compare(size, had) < 0
                && Amounts.compare(size, Trees.at(old, "status", "capacity", "storage")) <= 0) {
            errors.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity");
        }
    }

    private static void attributes(JsonNode spec, ObjectNode old, FieldErrors errors) {
        String field = "volumeAttributesClassName";
        if (Trees.same(spec, Trees.child(old, "spec"), field)
                || !Trees.has(Trees.child(old, "status"), "currentVolumeAttributesClassName")) {
            return;
        }
        String when = " is forbidden when status.currentVolumeAttributesClassName is not nil";
        if (!Trees.has(spec, field)) {
            errors.forbidden("spec." + field, "update to nil" + when);
        } else if (Trees.text(spec, field).isEmpty()) {
            errors.forbidden("spec." + field, "update to empty string" + when);
        }
    }

    @Override
    public void validateStatusUpdate(ObjectNode claim, ObjectNode old, FieldErrors errors, WriteContext context) {
        if (!Trees.hasContent(Trees.child(claim, "spec"), "accessModes")) {
            errors.required("Spec.accessModes", "");
        }
        JsonNode status = Trees.child(claim, "status");
        Trees.entries(status, "capacity").forEach((name, amount) -> amount(errors, "status.capacity", name, amount));
        Trees.entries(status, "allocatedResourceStatuses").forEach((name, state) -> {
            resource(errors, "status.allocatedResourceStatuses", name);
            if (!RESIZES.contains(state.asText())) {
                errors.notSupported("status.allocatedResourceStatuses", Trees.textNode(name), RESIZES);
            }
        });
        Trees.entries(status, "allocatedResources").forEach((name, amount) -> {
            String path = "status.allocatedResources";
            if (resource(errors, path, name) && amount(errors, path, name, amount)) {
                ResourceRequirements.quantity(errors, path + "[" + name + "]", "storage", amount);
            }
        });
    }

    private static boolean amount(FieldErrors errors, String path, String name, JsonNode amount) {
        if (Amounts.sign(amount) < 0) {
            errors.invalid(path + "[" + name + "]", Amounts.of(amount).toLong(), "must be a valid resource quantity");
            return false;
        }
        return true;
    }

    /** Storage, and what others have put a prefix to, may be resized. */
    private static boolean resource(FieldErrors errors, String path, String name) {
        int before = errors.list().size();
        FieldRules.invalid(errors, path, name, Names.qualified(name));
        if (errors.list().size() > before) {
            return false;
        }
        boolean own = name.indexOf('/') < 0 || name.contains("kubernetes.io/");
        if (own && !name.equals("storage")) {
            errors.notSupported(path, Trees.textNode(name), List.of("storage"));
            return false;
        }
        return true;
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }

    @Override
    public void warn(ObjectNode claim, @Nullable ObjectNode old, List<String> warnings) {
        for (String gone : List.of("volume.beta.kubernetes.io/storage-class")) {
            if (Trees.map(claim.get("metadata"), "annotations").containsKey(gone)) {
                warnings.add("metadata.annotations[" + gone
                        + "]: deprecated since v1.8; use \"storageClassName\" attribute" + " instead");
            }
        }
        PodWarnings.fractionalBytes(Trees.at(claim, "spec", "resources"), "spec.resources", warnings);
    }

    @Override
    public boolean isValidatedAsNewToo() {
        return true;
    }
}
