package io.trimtab.standalone.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.callout.CalloutException;
import io.trimtab.apiserver.callout.CalloutTransport.Reply;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.AccessOptions;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import io.trimtab.standalone.StartException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A whole server whose authorizers stand in a file: who is asked, in which order, and what failures mean. */
class AuthorizationConfigTest {
    private static final String HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\n";
    private static final UserInfo JANE = UserInfo.of("jane", "devs", UserInfo.AUTHENTICATED_GROUP);

    @TempDir
    Path directory;

    private final List<JsonNode> asked = new ArrayList<>();
    private String answer = "{\"allowed\":true,\"reason\":\"by the hook\"}";

    @BeforeEach
    void kubeconfig() throws IOException {
        Files.writeString(directory.resolve("hook.kubeconfig"), """
                apiVersion: v1
                kind: Config
                clusters: [{name: c, cluster: {server: 'https://hook.example/authorize'}}]
                users: [{name: u, user: {}}]
                contexts: [{name: x, context: {cluster: c, user: u}}]
                current-context: x
                """);
    }

    private String webhook(String policy, String conditions) {
        return """
            - type: Webhook
              name: hook.example
              webhook:
                timeout: 3s
                authorizedTTL: 1m
                unauthorizedTTL: 10s
                failurePolicy: %s
                subjectAccessReviewVersion: v1
                matchConditionSubjectAccessReviewVersion: v1
                connectionInfo: {type: KubeConfigFile, kubeConfigFile: '%s'}
                matchConditions: %s
            """.formatted(policy, directory.resolve("hook.kubeconfig"), conditions);
    }

    private static final String RBAC = "- {type: RBAC, name: rbac}\n";

