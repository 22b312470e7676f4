package io.trimtab.apiserver.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.callout.CalloutTransport;
import io.trimtab.apiserver.callout.CalloutTransport.Reply;
import io.trimtab.apiserver.callout.LocalCallouts;
import io.trimtab.apiserver.callout.Target;
import io.trimtab.apiserver.callout.WebhookClient;
import io.trimtab.apiserver.callout.WebhookServer;
import io.trimtab.apiserver.certificates.CertificateAuthority;
import io.trimtab.runtime.VirtualDriver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WebhookAuthTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SELF = "https://kubernetes.default.svc";

    private final VirtualDriver driver = VirtualDriver.create();
    private final LocalCallouts callouts = new LocalCallouts(CalloutTransport.NONE);
    private final List<JsonNode> asked = new ArrayList<>();
    private final WebhookServer server =
            new WebhookServer(Target.of("https://hook.example/review", Target.Trust.SYSTEM), Map.of());

    // ---- Tokens --------------------------------------------------------------------------------------------------

    @Test
    void givenAGoodToken_whenAsked_thenTheUserIsWhoTheWebhookSaysAndTheAnswerHoldsForAWhile() {
        answer(s -> {
            s.put("authenticated", true).putArray("audiences").add(SELF);
            s.putObject("user").put("username", "alice").putArray("groups").add("devs");
        });
        WebhookTokens tokens = tokens();

        TokenAuthenticator.Authenticated found =
                tokens.authenticate("t", List.of(SELF)).orElseThrow();
        tokens.authenticate("t", List.of(SELF));

        assertThat(found.user().name()).isEqualTo("alice");
        assertThat(found.user().groups()).containsExactly("devs");
        assertThat(asked).hasSize(1);
        assertThat(asked.get(0).toString())
                .isEqualTo("{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1\",\"metadata\":{},"
                        + "\"spec\":{\"token\":\"t\",\"audiences\":[\"" + SELF + "\"]},\"status\":{\"user\":{}}}");

        driver.advance(Duration.ofMinutes(3));
        tokens.authenticate("t", List.of(SELF));
        assertThat(asked).hasSize(2);
    }

    @Test
    void givenABadToken_whenAsked_thenNobodyIsFoundOrTheReasonIsTold() {
        answer(s -> s.put("authenticated", false));
        assertThat(tokens().authenticate("t", List.of(SELF))).isEmpty();

        answer(s -> s.put("authenticated", false).put("error", "strange"));
        assertThatThrownBy(() -> tokens().authenticate("t", List.of(SELF))).hasMessage("strange");
    }

    @Test
    void givenATokenForOthers_whenAsked_thenNobodyIsFound() {
        answer(s -> s.put("authenticated", true).putArray("audiences").add("other"));

        assertThat(tokens().authenticate("t", List.of(SELF))).isEmpty();
    }

    @Test
    void givenAWebhookThatCannotBeReached_whenAsked_thenTheTokenIsBadAndItIsAskedAgain() {
        WebhookTokens tokens = tokens();

        assertThatThrownBy(() -> tokens.authenticate("t", List.of(SELF)))
                .hasMessage("Post \"https://hook.example/review?timeout=30s\": dial tcp: lookup hook.example: no such"
                        + " host");
        answer(s -> s.put("authenticated", true).putObject("user").put("username", "bob"));
        assertThat(tokens.authenticate("t", List.of(SELF)).orElseThrow().user().name())
                .isEqualTo("bob");
    }

    private WebhookTokens tokens() {
        return new WebhookTokens(
                new WebhookClient(callouts, "test"), server, "v1", Duration.ofMinutes(2), List.of(SELF), driver);
    }

    // ---- Permissions ---------------------------------------------------------------------------------------------

    @Test
    void givenAWebhook_whenItAllowsOrDeniesOrKnowsNothing_thenSoDoesTheAuthorizer() {
        answer(s -> s.put("allowed", true));
        assertThat(authorizer().authorize(USER, GET_SECRETS).verdict()).isEqualTo(Authorizer.Verdict.ALLOW);
        answer(s -> s.put("allowed", false).put("denied", true).put("reason", "never"));
        assertThat(authorizer().authorize(USER, GET_SECRETS))
                .isEqualTo(new Authorizer.Decision(Authorizer.Verdict.DENY, "never"));
        answer(s -> s.put("allowed", false));
        assertThat(authorizer().authorize(USER, GET_SECRETS).verdict()).isEqualTo(Authorizer.Verdict.NO_OPINION);

        assertThat(asked.get(0).path("spec").toString())
                .isEqualTo("{\"resourceAttributes\":{\"namespace\":\"ns\",\"verb\":\"list\",\"version\":\"v1\","
                        + "\"resource\":\"secrets\",\"labelSelector\":{\"requirements\":[{\"key\":\"a\",\"operator\":"
                        + "\"In\",\"values\":[\"b\"]}]}},\"user\":\"alice\",\"groups\":[\"devs\"]}");
    }

    @Test
    void givenAnswers_whenTheirTimeIsOver_thenTheWebhookIsAskedAgain() {
        answer(s -> s.put("allowed", false));
        WebhookAuthorizer authorizer = authorizer();

        authorizer.authorize(USER, GET_SECRETS);
        driver.advance(Duration.ofSeconds(29));
        authorizer.authorize(USER, GET_SECRETS);
        assertThat(asked).hasSize(1);
        driver.advance(Duration.ofSeconds(2));
        authorizer.authorize(USER, GET_SECRETS);
        assertThat(asked).hasSize(2);
    }

    @Test
    void givenAWebhookThatFails_whenAnotherAuthorizerAllows_thenThatDecidesElseTheFailureIsTold() {
        Authorizer allows = (user, attributes) -> new Authorizer.Decision(Authorizer.Verdict.ALLOW, "");

        assertThat(new AuthorizerChain(List.of(authorizer(), allows))
                        .authorize(USER, GET_SECRETS)
                        .verdict())
                .isEqualTo(Authorizer.Verdict.ALLOW);
        assertThatThrownBy(() -> new AuthorizerChain(List.of(authorizer())).authorize(USER, GET_SECRETS))
                .isInstanceOf(AuthorizerFailure.class);
    }

    private static final UserInfo USER = UserInfo.of("alice", "devs");
    private static final Authorizer.Attributes GET_SECRETS =
            new Authorizer.Attributes("list", "", "v1", "secrets", "", "ns", "", true, "", "", "a=b");

    private WebhookAuthorizer authorizer() {
        return new WebhookAuthorizer(
                new WebhookClient(callouts, "test"),
                server,
                WebhookAuthorizer.Settings.of("v1", Duration.ofMinutes(5), Duration.ofSeconds(30)),
                driver);
    }

    private void answer(Consumer<ObjectNode> status) {
        callouts.register("hook.example", request -> {
            ObjectNode review = read(request.body());
            asked.add(review.deepCopy());
            status.accept(review.putObject("status"));
            return new Reply(200, Map.of(), review.toString().getBytes(StandardCharsets.UTF_8));
        });
    }

    private static ObjectNode read(byte[] body) {
        try {
            return (ObjectNode) JSON.readTree(body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- Proxies -------------------------------------------------------------------------------------------------

    @Test
    void givenAProxyWithItsCertificate_whenItNamesAUser_thenThatIsWhoAsks() {
        VirtualDriver now = VirtualDriver.create(VirtualDriver.Options.DEFAULT.withStart(Instant.now()));
        CertificateAuthority authority = CertificateAuthority.create(now);
        RequestHeaders headers = new RequestHeaders(
                RequestHeaders.Settings.usual(List.of(authority.certificate()), List.of("front-proxy")), now);

        UserInfo user = headers.authenticate(request(authority, "front-proxy")).orElseThrow();

        assertThat(user.name()).isEqualTo("carol");
        assertThat(user.uid()).isEqualTo("u9");
        assertThat(user.groups()).containsExactly("g1", "g2");
        assertThat(user.extra()).containsEntry("acme.com/project", List.of("p1"));
        assertThat(headers.authenticate(request(authority, "somebody"))).isEmpty();
        assertThat(headers.authenticate(request(CertificateAuthority.create(now), "front-proxy")))
                .isEmpty();
    }

    private static ApiRequest request(CertificateAuthority authority, String name) {
        return new ApiRequest(
                "GET",
                "/",
                Map.of(),
                Map.of(
                        "x-remote-user", List.of("carol"),
                        "x-remote-uid", List.of("u9"),
                        "x-remote-group", List.of("g1", "g2"),
                        "x-remote-extra-acme.com%2fproject", List.of("p1")),
                new byte[0],
                new ApiRequest.Peer(
                        "127.0.0.1", authority.issueClient(name, List.of()).chain(), null));
    }

    @Test
    void givenAKubeconfig_whenRead_thenItLeadsToTheServerWithItsToken(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("hook.kubeconfig");
        Files.writeString(file, """
                clusters: [{name: h, cluster: {server: "https://hook.example:8443/token", insecure-skip-tls-verify: true}}]
                users: [{name: u, user: {token: secret}}]
                contexts: [{name: c, context: {cluster: h, user: u}}]
                current-context: c
                """);

        WebhookServer read = WebhookServer.read(file);

        assertThat(read.target().url("")).isEqualTo("https://hook.example:8443/token");
        assertThat(read.target().trust().insecure()).isTrue();
        assertThat(read.headers()).containsEntry("Authorization", List.of("Bearer secret"));
    }
}
