package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import io.trimtab.apiserver.table.JsonPath;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** How objects of one version of a definition behave. Safe for use by any thread. */
final class CustomResourceKind implements Kind {
    private static final Set<String> STANDARD_FINALIZERS = Set.of("orphan", "foregroundDeletion", "kubernetes");

    private final ApiResource resource;
    private final ObjectNode schema;
    private final SchemaValidator validator;
    private final boolean hasRules;
    /** Compiled when the first object is written; guarded by this. */
    private @Nullable RuleValidator rules;

    private final boolean terminating;
    private final @Nullable Scale scale;
    private final @Nullable String deprecation;
    private final Map<String, Function<JsonNode, String>> selectable;

    /**
     * @param resource at this version
     * @param version of the definition, as its spec has it
     * @param terminating whether the definition is being deleted
     */
    CustomResourceKind(ApiResource resource, JsonNode version, boolean terminating) {
        this.resource = resource;
        this.schema = version.path("schema").get("openAPIV3Schema") instanceof ObjectNode s
                ? s.deepCopy()
                : JsonNodeFactory.instance.objectNode();
        this.validator = new SchemaValidator(schema);
        this.hasRules = schema.findValue("x-kubernetes-validations") != null;
        this.terminating = terminating;
        this.scale = scale(version.path("subresources").path("scale"));
        this.deprecation = deprecation(resource, version);
        this.selectable = selectable(version);
    }

    private static @Nullable Scale scale(JsonNode paths) {
        if (!paths.isObject()) {
            return null;
        }
        String selector = paths.path("labelSelectorPath").asText("");
        return new Scale(
                pointer(paths.path("specReplicasPath").asText()),
                pointer(paths.path("statusReplicasPath").asText()),
                object -> selector.isEmpty() ? "" : object.at(pointer(selector)).asText(""));
    }

    private static String pointer(String jsonPath) {
        return jsonPath.replace('.', '/');
    }

    private static @Nullable String deprecation(ApiResource resource, JsonNode version) {
        if (!version.path("deprecated").asBoolean()) {
            return null;
        }
        return version.path("deprecationWarning")
                .asText(resource.apiVersion() + " " + resource.kind() + " is deprecated");
    }

    private static Map<String, Function<JsonNode, String>> selectable(JsonNode version) {
        Map<String, Function<JsonNode, String>> fields = new LinkedHashMap<>();
        for (JsonNode field : version.path("selectableFields")) {
            String path = field.path("jsonPath").asText();
            JsonPath compiled = JsonPath.parse(path);
            fields.put(
                    path.startsWith(".") ? path.substring(1) : path,
                    object -> compiled.apply(object).asText(""));
        }
        return fields;
    }

    /** What the definition says of its objects; not to be changed. */
    ObjectNode schema() {
        return schema;
    }

    @Override
    public void defaults(ObjectNode object) {
        // Metadata has a type of its own, and a schema can give it no defaults.
        JsonNode metadata = object.get("metadata");
        SchemaDefaults.fill(object, schema);
        if (metadata != null) {
            object.set("metadata", metadata);
        }
    }

