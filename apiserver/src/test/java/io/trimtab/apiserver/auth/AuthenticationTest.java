package io.trimtab.apiserver.auth;

import static io.trimtab.apiserver.auth.SecurityFixture.bearer;
import static io.trimtab.apiserver.auth.SecurityFixture.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.certificates.CertificateAuthority;
import io.trimtab.apiserver.certificates.Credential;
import io.trimtab.apiserver.resource.CoreResources;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AuthenticationTest {
    private static final List<String> SELF = List.of("https://kubernetes.default.svc");

    private final SecurityFixture cluster = new SecurityFixture();
    private final CertificateAuthority authority = CertificateAuthority.create(cluster.driver);
    private final StaticTokens tokens =
            StaticTokens.parse("tokens.csv", "abc,jane,1,\"devs,ops\"\n\n,nobody,2\nxyz,joe,3\n", SELF);
    private final AuthenticatorChain chain = new AuthenticatorChain(
            List.of(
                    new ClientCertificates(List.of(authority.certificate()), cluster.driver),
                    new BearerTokens(
                            List.of(tokens, new BootstrapTokens(cluster.storage, cluster.driver, SELF)), SELF)),
            true);

    @AfterEach
    void close() {
        cluster.close();
    }

    private static X509Certificate[] chainOf(Credential credential) {
        return credential.chain().toArray(new X509Certificate[0]);
    }

    private void refuses(ApiRequest request) {
        assertThatThrownBy(() -> chain.authenticate(request)).hasMessage("Unauthorized");
    }

    @Test
    void givenNoCredentials_whenAnonymousIsOn_thenAnonymous() {
        assertThat(chain.authenticate(request(Map.of()))).isEqualTo(UserInfo.ANONYMOUS);
    }

    @Test
    void givenNoCredentials_whenAnonymousIsOff_thenRefused() {
        AuthenticatorChain strict = new AuthenticatorChain(List.of(), false);

        assertThatThrownBy(() -> strict.authenticate(request(Map.of()))).hasMessage("Unauthorized");
    }

    @Test
    void givenAClientCertificate_whenOurAuthoritySignedIt_thenItNamesUserAndGroups() {
        UserInfo user = chain.authenticate(
                request(Map.of(), chainOf(authority.issueClient("jane", List.of("devs", "ops, and more")))));

        assertThat(user.name()).isEqualTo("jane");
        assertThat(user.groups()).containsExactly("devs", "ops, and more", "system:authenticated");
        assertThat(user.extra().get("authentication.kubernetes.io/credential-id"))
                .singleElement()
                .asString()
                .matches("X509SHA256=[0-9a-f]{64}");
    }

    @Test
    void givenAClientCertificate_whenAnotherAuthoritySignedIt_thenRefused() {
        CertificateAuthority other = CertificateAuthority.create(cluster.driver);

        refuses(request(Map.of(), chainOf(other.issueClient("jane", List.of("system:masters")))));
    }

    @Test
    void givenASelfSignedCertificate_whenItClaimsToBeTheAuthority_thenRefused() {
        refuses(request(Map.of(), CertificateAuthority.create(cluster.driver).certificate()));
    }

    @Test
    void givenALeafOfOurs_whenItSignsAnother_thenTheOtherIsRefused() {
        Credential leaf = authority.issueClient("jane", List.of());
        Credential forged = CertificateAuthority.of(leaf.certificate(), leaf.privateKey(), cluster.driver)
                .issueClient("root", List.of("system:masters"));

        refuses(request(Map.of(), forged.certificate(), leaf.certificate()));
    }

    @Test
    void givenAServerCertificate_whenUsedAsAClient_thenRefused() {
        refuses(request(Map.of(), chainOf(authority.issueServer("kube-apiserver", List.of("localhost")))));
    }

    @Test
    void givenAClientCertificate_whenItHasEnded_thenRefusedEvenIfSeenBefore() {
        ApiRequest request = request(Map.of(), chainOf(authority.issueClient("jane", List.of())));
        assertThat(chain.authenticate(request).name()).isEqualTo("jane");

        cluster.driver.advance(Duration.ofDays(366));

        refuses(request);
    }

    @Test
    void givenNoClientAuthority_whenACertificateComes_thenRefused() {
        AuthenticatorChain none =
                new AuthenticatorChain(List.of(new ClientCertificates(List.of(), cluster.driver)), true);

        assertThatThrownBy(() ->
                        none.authenticate(request(Map.of(), chainOf(authority.issueClient("jane", List.of())))))
                .hasMessage("Unauthorized");
    }

    @Test
    void givenATokenFile_whenATokenIsKnown_thenItsUser() {
        UserInfo user = chain.authenticate(bearer("abc"));

        assertThat(user).isEqualTo(new UserInfo("jane", "1", List.of("devs", "ops", "system:authenticated"), Map.of()));
        assertThat(chain.authenticate(bearer("xyz")).groups()).containsExactly("system:authenticated");
    }

    @Test
    void givenABearerToken_whenNobodyKnowsIt_thenRefusedAndNotAnonymous() {
        refuses(bearer("wrong"));
        refuses(bearer("ABC"));
        refuses(bearer("a.b.c"));
    }

    @Test
    void givenAnAuthorizationHeader_whenItIsNoBearerToken_thenAnonymous() {
        assertThat(chain.authenticate(request(Map.of("authorization", List.of("Basic amFuZTph")))))
                .isEqualTo(UserInfo.ANONYMOUS);
        assertThat(chain.authenticate(request(Map.of("authorization", List.of("Bearer ")))))
                .isEqualTo(UserInfo.ANONYMOUS);
    }

    @Test
    void givenABadCertificateAndAGoodToken_whenAsked_thenTheTokenCounts() {
        CertificateAuthority other = CertificateAuthority.create(cluster.driver);
        ApiRequest request =
                request(Map.of("authorization", List.of("bearer abc")), chainOf(other.issueClient("x", List.of())));

        assertThat(chain.authenticate(request).name()).isEqualTo("jane");
    }

    @Test
    void givenAWebSocket_whenTheTokenIsInASubprotocol_thenItsUser() {
        String encoded = Base64.getUrlEncoder().withoutPadding().encodeToString("abc".getBytes(StandardCharsets.UTF_8));
        Map<String, List<String>> headers = Map.of(
                "upgrade",
                List.of("websocket"),
                "sec-websocket-protocol",
                List.of("v4.channel.k8s.io, base64url.bearer.authorization.k8s.io." + encoded));

        assertThat(chain.authenticate(request(headers)).name()).isEqualTo("jane");
        refuses(request(Map.of(
                "upgrade",
                List.of("websocket"),
                "sec-websocket-protocol",
                List.of("base64url.bearer.authorization.k8s.io.%%%"))));
    }

    @Test
    void givenATokenFile_whenALineIsBroken_thenTheMessageSaysWhere() {
        assertThatThrownBy(() -> StaticTokens.parse("t.csv", "abc,jane\n", SELF))
                .hasMessage("token file 't.csv' must have at least 3 columns (token, user name, user uid), found 2 in"
                        + " line 1");
        assertThatThrownBy(() -> StaticTokens.parse("t.csv", "a,b,c\nabc,jane,1,\"devs\n", SELF))
                .hasMessage("token file 't.csv' has a quote that does not end in line 2");
    }

    private void bootstrapToken(String change) {
        String secret = """
                metadata: {name: bootstrap-token-abcdef, namespace: kube-system}
                type: bootstrap.kubernetes.io/token
                data:
                  token-id: YWJjZGVm
                  token-secret: MDEyMzQ1Njc4OWFiY2RlZg==
                  usage-bootstrap-authentication: dHJ1ZQ==
                """;
        cluster.put(CoreResources.SECRETS, secret + change);
    }

    @Test
    void givenABootstrapToken_whenItsSecretFits_thenABootstrapper() {
        bootstrapToken("  auth-extra-groups: c3lzdGVtOmJvb3RzdHJhcHBlcnM6d29ya2Vy\n");

        assertThat(chain.authenticate(bearer("abcdef.0123456789abcdef")))
                .isEqualTo(new UserInfo(
                        "system:bootstrap:abcdef",
                        "",
                        List.of("system:bootstrappers", "system:bootstrappers:worker", "system:authenticated"),
                        Map.of()));
        refuses(bearer("abcdef.0123456789abcdee"));
        refuses(bearer("abcdeg.0123456789abcdef"));
    }

    @Test
    void givenABootstrapToken_whenItWantsToBeInAnotherGroup_thenRefused() {
        bootstrapToken("  auth-extra-groups: c3lzdGVtOm1hc3RlcnM=\n");

        refuses(bearer("abcdef.0123456789abcdef"));
    }

    @Test
    void givenABootstrapToken_whenItHasExpired_thenRefused() {
        String end = Base64.getEncoder().encodeToString("2026-01-01T01:00:00Z".getBytes(StandardCharsets.UTF_8));
        bootstrapToken("  expiration: " + end + "\n");
        assertThat(chain.authenticate(bearer("abcdef.0123456789abcdef")).name()).isEqualTo("system:bootstrap:abcdef");

        cluster.driver.advance(Duration.ofHours(1));

        refuses(bearer("abcdef.0123456789abcdef"));
    }

    @Test
    void givenABootstrapToken_whenItsSecretIsOfAnotherType_thenRefused() {
        cluster.put(CoreResources.SECRETS, """
                metadata: {name: bootstrap-token-abcdef, namespace: kube-system}
                type: Opaque
                data: {token-id: YWJjZGVm, token-secret: MDEyMzQ1Njc4OWFiY2RlZg==, usage-bootstrap-authentication: dHJ1ZQ==}
                """);

        refuses(bearer("abcdef.0123456789abcdef"));
    }

    @Test
    void givenACallerInsideThisJvm_whenTrusted_thenWhoItSays() {
        ApiRequest request = ApiRequest.local(UserInfo.of("sim"), "GET", "/", Map.of(), null, new byte[0]);

        assertThat(chain.authenticate(request)).isEqualTo(UserInfo.of("sim"));
    }
}
