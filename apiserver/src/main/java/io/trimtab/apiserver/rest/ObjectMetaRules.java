package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.resource.Kind;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is wrong with {@code metadata}, in the words of Kubernetes (apimachinery, api/validation/objectmeta.go). Stateless. */
public final class ObjectMetaRules {
    private static final int MAX_ANNOTATION_BYTES = 256 * 1024;

    private static final Set<String> STANDARD_FINALIZERS = Set.of("orphan", "foregroundDeletion", "kubernetes");

    private ObjectMetaRules() {}

    /** All that holds for any object. */
    public static void check(ObjectNode object, boolean namespaced, Kind.NameRule rule, FieldErrors errors) {
        JsonNode metadata = object.path("metadata");
        String generateName = metadata.path("generateName").asText("");
        if (!generateName.isEmpty()) {
            for (String wrong : checkName(rule, generateName, true)) {
                errors.invalid("metadata.generateName", generateName, wrong);
            }
        }
        String name = metadata.path("name").asText("");
        if (name.isEmpty()) {
            errors.required("metadata.name", "name or generateName is required");
        } else {
            for (String wrong : checkName(rule, name, false)) {
                errors.invalid("metadata.name", name, wrong);
            }
        }
        String namespace = metadata.path("namespace").asText("");
        if (namespaced) {
            if (namespace.isEmpty()) {
                errors.required("metadata.namespace", "");
            } else {
                for (String wrong : Names.label(namespace)) {
                    errors.invalid("metadata.namespace", namespace, wrong);
                }
            }
        } else if (!namespace.isEmpty()) {
            errors.forbidden("metadata.namespace", "not allowed on this type");
        }
        if (metadata.path("generation").asLong(0) < 0) {
            errors.invalid(
                    "metadata.generation", metadata.path("generation").asLong(), "must be greater than or equal to 0");
        }
        labels(metadata.path("labels"), "metadata.labels", errors);
        annotations(metadata.path("annotations"), "metadata.annotations", errors);
        ownerReferences(metadata.path("ownerReferences"), errors);
        finalizers(metadata.path("finalizers"), errors);
        managedFields(metadata.path("managedFields"), errors);
    }

    /** All that holds between two states of an object. */
    public static void checkUpdate(ObjectNode object, ObjectNode old, FieldErrors errors) {
        JsonNode now = object.path("metadata");
        JsonNode before = old.path("metadata");
        if (before.hasNonNull("deletionTimestamp")) {
            Set<String> added = new LinkedHashSet<>(Metadata.finalizers(object));
            added.removeAll(Metadata.finalizers(old));
            if (!added.isEmpty()) {
                StringBuilder list = new StringBuilder("[]string{");
                String separator = "";
                for (String finalizer : added) {
                    list.append(separator).append(FieldErrors.quote(finalizer));
                    separator = ", ";
                }
                errors.forbidden(
                        "metadata.finalizers",
                        "no new finalizers can be added if the object is being deleted, found new finalizers "
                                + list
                                + "}");
            }
        }
        long generation = now.path("generation").asLong(0);
        if (generation < before.path("generation").asLong(0)) {
            errors.invalid("metadata.generation", generation, "must not be decremented");
        }
        for (String field : List.of("name", "namespace", "uid", "creationTimestamp")) {
            immutable(now, before, field, errors);
        }
        immutable(now, before, "deletionTimestamp", errors);
        immutable(now, before, "deletionGracePeriodSeconds", errors);
    }

    private static void immutable(JsonNode now, JsonNode before, String field, FieldErrors errors) {
        @Nullable JsonNode value = now.get(field);
        @Nullable JsonNode was = before.get(field);
        boolean same = value == null || value.isNull()
                ? was == null
                        || was.isNull()
                        || was.isTextual() && was.textValue().isEmpty()
                : value.equals(was) || was != null && value.isNumber() && value.asLong() == was.asLong();
        if (!same) {
            errors.invalid("metadata." + field, value, "field is immutable");
        }
    }

    /** What is wrong with a name; {@code prefix} if it is the start of a generated one. */
    public static List<String> checkName(Kind.NameRule rule, String name, boolean prefix) {
        String checked = prefix && rule != Kind.NameRule.PATH_SEGMENT ? Names.maskTrailingDash(name) : name;
        return switch (rule) {
            case SUBDOMAIN -> Names.subdomain(checked);
            case LABEL -> Names.label(checked);
            case LABEL_1035 -> Names.label1035(checked);
            case PATH_SEGMENT -> prefix ? Names.pathSegmentPrefix(checked) : Names.pathSegment(checked);
        };
    }

