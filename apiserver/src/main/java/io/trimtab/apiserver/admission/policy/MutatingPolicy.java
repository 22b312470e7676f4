package io.trimtab.apiserver.admission.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.apply.ApplyConfigurations;
import io.trimtab.apiserver.cel.AdmissionExpressions;
import io.trimtab.apiserver.cel.AdmissionInput;
import io.trimtab.apiserver.cel.CelList;
import io.trimtab.apiserver.cel.CelMap;
import io.trimtab.apiserver.cel.CelObject;
import io.trimtab.apiserver.cel.Composition;
import io.trimtab.apiserver.cel.MatchConditions;
import io.trimtab.apiserver.cel.MutationTypes;
import io.trimtab.apiserver.patch.JsonPatch;
import io.trimtab.apiserver.schema.Schema;
import java.util.ArrayList;
import java.util.List;

/** A MutatingAdmissionPolicy, compiled. Immutable; safe for use by any thread. */
final class MutatingPolicy {

    /** A mutation that could not be carried out; the message says why. */
    static final class FailedException extends Exception {
        private static final long serialVersionUID = 1L;

        FailedException(String message) {
            super(message, null, false, false);
        }
    }

    private record Mutation(boolean patches, Composition.Expression expression) {}

    private final MatchConditions conditions;
    private final Composition composition;
    private final List<Mutation> mutations = new ArrayList<>();
    private final boolean reinvoked;

    MutatingPolicy(JsonNode tree) {
        JsonNode spec = tree.path("spec");
        boolean params = spec.path("paramKind").isObject();
        this.conditions = MatchConditions.compile(
                MatchConditions.read(spec.path("matchConditions")), AdmissionExpressions.environment(params, true));
        this.composition = composition(spec);
        for (JsonNode mutation : spec.path("mutations")) {
            boolean patches = mutation.path("patchType").asText("").equals("JSONPatch");
            String text = mutation.path(patches ? "jsonPatch" : "applyConfiguration")
                    .path("expression")
                    .asText("");
            mutations.add(new Mutation(
                    patches,
                    patches
                            ? composition.compileMessage(text, MutationTypes.PATCHES)
                            : composition.compileMessage(text, MutationTypes.OBJECT)));
        }
        this.reinvoked = spec.path("reinvocationPolicy").asText("").equals("IfNeeded");
    }

    /** Variables know nothing of the types that mutations make; mutations know both. */
    static Composition composition(JsonNode spec) {
        boolean params = spec.path("paramKind").isObject();
        return Composition.of(
                spec.path("variables"),
                AdmissionExpressions.environment(params, true),
                MutationTypes.environment(params));
    }

    /** Whether it wants to be asked again when the object changes after it. */
    boolean isReinvoked() {
        return reinvoked;
    }

    int size() {
        return mutations.size();
    }

    /** Whether the write is meant. */
    boolean matches(AdmissionInput input) throws FailedException {
        if (conditions.isEmpty()) {
            return true;
        }
        MatchConditions.Result matched = conditions.evaluate(input.withNamespace(null));
        if (matched.isError()) {
            throw new FailedException(matched.message());
        }
        return matched.matches();
    }

    /**
     * Carries out one mutation.
     *
     * @param object as the expression sees it; not changed
     * @return what becomes of it; the same object if nothing does
     */
    ObjectNode mutate(int index, AdmissionInput input, ObjectNode object, Schema schema) throws FailedException {
        Mutation mutation = mutations.get(index);
        Object value;
        try {
            Composition.Result result =
                    composition.session(input, AdmissionExpressions.BUDGET).evaluate(mutation.expression());
            if (result.error() != null || result.value() == null) {
                throw new FailedException(String.valueOf(result.error()));
            }
            value = result.value();
        } catch (Composition.SpentException e) {
            throw new FailedException(String.valueOf(e.getMessage()));
        }
        return mutation.patches() ? patch(value, object) : apply(value, object, schema);
    }

    private static ObjectNode apply(Object value, ObjectNode object, Schema schema) throws FailedException {
        String misplaced = MutationTypes.misplaced(value);
        if (!misplaced.isEmpty()) {
            throw new FailedException("type mismatch: " + misplaced);
        }
        if (!(toJson(value) instanceof ObjectNode configuration)) {
            throw new FailedException("unsupported return type from ApplyConfiguration expression");
        }
        configuration.set("apiVersion", object.path("apiVersion"));
        configuration.set("kind", object.path("kind"));
        try {
            return ApplyConfigurations.merge(object, configuration, schema);
        } catch (ApplyConfigurations.RefusedException e) {
            throw new FailedException("error applying patch: " + e.getMessage());
        }
    }

    private static JsonNode toJson(Object value) throws FailedException {
        try {
            return MutationTypes.toJson(value);
        } catch (IllegalArgumentException e) {
            throw new FailedException(String.valueOf(e.getMessage()));
        }
    }

    private static ObjectNode patch(Object value, ObjectNode object) throws FailedException {
        ArrayNode operations = JsonNodeFactory.instance.arrayNode();
        if (!(value instanceof CelList list)) {
            throw new FailedException("type mismatch: JSONPatchType.expression should evaluate to array");
        }
        for (Object item : list) {
            if (!(item instanceof CelMap made)) {
                throw new FailedException(
                        "type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch");
            }
            ObjectNode operation = operations.addObject();
            operation.put("op", text(made, "op"));
            operation.put("path", text(made, "path"));
            if (!text(made, "from").isEmpty()) {
                operation.put("from", text(made, "from"));
            }
            Object given = made.find("value");
            if (given != null) {
                String misplaced = given instanceof CelObject ? MutationTypes.misplaced(given) : "";
                if (!misplaced.isEmpty()) {
                    throw new FailedException("type mismatch: " + misplaced);
                }
                operation.set("value", toJson(given));
            }
        }
        try {
            return JsonPatch.apply(object, operations);
        } catch (JsonPatch.DoesNotApplyException e) {
            String why = String.valueOf(e.getMessage());
            if (why.endsWith("test failed")) {
                return object;
            }
            throw new FailedException("JSON Patch: " + why);
        }
    }

    private static String text(CelMap operation, String field) {
        return operation.find(field) instanceof String text ? text : "";
    }
}
