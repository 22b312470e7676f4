package io.trimtab.apiserver.admission.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.cel.AdmissionExpressions;
import io.trimtab.apiserver.cel.AdmissionInput;
import io.trimtab.apiserver.cel.CelNull;
import io.trimtab.apiserver.cel.CelType;
import io.trimtab.apiserver.cel.Composition;
import io.trimtab.apiserver.cel.MatchConditions;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A ValidatingAdmissionPolicy, compiled. Immutable; safe for use by any thread. */
final class ValidatingPolicy {
    private static final int MAX_MESSAGE = 5 * 1024;

    private record Validation(
            Composition.Expression expression,
            Composition.@Nullable Expression messageExpression,
            String message,
            String reason) {}

    private record Annotation(String key, Composition.Expression value) {}

    /**
     * A refusal.
     *
     * @param index of the validation
     * @param reason of the status; empty for Invalid
     */
    record Refusal(int index, String message, String reason) {}

    /** What came of judging a write: refusals, and notes for the audit. */
    static final class Judgement {
        final List<Refusal> refusals = new ArrayList<>();
        final List<String> keys = new ArrayList<>();
        final List<String> values = new ArrayList<>();
        /** Refusals, whatever the binding's actions are. */
        final List<String> errors = new ArrayList<>();
    }

    private final boolean failsOpen;
    private final Composition composition;
    private final MatchConditions conditions;
    private final List<Validation> validations = new ArrayList<>();
    private final List<Annotation> annotations = new ArrayList<>();

    ValidatingPolicy(JsonNode tree) {
        JsonNode spec = tree.path("spec");
        boolean params = spec.path("paramKind").isObject();
        this.failsOpen = spec.path("failurePolicy").asText("Fail").equals("Ignore");
        this.composition = Composition.of(spec.path("variables"), params);
        this.conditions = MatchConditions.compile(
                MatchConditions.read(spec.path("matchConditions")), AdmissionExpressions.environment(params, true));
        for (JsonNode validation : spec.path("validations")) {
            String message = validation.path("messageExpression").asText("");
            validations.add(new Validation(
                    composition.compile(validation.path("expression").asText(""), CelType.BOOL),
                    message.isEmpty() ? null : composition.compileMessage(message, CelType.STRING),
                    validation.path("message").asText(""),
                    validation.path("reason").asText("")));
        }
        for (JsonNode annotation : spec.path("auditAnnotations")) {
            annotations.add(new Annotation(
                    annotation.path("key").asText(""),
                    composition.compile(
                            annotation.path("valueExpression").asText("").strip(), CelType.STRING, CelType.NULL)));
        }
    }

    Judgement judge(AdmissionInput input) {
        Judgement judgement = new Judgement();
        if (!conditions.isEmpty()) {
            MatchConditions.Result matched = conditions.evaluate(input.withNamespace(null));
            if (matched.isError()) {
                fail(judgement, 0, matched.message());
                return judgement;
            }
            if (!matched.matches()) {
                return judgement;
            }
        }
        Composition.Session session = composition.session(input, AdmissionExpressions.BUDGET);
        List<Composition.Result> results = new ArrayList<>();
        try {
            for (Validation validation : validations) {
                results.add(session.evaluate(validation.expression()));
            }
        } catch (Composition.SpentException e) {
            fail(judgement, 0, String.valueOf(e.getMessage()));
            return judgement;
        }
        refuse(judgement, input, results, session.budget());
        annotate(judgement, input);
        return judgement;
    }

    private void fail(Judgement judgement, int index, String message) {
        if (!failsOpen) {
            judgement.refusals.add(new Refusal(index, message, ""));
        }
    }

    private void refuse(Judgement judgement, AdmissionInput input, List<Composition.Result> results, long budget) {
        Composition.Session messages = null;
        String spent = "";
        for (int i = 0; i < results.size(); i++) {
            Composition.Result result = results.get(i);
            Validation validation = validations.get(i);
            if (result.error() != null) {
                fail(judgement, i, result.error());
                continue;
            }
            if (result.isTrue()) {
                continue;
            }
            String message = "";
            Composition.Expression expression = validation.messageExpression();
            if (expression != null && spent.isEmpty()) {
                messages = messages == null ? composition.session(input, budget) : messages;
                try {
                    message = message(messages.evaluate(expression));
                } catch (Composition.SpentException e) {
                    spent = "failed messageExpression: " + e.getMessage();
                }
            }
            if (!spent.isEmpty()) {
                fail(judgement, i, spent);
                continue;
            }
            if (message.isEmpty()) {
                message = validation.message().strip();
            }
            if (message.isEmpty()) {
                message = "failed expression: " + validation.expression().text().strip();
            }
            judgement.refusals.add(new Refusal(i, message, validation.reason()));
        }
    }

    private static String message(Composition.Result result) {
        String text = result.value() instanceof String s ? s.strip() : "";
        return text.getBytes(StandardCharsets.UTF_8).length > MAX_MESSAGE || text.indexOf('\n') >= 0 ? "" : text;
    }

    private void annotate(Judgement judgement, AdmissionInput input) {
        if (annotations.isEmpty()) {
            return;
        }
        Composition.Session session = composition.session(input, AdmissionExpressions.BUDGET);
        for (Annotation annotation : annotations) {
            Composition.Result result;
            try {
                result = session.evaluate(annotation.value());
            } catch (Composition.SpentException e) {
                judgement.refusals.clear();
                fail(judgement, 0, String.valueOf(e.getMessage()));
                return;
            }
            Object value = result.value();
            if (result.error() != null) {
                if (!failsOpen) {
                    judgement.errors.add(result.error());
                }
            } else if (value instanceof String text) {
                if (!text.isBlank()) {
                    judgement.keys.add(annotation.key());
                    judgement.values.add(text.strip());
                }
            } else if (!(value instanceof CelNull)) {
                judgement.errors.add("valueExpression '" + annotation.value().text()
                        + "' resulted in unsupported return type. Return type must be either string or null.");
            }
        }
    }
}
