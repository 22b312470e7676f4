package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.cel.AdmissionExpressions;
import io.trimtab.apiserver.cel.CelProgram;
import io.trimtab.apiserver.cel.DeclType;
import io.trimtab.apiserver.cel.ExpressionRule;
import io.trimtab.apiserver.cel.SchemaTypes;
import io.trimtab.apiserver.cel.Values;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.resource.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The rules in a schema, compiled, as a tree beside it: only nodes with rules at or below them. Immutable; safe for use by any
 * thread.
 */
final class RuleValidator {
    private static final int MAX_MESSAGE = 5 * 1024;

    private final JsonNode schema;
    private final DeclType type;
    private final String typeName;
    private final List<ExpressionRule> rules;
    private final @Nullable RuleValidator items;
    private final @Nullable RuleValidator values;
    private final Map<String, RuleValidator> properties;

    private RuleValidator(
            JsonNode schema,
            DeclType type,
            List<ExpressionRule> rules,
            @Nullable RuleValidator items,
            @Nullable RuleValidator values,
            Map<String, RuleValidator> properties) {
        this.schema = schema;
        this.type = type;
        this.typeName = schema.path("type").asText("");
        this.rules = rules;
        this.items = items;
        this.values = values;
        this.properties = properties;
    }

    /** Of a schema; null if it has no rules that could be evaluated. */
    static @Nullable RuleValidator of(JsonNode schema, boolean root) {
        return schema.findValue("x-kubernetes-validations") == null ? null : of(schema, SchemaTypes.of(schema, root));
    }

    private static @Nullable RuleValidator of(JsonNode schema, @Nullable DeclType type) {
        if (type == null) {
            return null;
        }
        List<ExpressionRule> rules =
                schema.path("x-kubernetes-validations").isEmpty() ? List.of() : ExpressionRule.compile(schema, type);
        RuleValidator items = schema.get("items") instanceof ObjectNode i ? of(i, type.element()) : null;
        RuleValidator values =
                schema.get("additionalProperties") instanceof ObjectNode v ? of(v, type.element()) : null;
        Map<String, RuleValidator> properties = new LinkedHashMap<>();
        schema.path("properties").fields().forEachRemaining(property -> {
            JsonNode declared = property.getValue();
            DeclType of = type.property(property.getKey());
            if (of == null && io.trimtab.apiserver.cel.Escaping.escape(property.getKey()) == null) {
                of = SchemaTypes.of(
                        declared,
                        declared.path("x-kubernetes-embedded-resource").asBoolean());
            }
            RuleValidator below = of(declared, of);
            if (below != null) {
                properties.put(property.getKey(), below);
            }
        });
        return rules.isEmpty() && items == null && values == null && properties.isEmpty()
                ? null
                : new RuleValidator(schema, type, rules, items, values, properties);
    }

    /**
     * Where a value stands to the one it replaces.
     *
     * @param old what it replaces, if that is known; null if not
     * @param parent of the nearest value around this one that replaces a known one
     */
    private record Correlation(
            boolean known,
            @Nullable JsonNode now,
            @Nullable JsonNode old,
            @Nullable Correlation parent) {
        static final Correlation NONE = new Correlation(false, null, null, null);

        boolean isUnchanged() {
            if (known) {
                return now != null && old != null && Kind.sameValue(now, old);
            }
            return parent != null && parent.isUnchanged();
        }

        Correlation below(@Nullable JsonNode value, @Nullable JsonNode replaced) {
            return known ? new Correlation(replaced != null, value, replaced, this) : this;
        }
    }

    /** One run over one object. */
    private static final class Run {
        final FieldErrors errors;
        final List<String> warnings;
        long budget = AdmissionExpressions.BUDGET;
        boolean spent;

        Run(FieldErrors errors, List<String> warnings) {
            this.errors = errors;
            this.warnings = warnings;
        }
    }