    /** Keys and values of labels. */
    public static void labels(JsonNode labels, String path, FieldErrors errors) {
        labels.fields().forEachRemaining(label -> {
            for (String wrong : Names.qualified(label.getKey())) {
                errors.invalid(path, label.getKey(), wrong);
            }
            for (String wrong : Names.labelValue(label.getValue().asText())) {
                errors.invalid(path, label.getValue().asText(), wrong);
            }
        });
    }

    /** Keys of annotations, and their size. */
    public static void annotations(JsonNode annotations, String path, FieldErrors errors) {
        long size = 0;
        for (Map.Entry<String, JsonNode> annotation : annotations.properties()) {
            String key = annotation.getKey();
            for (String wrong : Names.qualified(key.toLowerCase(Locale.ROOT))) {
                errors.invalid(path, key, wrong);
            }
            size += key.getBytes(StandardCharsets.UTF_8).length
                    + annotation.getValue().asText().getBytes(StandardCharsets.UTF_8).length;
        }
        if (size > MAX_ANNOTATION_BYTES) {
            errors.tooLong(path, MAX_ANNOTATION_BYTES);
        }
    }

    private static void ownerReferences(JsonNode references, FieldErrors errors) {
        String path = "metadata.ownerReferences";
        String controller = "";
        for (JsonNode reference : references) {
            String apiVersion = reference.path("apiVersion").asText("");
            int slash = apiVersion.indexOf('/');
            String version = slash < 0 ? apiVersion : apiVersion.substring(slash + 1);
            if (version.isEmpty()) {
                errors.invalid(path + ".apiVersion", apiVersion, "version must not be empty");
            }
            String kind = reference.path("kind").asText("");
            if (kind.isEmpty()) {
                errors.invalid(path + ".kind", kind, "must not be empty");
            }
            if (reference.path("name").asText("").isEmpty()) {
                errors.invalid(path + ".name", "", "must not be empty");
            }
            if (reference.path("uid").asText("").isEmpty()) {
                errors.invalid(path + ".uid", "", "must not be empty");
            }
            if (apiVersion.equals("v1") && kind.equals("Event")) {
                errors.invalidShown(path, show(reference), "/v1, Kind=Event is disallowed from being an owner");
            }
            if (reference.path("controller").asBoolean(false)) {
                String shown = kind + "/" + reference.path("name").asText("");
                if (controller.isEmpty()) {
                    controller = shown;
                } else {
                    errors.invalidShown(
                            path,
                            show(references),
                            "Only one reference can have Controller set to true. Found \"true\" in references for "
                                    + controller
                                    + " and "
                                    + shown);
                }
            }
        }
    }

    private static String show(JsonNode value) {
        return FieldErrors.show(value);
    }

    private static void finalizers(JsonNode finalizers, FieldErrors errors) {
        boolean orphan = false;
        boolean foreground = false;
        for (JsonNode node : finalizers) {
            String finalizer = node.asText();
            for (String wrong : Names.qualified(finalizer)) {
                errors.invalid("metadata.finalizers", finalizer, wrong);
            }
            orphan |= finalizer.equals("orphan");
            foreground |= finalizer.equals("foregroundDeletion");
        }
        if (orphan && foreground) {
            errors.invalidShown(
                    "metadata.finalizers",
                    show(finalizers),
                    "finalizer orphan and foregroundDeletion cannot be both set");
        }
    }

    /** What built-in kinds check besides: a finalizer without a prefix must be one of Kubernetes' own. */
    public static void checkStandardFinalizers(ObjectNode object, FieldErrors errors) {
        List<String> finalizers = Metadata.finalizers(object);
        for (int i = 0; i < finalizers.size(); i++) {
            String finalizer = finalizers.get(i);
            if (finalizer.indexOf('/') < 0 && !STANDARD_FINALIZERS.contains(finalizer)) {
                errors.invalid(
                        "metadata.finalizers[" + i + "]",
                        finalizer,
                        "name is neither a standard finalizer name nor is it fully qualified");
            }
        }
    }

    private static void managedFields(JsonNode entries, FieldErrors errors) {
        int i = 0;
        for (JsonNode entry : entries) {
            String path = "metadata.managedFields[" + i++ + "]";
            String operation = entry.path("operation").asText("");
            if (!operation.equals("Apply") && !operation.equals("Update")) {
                errors.invalid(path + ".operation", operation, "must be `Apply` or `Update`");
            }
            String type = entry.path("fieldsType").asText("");
            if (!type.isEmpty() && !type.equals("FieldsV1")) {
                errors.invalid(path + ".fieldsType", type, "must be `FieldsV1`");
            }
        }
    }
}
