package io.trimtab.apiserver.kinds.apiextensions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.WebhookClientRules;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;

/** CustomResourceDefinitions as objects; what they define is served elsewhere. Stateless. */
public final class CustomResourceDefinitionKind implements Kind {
    private static final String FINALIZER = "customresourcecleanup.apiextensions.k8s.io";
    private static final String APPROVAL = "api-approved.kubernetes.io";

    @Override
    public void defaults(ObjectNode object) {
        ObjectNode spec = Trees.object(object, "spec");
        if (spec == null) {
            return;
        }
        ObjectNode names = Trees.make(spec, "names");
        String kind = Trees.text(names, "kind");
        if (!kind.isEmpty()) {
            Trees.fill(names, "singular", kind.toLowerCase(Locale.ROOT));
            Trees.fill(names, "listKind", kind + "List");
        }
        ObjectNode conversion = Trees.make(spec, "conversion");
        Trees.fill(conversion, "strategy", "None");
        ObjectNode webhook = Trees.object(conversion, "webhook");
        ObjectNode client = webhook == null ? null : Trees.object(webhook, "clientConfig");
        ObjectNode service = client == null ? null : Trees.object(client, "service");
        if (service != null) {
            Trees.fill(service, "port", 443);
        }
    }

    @Override
    public void prepareCreate(ObjectNode object, WriteContext context) {
        ObjectNode status = object.putObject("status");
        status.putObject("acceptedNames").put("plural", "").put("kind", "");
        rememberStoredVersion(object);
    }

    @Override
    public void prepareUpdate(ObjectNode object, ObjectNode old, WriteContext context) {
        rememberStoredVersion(object);
    }