    /**
     * Evaluates all rules that apply.
     *
     * @param path of the value; empty for a whole object
     * @param old what the value replaces; null if it is new
     * @param ratchets whether what was wrong before and has not changed is only worth a warning
     * @param warnings for that
     */
    void validate(
            String path,
            JsonNode value,
            @Nullable JsonNode old,
            boolean ratchets,
            FieldErrors errors,
            List<String> warnings) {
        Correlation correlation = ratchets && old != null ? new Correlation(true, value, old, null) : Correlation.NONE;
        validate(path, value, old, correlation, new Run(errors, warnings));
    }

    private void validate(
            String path, @Nullable JsonNode value, @Nullable JsonNode old, Correlation correlation, Run run) {
        if (value == null || value.isNull() || run.spent) {
            return;
        }
        evaluate(path, value, old == null || old.isNull() ? null : old, correlation, run);
        if (run.spent) {
            return;
        }
        if (value.isArray()) {
            RuleValidator each = items;
            if (each != null) {
                MapItems before = new MapItems(schema, old);
                for (int i = 0; i < value.size() && !run.spent; i++) {
                    JsonNode item = value.get(i);
                    JsonNode replaced = before.find(item);
                    each.validate(path + "[" + i + "]", item, replaced, correlation.below(item, replaced), run);
                }
            }
        } else if (value instanceof ObjectNode object) {
            fields(path, object, old, correlation, run);
        }
    }

    private void fields(String path, ObjectNode object, @Nullable JsonNode old, Correlation correlation, Run run) {
        Map<String, JsonNode> sorted = new TreeMap<>();
        object.fields().forEachRemaining(field -> sorted.put(field.getKey(), field.getValue()));
        for (Map.Entry<String, JsonNode> field : sorted.entrySet()) {
            String name = field.getKey();
            RuleValidator below = values != null ? values : properties.get(name);
            if (below == null) {
                continue;
            }
            JsonNode replaced = old instanceof ObjectNode o ? o.get(name) : null;
            // Type and version are the same for both, whatever they were written as.
            boolean isType = correlation.parent() == null && (name.equals("apiVersion") || name.equals("kind"));
            Correlation next = isType ? Correlation.NONE : correlation.below(field.getValue(), replaced);
            String at = values != null ? path + "[" + name + "]" : path.isEmpty() ? name : path + "." + name;
            below.validate(at, field.getValue(), replaced, next, run);
            if (run.spent) {
                return;
            }
        }
    }

    private void evaluate(String path, JsonNode value, @Nullable JsonNode old, Correlation correlation, Run run) {
        if (rules.isEmpty()) {
            return;
        }
        String shownPath = path.isEmpty() ? "<nil>" : path;
        if (run.budget <= 0) {
            outOfBudget(shownPath, run);
            return;
        }
        Object self = null;
        Object oldSelf = null;
        for (ExpressionRule rule : rules) {
            CelProgram program = rule.program();
            if (rule.error() != null) {
                run.errors.invalid(shownPath, typeName, "rule compile error: " + rule.error());
                continue;
            }
            boolean optional = rule.hasOptionalOldSelf();
            if (program == null || rule.usesOldSelf() && old == null && !optional) {
                continue;
            }
            Function<String, @Nullable Object> variables;
            try {
                self = self == null ? Values.of(value, type) : self;
                oldSelf = oldSelf == null && old != null ? Values.of(old, type) : oldSelf;
                Object before = optional ? Values.optional(oldSelf) : oldSelf;
                Object now = self;
                variables = name -> name.equals("self") ? now : name.equals("oldSelf") ? before : null;
            } catch (RuntimeException e) {
                run.errors.invalid(shownPath, typeName, e.getMessage() + " evaluating rule: " + rule.shown());
                continue;
            }
            CelProgram.Outcome outcome = program.evaluate(variables);
            if (outcome.cost() > run.budget) {
                outOfBudget(shownPath, run);
                return;
            }
            run.budget -= outcome.cost();
            String error = outcome.error();
            if (error != null) {
                failed(shownPath, rule, outcome, error, run);
                if (run.spent) {
                    return;
                }
            } else if (!outcome.isTrue()) {
                broken(path, rule, variables, correlation, run);
                if (run.spent) {
                    return;
                }
            }
        }
    }

