package io.trimtab.standalone.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.AccessOptions;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import io.trimtab.standalone.StartException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A whole server whose authorizers are named by flags, a policy file among them. */
class AuthorizationModesTest {
    private static final UserInfo JANE = UserInfo.of("jane", "devs", UserInfo.AUTHENTICATED_GROUP);
    private static final String PODS = "/api/v1/namespaces/default/pods";

    @TempDir
    Path directory;

    private ApiServerOptions options(String policies, String... modes) throws IOException {
        Path file = Files.writeString(directory.resolve("policies.jsonl"), policies);
        return ApiServerOptions.IN_MEMORY
                .withAccess(new AccessOptions(null, null, false, null, file, List.of()))
                .withAuthorizationModes(modes);
    }

    @ParameterizedTest
    @CsvSource({
        "'ABAC', 403, 200",
        "'RBAC,ABAC', 403, 200",
        "'ABAC,AlwaysAllow', 200, 200",
        "'AlwaysDeny,ABAC', 403, 200",
    })
    void givenAPolicyFile_whenUsersAsk_thenItAllowsAndTheOthersDecideTheRest(String modes, int secrets, int pods)
            throws IOException {
        String line = "{\"apiVersion\":\"abac.authorization.kubernetes.io/v1beta1\",\"kind\":\"Policy\",\"spec\":"
                + "{\"group\":\"devs\",\"namespace\":\"default\",\"resource\":\"pods\",\"readonly\":true}}\n";
        try (LockedServer server = new LockedServer(options("# pods\n" + line, modes.split(",")))) {
            assertThat(server.as(JANE, "GET", PODS, "").code()).isEqualTo(pods);
            LockedServer.Answer answer = server.as(JANE, "GET", "/api/v1/namespaces/default/secrets", "");
            assertThat(answer.code()).isEqualTo(secrets);
            if (secrets == 403) {
                assertThat(answer.message())
                        .startsWith(
                                "secrets is forbidden: User \"jane\" cannot list resource \"secrets\" in API group \"\" in"
                                        + " the namespace \"default\"")
                        .contains("No policy matched.");
            }
            assertThat(server.asAdmin("GET", PODS, "").code()).isEqualTo(200);
        }
    }

    @Test
    void givenALineThatIsNoPolicy_whenTheServerStarts_thenItSaysWhich() throws IOException {
        ApiServerOptions options = options("{\"user\":\"jane\"}\n{\"user\":1}\n", "ABAC");

        try (VirtualDriver driver = VirtualDriver.create()) {
            assertThatThrownBy(() -> ApiServerInstance.start(options, driver))
                    .isInstanceOf(StartException.class)
                    .hasMessage("invalid authorization config: error reading policy file "
                            + directory.resolve("policies.jsonl")
                            + ", line 2: {\"user\":1}: json: cannot unmarshal number into Go struct field Policy.user of type"
                            + " string");
        }
    }

    @Test
    void givenAPolicyFileWithoutItsMode_whenTheServerStarts_thenItIsRefused() throws IOException {
        ApiServerOptions options = options("", "RBAC", "Foo");

        try (VirtualDriver driver = VirtualDriver.create()) {
            assertThatThrownBy(() -> ApiServerInstance.start(options, driver))
                    .isInstanceOf(StartException.class)
                    .hasMessage("[authorization-mode \"Foo\" is not a valid mode, cannot specify"
                            + " --authorization-policy-file without mode ABAC]");
        }
    }

    @Test
    void givenAConfigurationWithPolicies_whenAUserAsksForRules_thenTheLinesAreToldToo() throws IOException {
        Path file = Files.writeString(directory.resolve("policies.jsonl"), "{\"user\":\"jane\",\"resource\":\"pods\"}");
        Path config = Files.writeString(
                directory.resolve("authz.yaml"),
                "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\n"
                        + "authorizers: [{type: ABAC, name: abac}, {type: RBAC, name: rbac}]\n");
        ApiServerOptions options =
                ApiServerOptions.IN_MEMORY.withAccess(new AccessOptions(null, null, false, config, file, List.of()));
        try (LockedServer server = new LockedServer(options)) {
            assertThat(server.as(JANE, "GET", PODS, "").code()).isEqualTo(200);
            assertThat(server.as(
                                    JANE,
                                    "POST",
                                    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                                    "{\"kind\":\"SelfSubjectRulesReview\",\"apiVersion\":\"authorization.k8s.io/v1\","
                                            + "\"spec\":{\"namespace\":\"shop\"}}")
                            .json()
                            .path("status")
                            .path("resourceRules")
                            .toString())
                    .contains("{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"pods\"]}");
        }
    }
}