    @Override
    public void prepareCreate(ObjectNode object, WriteContext context) {
        if (terminating) {
            throw Statuses.forbidden(
                    resource.group(),
                    resource.plural(),
                    context.name(),
                    "create not allowed while custom resource definition is terminating");
        }
    }

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        validate(object, null, false, errors, context);
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        validate(object, old, false, errors, context);
    }

    @Override
    public void validateStatusUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        validate(object, old, true, errors, context);
    }

    /** Names of finalizers should say whose they are; a warning, for resources were made before anybody asked. */
    private static void warnOfFinalizers(ObjectNode object, @Nullable ObjectNode old, WriteContext context) {
        Set<String> added = new TreeSet<>();
        object.path("metadata").path("finalizers").forEach(f -> added.add(f.asText()));
        if (old != null) {
            old.path("metadata").path("finalizers").forEach(f -> added.remove(f.asText()));
        }
        for (String finalizer : added) {
            if (finalizer.indexOf('/') < 0 && !STANDARD_FINALIZERS.contains(finalizer)) {
                context.warnings()
                        .add("metadata.finalizers: " + FieldErrors.quote(finalizer)
                                + ": prefer a domain-qualified finalizer name"
                                + (finalizer.indexOf('.') < 0 ? "" : " including a path (/)")
                                + " to avoid accidental conflicts with other finalizer writers");
            }
        }
    }

    private void validate(
            ObjectNode object, @Nullable ObjectNode old, boolean statusOnly, FieldErrors errors, WriteContext context) {
        warnOfFinalizers(object, old, context);
        FieldErrors found = new FieldErrors();
        checkType(object, found);
        if (found.isEmpty()) {
            validator.validate(object, found);
            if (old != null && !found.isEmpty()) {
                found = Ratchet.withoutOld(found, object, old, schema);
            }
            checkScale(object, found);
        }
        // These two are not asked whether they were wrong before piece by piece: the first never, the second of the
        // whole.
        if (!statusOnly) {
            validator.validateEmbedded(object, found);
        }
        if (old == null || listsAreValid(old)) {
            validator.validateLists(object, found);
        }
        errors.addAll(found);
        if (hasRules && found.list().stream().anyMatch(e -> blocksRules(e.type()))) {
            errors.invalid(
                    "<nil>",
                    (JsonNode) null,
                    "some validation rules were not checked because the object was invalid; correct the existing errors"
                            + " to complete validation");
        } else if (hasRules) {
            RuleValidator compiled = rules();
            if (compiled != null) {
                compiled.validate("", object, old, true, errors, context.warnings());
            }
        }
    }

    private void checkType(ObjectNode object, FieldErrors errors) {
        String kind = object.path("kind").asText("");
        if (!kind.equals(resource.kind())) {
            errors.invalid("kind", kind, "must be " + resource.kind());
        }
        String apiVersion = object.path("apiVersion").asText("");
        if (!apiVersion.equals(resource.apiVersion())) {
            errors.invalid("apiVersion", apiVersion, "must be " + resource.apiVersion());
        }
    }

    private boolean listsAreValid(ObjectNode object) {
        FieldErrors found = new FieldErrors();
        validator.validateLists(object, found);
        return found.isEmpty();
    }

    private synchronized @Nullable RuleValidator rules() {
        if (rules == null) {
            rules = RuleValidator.of(schema, true);
        }
        return rules;
    }

    private static boolean blocksRules(FieldErrors.Type type) {
        return switch (type) {
            case NOT_SUPPORTED, REQUIRED, TOO_LONG, TOO_MANY, TYPE_INVALID -> true;
            case INVALID, DUPLICATE, FORBIDDEN, NOT_FOUND, INTERNAL -> false;
        };
    }

    private void checkScale(ObjectNode object, FieldErrors errors) {
        Scale paths = scale;
        if (paths == null) {
            return;
        }
        for (String pointer : new String[] {paths.specReplicas(), paths.statusReplicas()}) {
            String path = pointer.replace('/', '.');
            JsonNode replicas = object;
            String expected = "map[string]interface{}";
            for (String step : pointer.substring(1).split("/")) {
                if (!replicas.isObject()) {
                    break;
                }
                replicas = replicas.path(step);
            }
            if (replicas == object.at(pointer)) {
                expected = "int64";
            }
            if (replicas.isMissingNode() || replicas.isNull()) {
                continue;
            }
            if (!replicas.isIntegralNumber() || !expected.equals("int64")) {
                errors.invalid(
                        path,
                        0,
                        path + " accessor error: " + replicas.asText() + " is of the type " + goType(replicas)
                                + ", expected " + expected);
            } else if (replicas.asLong() < 0) {
                errors.invalid(path, replicas.asLong(), "should be a non-negative integer");
            }
        }
    }

    /** What Go calls a value of JSON in memory. */
    private static String goType(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT -> "map[string]interface {}";
            case ARRAY -> "[]interface {}";
            case BOOLEAN -> "bool";
            case NUMBER -> value.isIntegralNumber() ? "int64" : "float64";
            case STRING, BINARY, POJO -> "string";
            case NULL, MISSING -> "<nil>";
        };
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode object, ObjectNode old) {
        return Kind.super.isSpecChange(object, old)
                || !resource.hasStatus() && !Kind.sameValue(object.get("status"), old.get("status"));
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
    }

    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return selectable;
    }

    @Override
    public @Nullable Scale scale() {
        return scale;
    }

    @Override
    public @Nullable String deprecation() {
        return deprecation;
    }
}
