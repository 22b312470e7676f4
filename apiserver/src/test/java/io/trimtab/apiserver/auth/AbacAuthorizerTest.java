package io.trimtab.apiserver.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.apiserver.auth.Authorizer.Attributes;
import io.trimtab.apiserver.auth.Authorizer.Decision;
import io.trimtab.apiserver.auth.Authorizer.Verdict;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the lines of a policy file allow, and what is said of those that are none; as Kubernetes 1.34 has it. */
class AbacAuthorizerTest {
    private static final UserInfo ALICE = UserInfo.of("alice", "devs", UserInfo.AUTHENTICATED_GROUP);
    private static final UserInfo NOBODY = UserInfo.ANONYMOUS;

    private static String beta(String spec) {
        return "{\"apiVersion\":\"abac.authorization.kubernetes.io/v1beta1\",\"kind\":\"Policy\",\"spec\":" + spec
                + "}";
    }

    private static boolean allows(String line, UserInfo user, Attributes asked) {
        Decision decision = AbacAuthorizer.parse("p", line).authorize(user, asked);
        assertThat(decision)
                .isIn(new Decision(Verdict.ALLOW, ""), new Decision(Verdict.NO_OPINION, "No policy matched."));
        return decision.verdict() == Verdict.ALLOW;
    }

