package io.trimtab.apiserver.cel;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.UserInfo;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class MatchConditionsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static MatchConditions.Result evaluate(String... expressions) throws IOException {
        List<MatchConditions.Condition> conditions = java.util.Arrays.stream(expressions)
                .map(e -> new MatchConditions.Condition("of " + e, e))
                .toList();
        ObjectNode object = (ObjectNode) JSON.readTree("{\"metadata\":{\"name\":\"a\"},\"spec\":{\"n\":1}}");
        ObjectNode request = (ObjectNode)
                JSON.readTree(
                        "{\"operation\":\"CREATE\",\"userInfo\":{\"username\":\"u\"},\"requestResource\":{\"group\":\"\",\"resource\":\"pods\"}}");
        Authorizer authorizer = (user, asked) -> asked.verb().equals("get")
                ? new Authorizer.Decision(Authorizer.Verdict.ALLOW, "because")
                : Authorizer.Decision.NO_OPINION;
        return MatchConditions.compile(conditions)
                .evaluate(new AdmissionInput(object, null, request, null, null, authorizer, UserInfo.of("u")));
    }

    @Test
    void givenNoConditions_whenEvaluated_thenEverythingMatches() throws IOException {
        assertThat(evaluate().matches()).isTrue();
    }

    @Test
    void givenConditionsThatHold_whenEvaluated_thenTheWriteMatches() throws IOException {
        assertThat(evaluate(
                                "object.spec.n == 1",
                                "oldObject == null",
                                "request.operation == 'CREATE' && request.userInfo.username == 'u'",
                                "authorizer.requestResource.check('get').allowed()",
                                "!authorizer.group('').resource('pods').namespace('x').check('create').allowed()",
                                "authorizer.path('/healthz').check('get').reason() == 'because'")
                        .matches())
                .isTrue();
    }

    @Test
    void givenAFalseOneAndAnError_whenEvaluated_thenTheFalseOneDecides() throws IOException {
        MatchConditions.Result result = evaluate("object.missing == 1", "object.spec.n == 2");

        assertThat(result.verdict()).isEqualTo(MatchConditions.Verdict.DOES_NOT_MATCH);
        assertThat(result.condition()).isEqualTo("of object.spec.n == 2");
    }

    @Test
    void givenAnErrorAndNoFalseOne_whenEvaluated_thenItSaysWhatFailed() throws IOException {
        MatchConditions.Result result = evaluate("object.missing == 1", "object.spec.n == 1");

        assertThat(result.isError()).isTrue();
        assertThat(result.message())
                .isEqualTo("expression 'object.missing == 1' resulted in error: no such key: missing");
    }
}