    private void outOfBudget(String path, Run run) {
        run.errors.invalid(path, typeName, AdmissionExpressions.OUT_OF_BUDGET);
        run.spent = true;
    }

    private void failed(String path, ExpressionRule rule, CelProgram.Outcome outcome, String error, Run run) {
        if (error.startsWith("no such overload")) {
            run.errors.invalid(
                    path,
                    typeName,
                    "'" + error
                            + "': call arguments did not match a supported operator, function or macro signature for"
                            + " rule: " + rule.shown());
        } else if (outcome.isTooExpensive()) {
            run.errors.invalid(
                    path,
                    typeName,
                    "'" + error + "': no further validation rules will be run due to call cost exceeds limit for rule: "
                            + rule.shown());
            run.spent = true;
        } else {
            run.errors.invalid(path, typeName, error + " evaluating rule: " + rule.shown());
        }
    }

    private void broken(
            String path,
            ExpressionRule rule,
            Function<String, @Nullable Object> variables,
            Correlation correlation,
            Run run) {
        String at = rule.fieldPath().isEmpty()
                ? path
                : path.isEmpty()
                        ? rule.fieldPath()
                        : path + (rule.fieldPath().startsWith("[") ? "" : ".") + rule.fieldPath();
        String shownPath = at.isEmpty() ? "<nil>" : at;
        String detail = rule.message();
        boolean plain = false;
        CelProgram message = rule.messageProgram();
        if (message != null) {
            CelProgram.Outcome made = message.evaluate(variables);
            if (made.cost() > run.budget) {
                detail = "messageExpression evaluation failed due to running out of cost budget, no further validation"
                        + " rules will be run";
                plain = true;
                run.spent = true;
            } else if (made.isTooExpensive()) {
                detail =
                        "no further validation rules will be run due to call cost exceeds limit for messageExpression: "
                                + FieldErrors.quote(
                                        rule.source().path("messageExpression").asText());
                plain = true;
                run.spent = true;
            } else {
                run.budget -= made.cost();
                String text = made.value() instanceof String s ? s.strip() : "";
                boolean usable = !text.isEmpty()
                        && text.indexOf('\n') < 0
                        && text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length <= MAX_MESSAGE;
                detail = usable ? text : detail;
            }
        }
        FieldErrors one = new FieldErrors();
        String reason = plain ? "" : rule.source().path("reason").asText("");
        switch (reason) {
            case "FieldValueForbidden" -> one.forbidden(shownPath, detail);
            case "FieldValueRequired" -> one.required(shownPath, detail);
            case "FieldValueDuplicate" -> one.duplicate(shownPath, FieldErrors.text(typeName));
            default -> one.invalid(shownPath, typeName, detail);
        }
        if (!rule.usesOldSelf() && correlation.isUnchanged()) {
            one.list().forEach(error -> run.warnings.add(error.message()));
        } else {
            run.errors.addAll(one);
        }
    }

    /** The items of a list before the change, by their keys; of lists without keys nothing is known. */
    private static final class MapItems {
        private final List<String> keys = new ArrayList<>();
        private final Map<String, JsonNode> byKey = new LinkedHashMap<>();
        private final JsonNode itemSchema;

        MapItems(JsonNode schema, @Nullable JsonNode old) {
            itemSchema = schema.path("items");
            if (old == null
                    || !old.isArray()
                    || !schema.path("x-kubernetes-list-type").asText("").equals("map")) {
                return;
            }
            schema.path("x-kubernetes-list-map-keys").forEach(key -> keys.add(key.asText()));
            for (JsonNode item : old) {
                byKey.putIfAbsent(keyOf(item), item);
            }
        }

        private String keyOf(JsonNode item) {
            StringBuilder key = new StringBuilder();
            for (String name : keys) {
                JsonNode part = item.get(name);
                if (part == null) {
                    part = itemSchema.path("properties").path(name).path("default");
                }
                key.append(part.getNodeType()).append(part).append('\n');
            }
            return key.toString();
        }

        @Nullable
        JsonNode find(JsonNode item) {
            return keys.isEmpty() ? null : byKey.get(keyOf(item));
        }
    }
}
