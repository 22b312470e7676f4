package io.trimtab.apiserver.authorization;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.AuthorizerFailure;
import io.trimtab.apiserver.auth.RequestMatcher;
import io.trimtab.apiserver.cel.CelEnvironment;
import io.trimtab.apiserver.cel.CelProgram;
import io.trimtab.apiserver.cel.CelType;
import io.trimtab.apiserver.cel.IdentityExpressions;
import io.trimtab.apiserver.cel.MatchConditions;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Which requests a webhook is asked about: all conditions must be true. Immutable; safe for use by any thread. */
public final class RequestConditions implements RequestMatcher {
    private static final int MOST = 64;

    private record Condition(String text, CelProgram program) {}

    private final List<Condition> conditions;

    private RequestConditions(List<Condition> conditions) {
        this.conditions = List.copyOf(conditions);
    }

    static RequestConditions of(JsonNode list, String path, FieldErrors errors) {
        List<Condition> conditions = new ArrayList<>();
        if (list.isEmpty()) {
            return new RequestConditions(conditions);
        }
        if (list.size() > MOST) {
            errors.tooMany(path, list.size(), MOST);
            return new RequestConditions(conditions);
        }
        CelEnvironment environment = IdentityExpressions.ofRequests();
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < list.size(); i++) {
            String at = path + "[" + i + "].expression";
            String text = list.get(i).path("expression").asText("");
            if (text.isBlank()) {
                errors.required(at, "");
                continue;
            }
            if (!seen.add(text)) {
                errors.duplicate(at, FieldErrors.text(text));
                continue;
            }
            CelEnvironment.Compilation compilation = environment.compile(text);
            CelProgram program = compilation.program();
            String wrong = program == null
                    ? "compilation failed: " + compilation.issues()
                    : MatchConditions.wrongType(program, CelType.BOOL);
            if (program == null || !wrong.isEmpty()) {
                errors.invalid(at, text, wrong);
            } else {
                conditions.add(new Condition(text, program));
            }
        }
        return new RequestConditions(conditions);
    }

    @Override
    public boolean matches(ObjectNode spec) {
        if (conditions.isEmpty()) {
            return true;
        }
        Object request = IdentityExpressions.request(spec);
        List<String> problems = new ArrayList<>();
        for (Condition condition : conditions) {
            CelProgram.Outcome outcome = condition.program().evaluate(name -> name.equals("request") ? request : null);
            if (outcome.error() != null) {
                problems.add("cel evaluation error: expression '" + condition.text() + "' resulted in error: "
                        + outcome.error());
            } else if (!outcome.isTrue()) {
                return false;
            }
        }
        if (!problems.isEmpty()) {
            throw new AuthorizerFailure(
                    problems.size() == 1 ? problems.get(0) : "[" + String.join(", ", problems) + "]");
        }
        return true;
    }
}