    private Path write(String authorizers) {
        try {
            return Files.writeString(directory.resolve("authz.yaml"), HEAD + "authorizers:\n" + authorizers);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private LockedServer start(String authorizers) {
        LockedServer server = new LockedServer(new AccessOptions(null, null, false, write(authorizers)));
        server.instance.callouts().register("hook.example", request -> {
            if (answer.isEmpty()) {
                throw new CalloutException("dial tcp: connection refused");
            }
            ObjectNode review = (ObjectNode) LockedServer.read(new String(request.body(), StandardCharsets.UTF_8));
            asked.add(review.path("spec").deepCopy());
            review.set("status", LockedServer.read(answer));
            return new Reply(200, Map.of(), review.toString().getBytes(StandardCharsets.UTF_8));
        });
        return server;
    }

    @Test
    void givenConditions_whenRequestsCome_thenTheHookIsAskedAboutThoseOnly() {
        String conditions = "[{expression: 'has(request.resourceAttributes)'},"
                + " {expression: 'request.resourceAttributes.namespace == \"shop\"'},"
                + " {expression: '!(\"system:nodes\" in request.groups)'}]";
        try (LockedServer server = start(webhook("Deny", conditions) + RBAC)) {
            assertThat(server.as(JANE, "GET", "/api/v1/namespaces/shop/pods", "")
                            .code())
                    .isEqualTo(200);
            assertThat(asked).hasSize(1);
            assertThat(asked.get(0).path("resourceAttributes").path("resource").asText())
                    .isEqualTo("pods");
            assertThat(server.as(JANE, "GET", "/api/v1/namespaces/shop/pods", "")
                            .code())
                    .isEqualTo(200);
            assertThat(asked).as("a yes holds").hasSize(1);

            assertThat(server.as(JANE, "GET", "/api/v1/namespaces/bank/pods", "")
                            .code())
                    .isEqualTo(403);
            assertThat(server.as(JANE, "GET", "/metrics", "").code()).isEqualTo(403);
            assertThat(server.as(UserInfo.of("n", "system:nodes"), "GET", "/api/v1/namespaces/shop/pods", "")
                            .code())
                    .isEqualTo(403);
            assertThat(asked).hasSize(1);

            server.driver.advance(Duration.ofSeconds(61));
            answer = "{\"allowed\":false,\"denied\":true,\"reason\":\"closed\"}";
            LockedServer.Answer refused = server.as(JANE, "GET", "/api/v1/namespaces/shop/pods", "");
            assertThat(refused.code()).isEqualTo(403);
            assertThat(refused.message()).contains("closed");
        }
    }

    @Test
    void givenAHookThatIsGone_whenFailuresAreANo_thenNobodyElseIsAsked() {
        answer = "";
        try (LockedServer server = start(webhook("Deny", "[]") + "- {type: AlwaysAllow, name: alwaysallow}\n")) {
            assertThat(server.as(JANE, "GET", "/api/v1/namespaces/shop/pods", "")
                            .code())
                    .isEqualTo(500);
            JsonNode review = server.asAdmin(
                            "POST",
                            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                            "{\"spec\":{\"user\":\"jane\",\"resourceAttributes\":{\"verb\":\"get\",\"resource\":\"pods\"}}}")
                    .json()
                    .path("status");
            assertThat(review.path("allowed").asBoolean()).isFalse();
            assertThat(review.path("denied").asBoolean()).isTrue();
            assertThat(review.path("evaluationError").asText()).contains("connection refused");
        }
        try (LockedServer server = start(webhook("NoOpinion", "[]") + "- {type: AlwaysAllow, name: alwaysallow}\n")) {
            assertThat(server.as(JANE, "GET", "/api/v1/namespaces/shop/pods", "")
                            .code())
                    .isEqualTo(200);
        }
    }

    @Test
    void givenAConditionThatFails_whenFailuresAreANo_thenItIsANo() {
        String condition = "[{expression: 'request.resourceAttributes.fieldSelector.requirements.size() > 0'}]";
        try (LockedServer server = start(webhook("Deny", condition) + "- {type: AlwaysAllow, name: alwaysallow}\n")) {
            assertThat(server.as(JANE, "GET", "/api/v1/namespaces/shop/pods", "")
                            .code())
                    .isEqualTo(500);
            assertThat(asked).isEmpty();
        }
    }

    @Test
    void givenTheFileChanges_whenItIsGood_thenItHolds_andWhenItLosesWhatWasThere_thenTheOldOneDoes() {
        try (LockedServer server = start(RBAC)) {
            assertThat(server.as(JANE, "GET", "/api/v1/namespaces/shop/pods", "")
                            .code())
                    .isEqualTo(403);

            write("- {type: AlwaysAllow, name: alwaysallow}\n");
            server.driver.advance(Duration.ofSeconds(2));
            assertThat(server.as(JANE, "GET", "/api/v1/namespaces/shop/pods", "")
                            .code())
                    .isEqualTo(403);

            write(RBAC + "- {type: AlwaysAllow, name: alwaysallow}\n");
            server.driver.advance(Duration.ofSeconds(2));
            assertThat(server.as(JANE, "GET", "/api/v1/namespaces/shop/pods", "")
                            .code())
                    .isEqualTo(200);

            write(RBAC + "- {type: Node, name: node}\n");
            server.driver.advance(Duration.ofSeconds(2));
            assertThat(server.as(JANE, "GET", "/api/v1/namespaces/shop/pods", "")
                            .code())
                    .isEqualTo(200);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[] | authorizers: Required value: at least one authorization mode must be defined",
                "[{type: RBAC}] | authorizers[0].name: Required value",
                "[{type: RBAC, name: mine}] | expected name rbac for authorizer RBAC instead of mine",
                "[{type: Wrong, name: a}] | authorizers[0].type: Unsupported value: \"Wrong\": supported values: \"ABAC\", \"AlwaysAllow\", \"AlwaysDeny\", \"Node\", \"RBAC\", \"Webhook\"",
                "[{type: RBAC, name: rbac}, {type: RBAC, name: rbac}] | authorizers[1].type: Duplicate value: \"RBAC\"",
                "[{type: Webhook, name: w}] | authorizers[0].webhook: Required value: required when type=Webhook",
                "[{type: Webhook, name: w, webhook: {timeout: 31s, failurePolicy: Maybe, subjectAccessReviewVersion: v2, connectionInfo: {type: KubeConfigFile, kubeConfigFile: rel}}}] | [authorizers[0].timeout: Invalid value: \"31s\": must be > 0s and <= 30s, authorizers[0].subjectAccessReviewVersion: Unsupported value: \"v2\": supported values: \"v1\", \"v1beta1\", authorizers[0].failurePolicy: Unsupported value: \"Maybe\": supported values: \"NoOpinion\", \"Deny\", authorizers[0].connectionInfo.kubeConfigFile: Invalid value: \"rel\": must be an absolute path]",
                "[{type: Webhook, name: w, webhook: {matchConditions: [{expression: request.user}]}}] | authorizers[0].matchConditions[0].expression: Invalid value: \"request.user\": must evaluate to bool but got string",
                "[{type: RBAC, name: rbac, mode: x}] | failed to load AuthorizationConfiguration from file: strict decoding error: unknown field \"authorizers[0].mode\"",
            })
    void givenAConfigurationThatIsNone_whenTheServerStarts_thenItSaysWhy(String authorizers, String message)
            throws IOException {
        Path file = Files.writeString(directory.resolve("authz.yaml"), HEAD + "authorizers: " + authorizers + "\n");
        try (VirtualDriver driver = VirtualDriver.create()) {
            assertThatThrownBy(() -> ApiServerInstance.start(
                            ApiServerOptions.IN_MEMORY.withAccess(new AccessOptions(null, null, false, file)), driver))
                    .isInstanceOf(StartException.class)
                    .hasMessageContaining(message);
        }
    }
}