    private static Attributes on(String verb, String group, String resource, String namespace) {
        return Attributes.resource(verb, group, "v1", resource, "", namespace, "x");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'user':'alice','namespace':'*','resource':'*','apiGroup':'*'}  | get    | apps | deployments | shop | true",
                "{'user':'alice','namespace':'shop','resource':'pods'}           | create | ''   | pods        | shop | true",
                "{'user':'alice','namespace':'shop','resource':'pods'}           | create | ''   | pods        | bank | false",
                "{'user':'alice','namespace':'shop','resource':'pods'}           | create | apps | pods        | shop | false",
                "{'user':'alice','namespace':'shop','resource':'pods','readonly':true} | watch | '' | pods     | shop | true",
                "{'user':'alice','namespace':'shop','resource':'pods','readonly':true} | patch | '' | pods     | shop | false",
                "{'user':'alice','resource':'nodes'}                             | get    | ''   | nodes       | ''   | true",
                "{'user':'alice'}                                                | get    | ''   | pods        | shop | false",
                "{'group':'devs','namespace':'*','resource':'pods'}              | delete | ''   | pods        | shop | true",
                "{'group':'ops','user':'alice','namespace':'*','resource':'*'}   | get    | ''   | pods        | shop | false",
                "{'user':'bob','group':'devs','namespace':'*','resource':'*'}    | get    | ''   | pods        | shop | false",
                "{'user':'*','namespace':'*','resource':'*'}                     | get    | ''   | pods        | shop | true",
                "{'user':'bob','group':'*','namespace':'*','resource':'*'}       | get    | ''   | pods        | shop | true",
                "{'namespace':'*','resource':'*'}                                | get    | ''   | pods        | shop | false",
                "{'user':'alice','nonResourcePath':'*'}                          | get    | ''   | pods        | shop | false",
            })
    void givenALineOfV1beta1_whenAResourceIsAskedFor_thenEveryPartMustFit(
            String spec, String verb, String group, String resource, String namespace, boolean allowed) {
        assertThat(allows(beta(spec.replace('\'', '"')), ALICE, on(verb, group, resource, namespace)))
                .isEqualTo(allowed);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "*        | /version      | true",
                "/api     | /api          | true",
                "/api     | /api/v1       | false",
                "/api/*   | /api/v1       | true",
                "/api/*   | /api          | false",
                "/api**   | /apis/apps    | true",
                "''       | /version      | false",
            })
    void givenALineWithAPath_whenAPathIsAskedFor_thenAStarAtTheEndStandsForAnything(
            String path, String asked, boolean allowed) {
        String line = beta("{\"user\":\"alice\",\"resource\":\"*\",\"nonResourcePath\":\"" + path + "\"}");

        assertThat(allows(line, ALICE, Attributes.path("get", asked))).isEqualTo(allowed);
    }

    @Test
    void givenALineWithoutVersion_whenPartsAreLeftOut_thenTheyStandForEverything() {
        assertThat(allows("{}", ALICE, on("delete", "apps", "deployments", "shop")))
                .isTrue();
        assertThat(allows("{}", ALICE, Attributes.path("get", "/metrics"))).isTrue();
        assertThat(allows("{}", NOBODY, Attributes.path("get", "/metrics"))).isFalse();
        assertThat(allows("{\"user\":\"*\"}", NOBODY, on("get", "", "pods", "shop")))
                .isFalse();
        assertThat(allows("{\"user\":\"alice\",\"resource\":\"pods\"}", ALICE, on("get", "x.io", "pods", "any")))
                .isTrue();
        assertThat(allows("{\"user\":\"alice\",\"resource\":\"pods\"}", ALICE, Attributes.path("get", "/api")))
                .isFalse();
        assertThat(allows("{\"user\":\"alice\",\"readonly\":true}", ALICE, on("create", "", "pods", "shop")))
                .isFalse();
        assertThat(allows("user: alice", ALICE, on("create", "", "pods", "shop")))
                .as("YAML is read where a line is no JSON")
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{not json | couldn't get version/kind; json parse error: invalid character 'n' looking for beginning of"
                        + " object key string",
                "hello | couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type"
                        + " struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string"
                        + " \"json:\\\"kind,omitempty\\\"\" }",
                "{\"user\":3} | json: cannot unmarshal number into Go struct field Policy.user of type string",
                "{\"readonly\":\"yes\"} | json: cannot unmarshal string into Go struct field Policy.readonly of type bool",
                "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"} | no kind \"Pod\" is registered for version \"v1\" in scheme"
                        + " \"pkg/runtime/scheme.go:110\"",
                "{\"apiVersion\":\"abac.authorization.kubernetes.io/v1beta1\"} | converting (v1beta1.Policy) to"
                        + " (v0.Policy): unknown conversion",
                "{\"apiVersion\":\"abac.authorization.kubernetes.io/v1beta1\",\"kind\":\"Policy\",\"spec\":\"x\"} | json:"
                        + " cannot unmarshal string into Go struct field Policy.spec of type v1beta1.PolicySpec",
                "{\"apiVersion\":\"abac.authorization.kubernetes.io/v1beta1\",\"kind\":\"Policy\",\"spec\":{\"user\":3}} |"
                        + " json: cannot unmarshal number into Go struct field PolicySpec.spec.user of type string",
            })
    void givenALineThatIsNoPolicy_whenTheFileIsRead_thenItIsNamed(String line, String message) {
        assertThatThrownBy(() -> AbacAuthorizer.parse("p.jsonl", "# who may do what\n\n{\"user\":\"bob\"}\n" + line))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("error reading policy file p.jsonl, line 4: " + line + ": " + message);
    }

    @Test
    void givenLines_whenAUserAsksForRules_thenThoseOfTheNamespaceAreTold() {
        AbacAuthorizer authorizer = AbacAuthorizer.parse(
                "p",
                beta("{\"user\":\"alice\",\"namespace\":\"shop\",\"resource\":\"pods\",\"readonly\":true}") + "\n"
                        + beta("{\"group\":\"devs\",\"namespace\":\"*\",\"resource\":\"*\",\"apiGroup\":\"apps\","
                                + "\"nonResourcePath\":\"/version\"}")
                        + "\n" + beta("{\"user\":\"bob\",\"namespace\":\"*\",\"resource\":\"*\"}"));

        assertThat(authorizer.rulesFor(ALICE, "shop"))
                .isEqualTo(new RuleResolver.Rules(
                        List.of(
                                new PolicyRule(
                                        List.of("get", "list", "watch"),
                                        List.of(""),
                                        List.of("pods"),
                                        List.of(),
                                        List.of()),
                                new PolicyRule(List.of("*"), List.of("apps"), List.of("*"), List.of(), List.of())),
                        List.of(new PolicyRule(List.of("*"), List.of(), List.of(), List.of(), List.of("/version"))),
                        false,
                        ""));
        assertThat(authorizer.rulesFor(ALICE, "bank").resource()).hasSize(1);
    }
}
