package io.trimtab.apiserver.tokens;

import static io.trimtab.apiserver.auth.SecurityFixture.yaml;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.SecurityFixture;
import io.trimtab.apiserver.auth.TokenAuthenticator.Authenticated;
import io.trimtab.apiserver.certificates.Keys;
import io.trimtab.apiserver.resource.CoreResources;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokensTest {
    private static final List<String> SELF = TokenSettings.DEFAULT.audiences();

    private final SecurityFixture cluster = new SecurityFixture();
    private final TokenKeys keys = TokenKeys.inMemory();
    private final TokenIssuer issuer = new TokenIssuer(cluster.storage, keys, TokenSettings.DEFAULT, cluster.driver);
    private final ServiceAccountTokens tokens =
            new ServiceAccountTokens(cluster.storage, keys, TokenSettings.DEFAULT, cluster.driver);
    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void account() {
        cluster.put(CoreResources.SERVICE_ACCOUNTS, "metadata: {name: sa, namespace: default, uid: sa-uid}");
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    private String issue(String request) {
        return answer(request).path("status").path("token").asText();
    }

    private ObjectNode answer(String request) {
        return issuer.issue(yaml(request), "default", "sa", warnings);
    }

    private static JsonNode claims(String token) {
        return Jwt.parse(token).claims();
    }

    private void refuses(String token, String why) {
        assertThatThrownBy(() -> tokens.authenticate(token, SELF)).hasMessageContaining(why);
    }

    private void pod() {
        cluster.put(CoreResources.PODS, """
                metadata: {name: p, namespace: default, uid: pod-uid}
                spec: {serviceAccountName: sa, nodeName: n1}
                """);
    }

    @Test
    void givenARequest_whenNothingIsAsked_thenTheDefaults() {
        ObjectNode answer = answer("spec: {}");
        JsonNode claims = claims(answer.path("status").path("token").asText());

        assertThat(answer.path("spec").path("expirationSeconds").asLong()).isEqualTo(3600);
        assertThat(answer.path("spec").path("audiences").get(0).asText()).isEqualTo("https://kubernetes.default.svc");
        assertThat(answer.path("status").path("expirationTimestamp").asText()).isEqualTo("2026-01-01T01:00:00Z");
        assertThat(claims.path("iss").asText()).isEqualTo("https://kubernetes.default.svc");
        assertThat(claims.path("sub").asText()).isEqualTo("system:serviceaccount:default:sa");
        assertThat(claims.path("exp").asLong() - claims.path("iat").asLong()).isEqualTo(3600);
        assertThat(claims.path("nbf").asLong()).isEqualTo(claims.path("iat").asLong());
        assertThat(claims.path("kubernetes.io")
                        .path("serviceaccount")
                        .path("uid")
                        .asText())
                .isEqualTo("sa-uid");
    }

    @Test
    void givenAToken_whenShown_thenTheAccount() {
        Authenticated found = tokens.authenticate(issue("spec: {}"), SELF).orElseThrow();

        assertThat(found.user().name()).isEqualTo("system:serviceaccount:default:sa");
        assertThat(found.user().uid()).isEqualTo("sa-uid");
        assertThat(found.user().groups()).containsExactly("system:serviceaccounts", "system:serviceaccounts:default");
        assertThat(found.user()
                        .extra()
                        .get("authentication.kubernetes.io/credential-id")
                        .get(0))
                .startsWith("JTI=");
        assertThat(found.audiences()).isEqualTo(SELF);
    }

    @Test
    void givenAToken_whenItHasExpired_thenRefused() {
        String token = issue("spec: {}");

        cluster.driver.advance(Duration.ofSeconds(3600 + 61));

        refuses(token, "service account token has expired");
    }

    @Test
    void givenAToken_whenItsAccountIsGoneOrAnother_thenRefused() {
        String token = issue("spec: {}");
        assertThat(tokens.authenticate(token, SELF)).isPresent();

        cluster.remove(CoreResources.SERVICE_ACCOUNTS, "default", "sa");
        refuses(token, "not found");

        cluster.put(CoreResources.SERVICE_ACCOUNTS, "metadata: {name: sa, namespace: default, uid: new}");
        refuses(token, "service account UID (new) does not match claim (sa-uid)");
    }

    @Test
    void givenABoundToken_whenItsPodGoes_thenRefused() {
        pod();
        String token = issue("spec: {boundObjectRef: {apiVersion: v1, kind: Pod, name: p, uid: pod-uid}}");
        assertThat(tokens.authenticate(token, SELF)
                        .orElseThrow()
                        .user()
                        .extra()
                        .get("authentication.kubernetes.io/pod-uid"))
                .containsExactly("pod-uid");

        cluster.remove(CoreResources.PODS, "default", "p");

        refuses(token, "service account token has been invalidated");
    }

    @Test
    void givenAnAudience_whenTheTokenIsForAnother_thenRefused() {
        String token = issue("spec: {audiences: [vault]}");

        refuses(token, "token audiences [\"vault\"] is invalid for the target audiences");
        assertThat(tokens.authenticate(token, List.of("vault", "x"))
                        .orElseThrow()
                        .audiences())
                .containsExactly("vault");
    }

    @Test
    void givenAToken_whenAnotherKeySignedIt_thenRefused() {
        KeyPair pair = Keys.ellipticCurve();
        TokenIssuer foreign = new TokenIssuer(
                cluster.storage,
                TokenKeys.of(pair.getPublic(), pair.getPrivate(), List.of()),
                TokenSettings.DEFAULT,
                cluster.driver);

        refuses(
                foreign.issue(yaml("spec: {}"), "default", "sa", warnings)
                        .path("status")
                        .path("token")
                        .asText(),
                "invalid signature, no keys found");
    }

    @Test
    void givenAToken_whenItsClaimsOrItsAlgorithmAreChanged_thenRefused() {
        String[] parts = issue("spec: {}").split("\\.");
        Base64.Encoder encoder = Base64.getUrlEncoder().withoutPadding();
        ObjectNode claims = claims(String.join(".", parts)).deepCopy();
        claims.put("sub", "system:serviceaccount:kube-system:admin");
        String forged = encoder.encodeToString(claims.toString().getBytes(StandardCharsets.UTF_8));
        String none = encoder.encodeToString("{\"alg\":\"none\"}".getBytes(StandardCharsets.UTF_8));

        refuses(parts[0] + "." + forged + "." + parts[2], "invalid signature, no keys found");
        refuses(none + "." + forged + ".", "invalid signature, no keys found");
        refuses(parts[0] + "." + parts[1] + ".", "invalid signature, no keys found");
    }

    @Test
    void givenATokenOfAnotherIssuer_whenShown_thenItIsNotOurs() {
        TokenIssuer other =
                new TokenIssuer(cluster.storage, keys, TokenSettings.of("https://elsewhere.example"), cluster.driver);
        String token = other.issue(yaml("spec: {}"), "default", "sa", warnings)
                .path("status")
                .path("token")
                .asText();

        assertThat(tokens.authenticate(token, SELF)).isEmpty();
        assertThat(tokens.authenticate("abc", SELF)).isEmpty();
    }

    @Test
    void givenARequest_whenTheLifeIsOutOfBounds_thenInvalid() {
        assertThatThrownBy(() -> issue("spec: {expirationSeconds: 599}"))
                .hasMessage("TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value:"
                        + " 599: may not specify a duration less than 10 minutes");
        assertThatThrownBy(() -> issue("spec: {expirationSeconds: 4294967297}"))
                .hasMessageContaining("may not specify a duration larger than 2^32 seconds");
    }

    @Test
    void givenARequest_whenWhatItIsBoundToDoesNotFit_thenRefused() {
        pod();
        cluster.put(CoreResources.SERVICE_ACCOUNTS, "metadata: {name: other, namespace: default}");

        assertThatThrownBy(() -> issue("spec: {boundObjectRef: {apiVersion: v1, kind: Pod, name: p, uid: old}}"))
                .hasMessage(
                        "Operation cannot be fulfilled on Pod \"p\": the UID in the bound object reference (old) does"
                                + " not match the UID in record. The object might have been deleted and then recreated");
        assertThatThrownBy(() -> issue("spec: {boundObjectRef: {apiVersion: v1, kind: Pod, name: q}}"))
                .hasMessage("pods \"q\" not found");
        assertThatThrownBy(() -> issue("spec: {boundObjectRef: {apiVersion: v1, kind: ConfigMap, name: q}}"))
                .hasMessage("cannot bind token to object of type /v1, Kind=ConfigMap");
        assertThatThrownBy(() -> issuer.issue(
                        yaml("spec: {boundObjectRef: {apiVersion: v1, kind: Pod, name: p}}"),
                        "default",
                        "other",
                        warnings))
                .hasMessage(
                        "cannot bind token for serviceaccount \"other\" to pod running with different serviceaccount"
                                + " name.");
        assertThatThrownBy(() -> issuer.issue(yaml("spec: {}"), "default", "gone", warnings))
                .hasMessage("serviceaccounts \"gone\" not found");
    }

    @Test
    void givenThePodsOwnToken_whenItAsks3607Seconds_thenItLivesAYearAndWarns() {
        pod();
        ObjectNode answer =
                answer("spec: {expirationSeconds: 3607, boundObjectRef: {apiVersion: v1, kind: Pod, name: p}}");
        JsonNode claims = claims(answer.path("status").path("token").asText());

        assertThat(answer.path("status").path("expirationTimestamp").asText()).isEqualTo("2026-01-01T01:00:07Z");
        assertThat(claims.path("exp").asLong() - claims.path("iat").asLong()).isEqualTo(365 * 24 * 3600);
        assertThat(claims.path("kubernetes.io").path("warnafter").asLong()
                        - claims.path("iat").asLong())
                .isEqualTo(3607);
        assertThat(claims.path("kubernetes.io").path("node").path("name").asText())
                .isEqualTo("n1");
        assertThat(claims(issue("spec: {expirationSeconds: 3607}"))
                        .path("kubernetes.io")
                        .has("warnafter"))
                .isFalse();
    }

    @Test
    void givenAKeyOfEachSort_whenItsTokensAreShown_thenTheDocumentsSayHowToCheckThem() throws Exception {
        for (SigningAlgorithm algorithm : SigningAlgorithm.values()) {
            KeyPairGenerator generator =
                    KeyPairGenerator.getInstance(algorithm == SigningAlgorithm.RS256 ? "RSA" : "EC");
            generator.initialize(
                    switch (algorithm) {
                        case RS256 -> 1024;
                        case ES256 -> 256;
                        case ES384 -> 384;
                        case ES512 -> 521;
                    });
            KeyPair pair = generator.generateKeyPair();
            TokenKeys own = TokenKeys.of(pair.getPublic(), pair.getPrivate(), List.of(keys.publicKey()));
            String token = new TokenIssuer(cluster.storage, own, TokenSettings.DEFAULT, cluster.driver)
                    .issue(yaml("spec: {}"), "default", "sa", warnings)
                    .path("status")
                    .path("token")
                    .asText();
            ServiceAccountTokens reader =
                    new ServiceAccountTokens(cluster.storage, own, TokenSettings.DEFAULT, cluster.driver);

            assertThat(reader.authenticate(token, SELF)).as(algorithm.name()).isPresent();
            assertThat(reader.authenticate(issue("spec: {}"), SELF)).isPresent();
            refuses(token, "invalid signature, no keys found");
            assertThat(own.jwks().path("keys").get(0).path("alg").asText()).isEqualTo(algorithm.name());
            assertThat(OpenIdDocuments.configuration(TokenSettings.DEFAULT, own, "h:6443")
                            .path("id_token_signing_alg_values_supported"))
                    .extracting(JsonNode::asText)
                    .contains(algorithm.name(), "ES256");
        }
    }

    @Test
    void givenAnEllipticKey_whenTheSameIsSignedTwice_thenTheSignatureIsTheSame() throws Exception {
        byte[] text = "the same".getBytes(StandardCharsets.UTF_8);

        assertThat(keys.sign(text)).isEqualTo(keys.sign(text)).hasSize(64);
        assertThat(keys.sign("another".getBytes(StandardCharsets.UTF_8))).isNotEqualTo(keys.sign(text));
        assertThat(keys.verify(null, "ES256", text, keys.sign(text))).isTrue();
        assertThat(keys.verify(null, "RS256", text, keys.sign(text))).isFalse();
    }

    @Test
    void givenKeysOnDisk_whenTheServerRestarts_thenItsTokensStillCount(@TempDir Path directory) {
        TokenKeys before = TokenKeys.open(directory);
        TokenKeys after = TokenKeys.open(directory);
        String token = new TokenIssuer(cluster.storage, before, TokenSettings.DEFAULT, cluster.driver)
                .issue(yaml("spec: {}"), "default", "sa", warnings)
                .path("status")
                .path("token")
                .asText();

        assertThat(new ServiceAccountTokens(cluster.storage, after, TokenSettings.DEFAULT, cluster.driver)
                        .authenticate(token, SELF))
                .isPresent();
        assertThat(after.jwks()).isEqualTo(before.jwks());
        assertThat(OpenIdDocuments.configuration(TokenSettings.DEFAULT, after, "h:6443")
                        .path("jwks_uri")
                        .asText())
                .isEqualTo("https://h:6443/openid/v1/jwks");
    }
}