    private static void rememberStoredVersion(ObjectNode object) {
        for (JsonNode version : Trees.items(object.get("spec"), "versions")) {
            if (!Trees.flag(version, "storage")) {
                continue;
            }
            ObjectNode status = Trees.make(object, "status");
            ArrayNode stored = Trees.makeList(status, "storedVersions");
            String name = Trees.text(version, "name");
            if (!Trees.texts(status, "storedVersions").contains(name)) {
                stored.add(name);
            }
            return; // of two, which is a mistake, only the first is remembered
        }
    }

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(object, "spec");
        String name = Trees.text(object.get("metadata"), "name");
        if (!name.equals(Trees.text(Trees.child(spec, "names"), "plural") + "." + Trees.text(spec, "group"))) {
            errors.invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group");
        }
        validate(object, version -> false, errors);
        StringFormats.unknown(spec)
                .forEach(format -> context.warnings().add("unrecognized format " + FieldErrors.quote(format)));
        if (isProtected(Trees.text(spec, "group"))) {
            validateApproval(object, errors);
        }
    }

    private static void validate(ObjectNode object, Predicate<JsonNode> unchanged, FieldErrors errors) {
        JsonNode spec = Trees.child(object, "spec");
        validateSpec(spec, unchanged, errors);
        storedVersions(object, spec, errors);
        if (Trees.flag(spec, "preserveUnknownFields")) {
            errors.invalid(
                    "spec.preserveUnknownFields",
                    JsonNodeFactory.instance.booleanNode(true),
                    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in"
                            + " spec.versions[*].schema instead");
        }
    }

    private static void storedVersions(ObjectNode object, JsonNode spec, FieldErrors errors) {
        JsonNode status = Trees.child(object, "status");
        List<String> stored = Trees.texts(status, "storedVersions");
        String path = "status.storedVersions";
        if (stored.isEmpty()) {
            errors.invalid(path, Trees.shown(status, "storedVersions"), "must have at least one stored version");
        }
        Set<String> names = new HashSet<>();
        Trees.items(spec, "versions").forEach(v -> names.add(Trees.text(v, "name")));
        Set<String> found = new HashSet<>();
        for (JsonNode version : Trees.items(spec, "versions")) {
            String name = Trees.text(version, "name");
            // Of versions that have one name, only the first is found among the stored ones.
            if (Trees.flag(version, "storage") && !found.add(name)
                    || Trees.flag(version, "storage") && !stored.contains(name)) {
                errors.invalid(path, status.path("storedVersions"), "must have the storage version " + name);
            }
        }
        for (int i = 0; i < stored.size(); i++) {
            String name = stored.get(i);
            if (!names.contains(name)) {
                errors.invalid(
                        path + "[" + i + "]",
                        name,
                        "missing from spec.versions; " + name + " was previously a storage version, and must remain in"
                                + " spec.versions until a storage migration ensures no data remains persisted in "
                                + name + " and removes " + name + " from status.storedVersions");
            }
        }
    }

    private static void validateSpec(JsonNode spec, Predicate<JsonNode> unchanged, FieldErrors errors) {
        String group = Trees.text(spec, "group");
        if (group.isEmpty()) {
            errors.required("spec.group", "");
        } else if (!Names.subdomain(group).isEmpty()) {
            errors.invalid("spec.group", group, String.join(",", Names.subdomain(group)));
        } else if (group.indexOf('.') < 0) {
            errors.invalid("spec.group", group, "should be a domain with at least one dot");
        }
        choice("spec.scope", Trees.text(spec, "scope"), List.of("Cluster", "Namespaced"), errors);
        versions(spec, unchanged, errors);
        names(Trees.child(spec, "names"), errors);
        commonToVersions(spec, unchanged, errors);
        conversion(Trees.child(spec, "conversion"), errors);
    }

    private static void choice(String path, String value, List<String> allowed, FieldErrors errors) {
        if (value.isEmpty()) {
            errors.required(path, "");
        } else if (!allowed.contains(value)) {
            errors.notSupportedInOrder(path, Trees.textNode(value), allowed);
        }
    }

    private static void versions(JsonNode spec, Predicate<JsonNode> unchanged, FieldErrors errors) {
        List<JsonNode> versions = Trees.items(spec, "versions");
        int i = 0;
        for (JsonNode version : versions) {
            if (!Trees.child(version, "schema").path("openAPIV3Schema").isObject()) {
                errors.required("spec.versions[" + i + "].schema.openAPIV3Schema", "");
            }
            i++;
        }
        boolean alike = sameInAll(versions, "schema");
        boolean columnsAlike = sameInAll(versions, "additionalPrinterColumns");
        boolean selectableAlike = sameInAll(versions, "selectableFields");
        boolean subresourcesAlike = sameInAll(versions, "subresources");
        Set<String> seen = new HashSet<>();
        boolean unique = true;
        int stored = 0;
        for (i = 0; i < versions.size(); i++) {
            JsonNode version = versions.get(i);
            String path = "spec.versions[" + i + "]";
            String name = Trees.text(version, "name");
            stored += Trees.flag(version, "storage") ? 1 : 0;
            unique &= seen.add(name);
            if (!Names.label1035(name).isEmpty()) {
                errors.invalid(path + ".name", name, String.join(",", Names.label1035(name)));
            }
            String warning = Trees.text(version, "deprecationWarning");
            if (version.hasNonNull("deprecationWarning")) {
                if (!Trees.flag(version, "deprecated")) {
                    errors.invalid(path + ".deprecationWarning", warning, "can only be set for deprecated versions");
                } else if (warning.isEmpty()) {
                    errors.invalid(path + ".deprecationWarning", warning, "must not be an empty string");
                } else if (warning.length() > 256) {
                    errors.invalid(path + ".deprecationWarning", warning, "must be <= 256 characters long");
                }
            }
            if (!alike) {
                schema(path + ".schema", version, unchanged.test(version), errors);
            }
            if (!subresourcesAlike) {
                subresources(path, version, errors);
            }
            if (!columnsAlike) {
                columns(path, version, errors);
            }
            if (!selectableAlike) {
                selectable(path, version, errors);
            }
        }
        if (!unique) {
            errors.invalid(
                    "spec.versions",
                    shown(versions, alike, columnsAlike, subresourcesAlike),
                    "must contain unique version names");
        }
        if (stored != 1) {
            errors.invalid(
                    "spec.versions",
                    shown(versions, alike, columnsAlike, subresourcesAlike),
                    "must have exactly one version marked as storage version");
        }
        // The name of the first version is the version of the whole as well.
        String first = versions.isEmpty() ? "" : Trees.text(versions.get(0), "name");
        if (!first.isEmpty() && !Names.label1035(first).isEmpty()) {
            errors.invalid("spec.version", first, String.join(",", Names.label1035(first)));
        }
    }

    /** What all versions say is kept once for all by Kubernetes, and errors name that place. */
    private static void commonToVersions(JsonNode spec, Predicate<JsonNode> unchanged, FieldErrors errors) {
        List<JsonNode> versions = Trees.items(spec, "versions");
        if (versions.isEmpty()) {
            return;
        }
        JsonNode first = versions.get(0);
        if (sameInAll(versions, "schema")) {
            schema("spec.validation", first, unchanged.test(first), errors);
        }
        if (sameInAll(versions, "subresources")) {
            subresources("spec", first, errors);
        }
        if (sameInAll(versions, "additionalPrinterColumns")) {
            columns("spec", first, errors);
        }
        if (sameInAll(versions, "selectableFields")) {
            selectable("spec", first, errors);
        }
    }

    private static void schema(String path, JsonNode version, boolean unchanged, FieldErrors errors) {
        JsonNode schema = Trees.child(version, "schema").path("openAPIV3Schema");
        if (!schema.isObject()) {
            return;
        }
        String at = path + ".openAPIV3Schema";
        String type = Trees.text(schema, "type");
        if (!type.isEmpty()
                && !type.equals("object")
                && Trees.child(version, "subresources").has("status")) {
            errors.invalid(
                    at + ".type",
                    type,
                    "only \"object\" is allowed as the type at the root of the schema if the status subresource is"
                            + " enabled");
        } else if (Trees.child(version, "subresources").has("status") && !SchemaRules.isFitForStatus(schema)) {
            errors.invalid(
                    at,
                    schema,
                    "only " + SchemaRules.FIT_FOR_STATUS
                            + " fields are allowed at the root of the schema if the status subresource is enabled");
        }
        SchemaRules.check(at, schema, unchanged, errors);
    }

    private static void subresources(String path, JsonNode version, FieldErrors errors) {
        VersionRules.scale(
                path + ".subresources.scale",
                Trees.child(version, "subresources").path("scale"),
                errors);
    }

    private static void columns(String path, JsonNode version, FieldErrors errors) {
        VersionRules.columns(
                path + ".additionalPrinterColumns", Trees.items(version, "additionalPrinterColumns"), errors);
    }

    private static void selectable(String path, JsonNode version, FieldErrors errors) {
        VersionRules.selectable(
                path + ".selectableFields",
                Trees.items(version, "selectableFields"),
                Trees.child(version, "schema").path("openAPIV3Schema"),
                errors);
    }

    private static boolean sameInAll(List<JsonNode> versions, String field) {
        for (JsonNode version : versions) {
            if (!Trees.same(version, versions.get(0), field)) {
                return false;
            }
        }
        return true;
    }

    /** Versions as Kubernetes keeps them in memory, which is what its messages show. */
    private static JsonNode shown(
            List<JsonNode> versions, boolean alike, boolean columnsAlike, boolean subresourcesAlike) {
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        for (JsonNode version : versions) {
            ObjectNode one = list.addObject();
            one.put("Name", Trees.text(version, "name"));
            one.put("Served", Trees.flag(version, "served"));
            one.put("Storage", Trees.flag(version, "storage"));
            one.put("Deprecated", Trees.flag(version, "deprecated"));
            one.set("DeprecationWarning", version.get("deprecationWarning"));
            one.set("Schema", alike ? null : version.get("schema"));
            one.set("Subresources", subresourcesAlike ? null : version.get("subresources"));
            one.set("AdditionalPrinterColumns", columnsAlike ? null : version.get("additionalPrinterColumns"));
            one.set("SelectableFields", version.get("selectableFields"));
        }
        return list;
    }

    private static void names(JsonNode names, FieldErrors errors) {
        for (String field : List.of("plural", "singular", "kind", "listKind")) {
            if (Trees.text(names, field).isEmpty()) {
                errors.required("spec.names." + field, "");
            }
        }
        for (String field : List.of("plural", "singular")) {
            label("spec.names." + field, Trees.text(names, field), errors);
        }
        for (String field : List.of("kind", "listKind")) {
            String name = Trees.text(names, field);
            List<String> wrong = Names.label1035(name.toLowerCase(Locale.ROOT));
            if (!name.isEmpty() && !wrong.isEmpty()) {
                errors.invalid(
                        "spec.names." + field,
                        name,
                        "may have mixed case, but should otherwise match: " + String.join(",", wrong));
            }
        }
        list("spec.names.shortNames", Trees.texts(names, "shortNames"), errors);
        String kind = Trees.text(names, "kind");
        if (!kind.isEmpty() && kind.equals(Trees.text(names, "listKind"))) {
            errors.invalid("spec.names.listKind", kind, "kind and listKind may not be the same");
        }
        list("spec.names.categories", Trees.texts(names, "categories"), errors);
    }

    private static void list(String path, List<String> values, FieldErrors errors) {
        for (int i = 0; i < values.size(); i++) {
            List<String> wrong = Names.label1035(values.get(i));
            if (!wrong.isEmpty()) {
                errors.invalid(path + "[" + i + "]", values.get(i), String.join(",", wrong));
            }
        }
    }

    private static void label(String path, String value, FieldErrors errors) {
        List<String> wrong = Names.label1035(value);
        if (!value.isEmpty() && !wrong.isEmpty()) {
            errors.invalid(path, value, String.join(",", wrong));
        }
    }

    private static void conversion(JsonNode conversion, FieldErrors errors) {
        String strategy = Trees.text(conversion, "strategy");
        choice("spec.conversion.strategy", strategy, List.of("None", "Webhook"), errors);
        JsonNode webhook = Trees.child(conversion, "webhook");
        JsonNode client = Trees.child(webhook, "clientConfig");
        List<String> reviews = Trees.texts(webhook, "conversionReviewVersions");
        if (strategy.equals("Webhook")) {
            if (!client.isObject()) {
                errors.required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook");
            } else if (client.hasNonNull("url") == client.hasNonNull("service")) {
                errors.required("spec.conversion.webhookClientConfig", "exactly one of url or service is required");
            } else if (client.hasNonNull("url")) {
                WebhookClientRules.url(errors, "spec.conversion.webhookClientConfig.url", Trees.text(client, "url"));
            } else {
                // Kubernetes takes the one for the other here, name and namespace.
                JsonNode service = client.get("service");
                WebhookClientRules.service(
                        errors,
                        "spec.conversion.webhookClientConfig.service",
                        Trees.text(service, "name"),
                        Trees.text(service, "namespace"),
                        service);
            }
            if (reviews.isEmpty()) {
                errors.required("spec.conversion.conversionReviewVersions", "");
            } else if (!reviews.contains("v1") && !reviews.contains("v1beta1")) {
                errors.invalid(
                        "spec.conversion.conversionReviewVersions",
                        Trees.shown(webhook, "conversionReviewVersions"),
                        "must include at least one of v1, v1beta1");
            }
        } else {
            if (client.isObject()) {
                errors.forbidden(
                        "spec.conversion.webhookClientConfig", "should not be set when strategy is not set to Webhook");
            }
            if (!reviews.isEmpty()) {
                errors.forbidden(
                        "spec.conversion.conversionReviewVersions",
                        "should not be set when strategy is not set to Webhook");
            }
        }
    }

    private static boolean isProtected(String group) {
        return group.equals("k8s.io")
                || group.equals("kubernetes.io")
                || group.endsWith(".k8s.io")
                || group.endsWith(".kubernetes.io");
    }

    private static void validateApproval(ObjectNode object, FieldErrors errors) {
        String annotation = Trees.text(Trees.child(object.get("metadata"), "annotations"), APPROVAL);
        String path = "metadata.annotations[" + APPROVAL + "]";
        if (annotation.isEmpty()) {
            errors.required(
                    path,
                    "protected groups must have approval annotation \"" + APPROVAL
                            + "\", see https://github.com/kubernetes/enhancements/pull/1111");
        } else if (!annotation.startsWith("unapproved") && !annotation.startsWith("https://")) {
            errors.invalid(
                    path,
                    annotation,
                    "protected groups must have approval annotation \"" + APPROVAL
                            + "\" with either a URL or a reason starting with \"unapproved\", see"
                            + " https://github.com/kubernetes/enhancements/pull/1111");
        }
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(object, "spec");
        JsonNode before = Trees.child(old, "spec");
        validate(object, version -> isAsBefore(version, before), errors);
        List<String> known = StringFormats.unknown(before);
        StringFormats.unknown(spec).stream()
                .filter(format -> !known.contains(format))
                .forEach(format -> context.warnings().add("unrecognized format " + FieldErrors.quote(format)));
        if (isEstablished(old)) {
            FieldRules.immutable(errors, "spec", spec, before, "scope");
            FieldRules.immutable(
                    errors, "spec.names", Trees.child(spec, "names"), Trees.child(before, "names"), "kind");
        }
        FieldRules.immutable(errors, "spec", spec, before, "group");
        FieldRules.immutable(errors, "spec.names", Trees.child(spec, "names"), Trees.child(before, "names"), "plural");
    }

    /** Whether a version had this schema before: what was accepted stays acceptable. */
    private static boolean isAsBefore(JsonNode version, JsonNode before) {
        for (JsonNode old : Trees.items(before, "versions")) {
            if (Trees.text(old, "name").equals(Trees.text(version, "name"))) {
                return Trees.same(old, version, "schema");
            }
        }
        return false;
    }

    private static boolean isEstablished(JsonNode object) {
        for (JsonNode condition : Trees.items(object.get("status"), "conditions")) {
            if (Trees.text(condition, "type").equals("Established")) {
                return Trees.text(condition, "status").equals("True");
            }
        }
        return false;
    }

    /** The objects go first, so the first delete only marks the definition, and keeps it until they are gone. */
    @Override
    public boolean marksDeletion(ObjectNode object, String now) {
        ObjectNode metadata = Trees.make(object, "metadata");
        metadata.put("deletionTimestamp", now);
        ArrayNode finalizers = Trees.makeList(metadata, "finalizers");
        if (!Trees.texts(metadata, "finalizers").contains(FINALIZER)) {
            finalizers.add(FINALIZER);
        }
        Trees.makeList(Trees.make(object, "status"), "conditions")
                .addObject()
                .put("type", "Terminating")
                .put("status", "True")
                .put("lastTransitionTime", now)
                .put("reason", "InstanceDeletionPending")
                .put(
                        "message",
                        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon");
        return true;
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
    }
}
