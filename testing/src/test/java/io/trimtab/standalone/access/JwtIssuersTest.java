package io.trimtab.standalone.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.AccessOptions;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import io.trimtab.standalone.StartException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tokens of other issuers at the door of a whole server: whom they let in, and above all whom they do not. */
class JwtIssuersTest {
    private static final long NOW = VirtualDriver.DEFAULT_START.getEpochSecond();
    private static final String HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n";
    private static final String ONE = HEAD + """
            jwt:
            - issuer: {url: 'https://issuer.example', audiences: [us, them], audienceMatchPolicy: MatchAny}
              claimMappings:
                username: {expression: 'claims.sub + "@ex"'}
                groups: {expression: 'claims.roles.filter(r, r != "none")'}
                uid: {claim: id}
                extra:
                - {key: example.com/tenant, valueExpression: 'claims.?tenant.orValue("")'}
              claimValidationRules:
              - {claim: hd, requiredValue: example.com}
              - {expression: 'claims.level >= 2', message: the level is too low}
              userValidationRules:
              - {expression: '!user.username.startsWith("system:")', message: reserved}
              - {expression: 'user.groups.all(g, !g.startsWith("system:"))', message: reserved groups}
            """;

    @TempDir
    Path directory;

    private final Issuer issuer = new Issuer("https://issuer.example").key("k", "P-256");

    private Path write(String text) {
        try {
            return Files.writeString(directory.resolve("authn.yaml"), text);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private LockedServer start(String config) {
        LockedServer server = new LockedServer(new AccessOptions(write(config), null, false, null));
        issuer.serve(server.instance.callouts());
        server.driver.advance(Duration.ofSeconds(11));
        return server;
    }

    private static String claims(String more) {
        return "{\"iss\":\"https://issuer.example\",\"aud\":\"us\",\"exp\":" + (NOW + 3600)
                + ",\"sub\":\"jane\",\"id\":\"7\",\"roles\":[\"devs\",\"none\"],\"hd\":\"example.com\",\"level\":2"
                + more
                + "}";
    }

    private String token(String more) {
        return issuer.sign("k", "ES256", claims(more));
    }

    @Test
    void givenAGoodToken_whenShown_thenItsClaimsMakeTheUser() {
        try (LockedServer server = start(ONE)) {
            JsonNode user = server.whoIs(token(",\"tenant\":\"t1\",\"jti\":\"abc\""));

            assertThat(user.path("username").asText()).isEqualTo("jane@ex");
            assertThat(user.path("uid").asText()).isEqualTo("7");
            assertThat(user.path("groups").toString()).isEqualTo("[\"devs\",\"system:authenticated\"]");
            assertThat(user.path("extra").toString())
                    .isEqualTo(
                            "{\"authentication.kubernetes.io/credential-id\":[\"JTI=abc\"],\"example.com/tenant\":[\"t1\"]}");
            assertThat(server.withToken(token(""), "/api/v1/secrets").code()).isEqualTo(403);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                ",\"aud\":\"others\" | oidc: verify token: oidc: expected audience in [\"them\" \"us\"] got [\"others\"]",
                ",\"exp\":1767225599 | oidc: verify token: oidc: token is expired (Token Expiry: 2025-12-31 23:59:59 +0000 UTC)",
                ",\"exp\":null | oidc: verify token: oidc: token is expired (Token Expiry: 0001-01-01 00:00:00 +0000 UTC)",
                ",\"nbf\":1767228000 | before the nbf (not before) time: 2026-01-01 00:40:00 +0000 UTC",
                ",\"hd\":\"evil.com\" | oidc: required claim hd value does not match. Got = evil.com, want = example.com",
                ",\"hd\":5 | oidc: parse claim hd: json: cannot unmarshal number into Go value of type string",
                ",\"level\":1 | validation expression 'claims.level >= 2' failed: the level is too low",
                ",\"sub\":7 | oidc: error evaluating username claim expression: expression 'claims.sub + \"@ex\"' resulted in error: no such overload",
                ",\"roles\":7 | oidc: error evaluating group claim expression",
                ",\"id\":7 | oidc: parse uid claim \"id\": json: cannot unmarshal number into Go value of type string",
                ",\"roles\":[\"system:masters\"] | oidc: error evaluating user info validation rule: validation expression 'user.groups.all(g, !g.startsWith(\"system:\"))' failed: reserved groups",
                ",\"sub\":\"system:admin\" | failed: reserved",
            })
    void givenClaimsThatAreNotGood_whenShown_thenUnauthorized(String more, String message) {
        try (LockedServer server = start(ONE)) {
            String token = token(more.strip());

            assertThat(server.withToken(token, "/api").code()).isEqualTo(401);
            JsonNode status = server.review(token);
            assertThat(status.path("authenticated").asBoolean()).isFalse();
            assertThat(status.path("error").asText()).contains(message);
        }
    }

    @Test
    void givenForgeries_whenShown_thenUnauthorized() {
        Issuer forger = new Issuer("https://issuer.example").key("k", "P-256").key("r", "RSA");
        issuer.key("r", "RSA");
        try (LockedServer server = start(ONE)) {
            String good = token("");
            String none = Issuer.encode("{\"alg\":\"none\"}") + "." + Issuer.encode(claims("")) + ".";
            String swapped = good.substring(0, good.indexOf('.') + 1)
                    + Issuer.encode(claims(",\"sub\":\"root\""))
                    + good.substring(good.lastIndexOf('.'));
            String confused = issuer.sign("r", "RS256", claims(""))
                    .replaceFirst("^[^.]+", Issuer.encode("{\"alg\":\"ES256\",\"kid\":\"r\"}"));
            String shared = issuer.sign("r", "RS256", claims(""))
                    .replaceFirst("^[^.]+", Issuer.encode("{\"alg\":\"HS256\",\"kid\":\"r\"}"));
            for (String token : List.of(
                    forger.sign("k", "ES256", claims("")),
                    forger.sign("r", "RS256", claims("")),
                    none,
                    swapped,
                    confused,
                    shared,
                    issuer.sign("k", "ES256", claims(""), ",\"crit\":[\"x\"]"),
                    good + "x.y",
                    good.substring(0, good.lastIndexOf('.') + 1))) {
                assertThat(server.withToken(token, "/api").code()).as(token).isEqualTo(401);
            }
            assertThat(server.withToken(good, "/api").code()).isEqualTo(200);
            assertThat(server.review(none).path("error").asText())
                    .contains("id token signed with unsupported algorithm");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "RSA,RS256",
        "RSA,RS384",
        "RSA,RS512",
        "RSA,PS256",
        "RSA,PS384",
        "RSA,PS512",
        "P-256,ES256",
        "P-384,ES384",
        "P-521,ES512"
    })
    void givenEachAlgorithm_whenATokenIsSignedByIt_thenItIsGood(String kind, String algorithm) {
        issuer.key("x", kind);
        try (LockedServer server = start(ONE)) {
            assertThat(server.withToken(issuer.sign("x", algorithm, claims("")), "/api")
                            .code())
                    .isEqualTo(200);
        }
    }

    @Test
    void givenAnIssuerThatChangesItsKeys_whenNewTokensCome_thenTheKeysAreReadAgainButNotTooOften() {
        issuer.cacheControl = "max-age=600";
        try (LockedServer server = start(ONE)) {
            String old = token("");
            assertThat(server.withToken(old, "/api").code()).isEqualTo(200);
            assertThat(server.withToken(old, "/api").code()).isEqualTo(200);
            assertThat(issuer.keysRead).isEqualTo(1);

            issuer.key("k2", "P-256");
            String fresh = issuer.sign("k2", "ES256", claims(""));
            issuer.forget("k");
            assertThat(server.withToken(fresh, "/api").code()).isEqualTo(401);
            assertThat(issuer.keysRead).isEqualTo(1);

            server.driver.advance(Duration.ofMinutes(10));
            assertThat(server.withToken(fresh, "/api").code()).isEqualTo(200);
            assertThat(server.withToken(old, "/api").code()).isEqualTo(401);
        }
    }

    @Test
    void givenAnIssuerThatIsNotThereYet_whenItComes_thenItsTokensBecomeGood() {
        issuer.silent = true;
        try (LockedServer server = start(ONE)) {
            assertThat(server.withToken(token(""), "/api").code()).isEqualTo(401);
            assertThat(server.review(token("")).path("error").asText()).contains("oidc: authenticator not initialized");

            issuer.silent = false;
            server.driver.advance(Duration.ofSeconds(11));
            assertThat(server.withToken(token(""), "/api").code()).isEqualTo(200);
        }
    }

    @Test
    void givenTheFileChanges_whenItIsGood_thenItHoldsAtOnce_andWhenItIsBad_thenTheOldOneDoes() {
        try (LockedServer server = start(ONE)) {
            write(ONE.replace("\"@ex\"", "\"@new\""));
            server.driver.advance(Duration.ofSeconds(3));
            assertThat(server.whoIs(token("")).path("username").asText()).isEqualTo("jane@new");

            write(ONE.replace("claims.sub", "nothing.sub"));
            server.driver.advance(Duration.ofSeconds(3));
            assertThat(server.whoIs(token("")).path("username").asText()).isEqualTo("jane@new");

            write(HEAD + "jwt: []\n");
            server.driver.advance(Duration.ofSeconds(3));
            assertThat(server.withToken(token(""), "/api").code()).isEqualTo(401);
        }
    }

    @Test
    void givenConditionsForTheNameless_whenTheyCome_thenOnlyThosePathsAreOpen() {
        try (LockedServer server =
                start(HEAD + "anonymous: {enabled: true, conditions: [{path: /livez}, {path: /readyz}]}\n")) {
            assertThat(server.withToken(null, "/livez").code()).isEqualTo(200);
            assertThat(server.withToken(null, "/healthz").code()).isEqualTo(401);
            assertThat(server.withToken(null, "/api").code()).isEqualTo(401);
            assertThat(server.withToken("rubbish", "/livez").code()).isEqualTo(401);
        }
        try (LockedServer server = start(HEAD + "anonymous: {enabled: false}\n")) {
            assertThat(server.withToken(null, "/livez").code()).isEqualTo(401);
        }
    }

    @Test
    void givenTheFlags_whenATokenIsShown_thenNamesHaveTheIssuerBefore() {
        issuer.key("r", "RSA");
        AccessOptions.OpenId flags = new AccessOptions.OpenId(
                "https://issuer.example",
                "us",
                "sub",
                "",
                "roles",
                "oidc:",
                Map.of("hd", "example.com"),
                List.of("RS256"),
                null);
        try (LockedServer server = new LockedServer(new AccessOptions(null, flags, false, null))) {
            issuer.serve(server.instance.callouts());
            server.driver.advance(Duration.ofSeconds(11));

            JsonNode user = server.whoIs(issuer.sign("r", "RS256", claims("")));
            assertThat(user.path("username").asText()).isEqualTo("https://issuer.example#jane");
            assertThat(user.path("groups").toString())
                    .isEqualTo("[\"oidc:devs\",\"oidc:none\",\"system:authenticated\"]");
            assertThat(server.withToken(token(""), "/api").code()).isEqualTo(401);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "jwt: [{}] | invalid authentication configuration: [jwt[0].issuer.url: Required value, jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required, jwt[0].claimMappings.username: Required value: claim or expression is required]",
                "jwt: [{issuer: {url: 'http://a', audiences: [x]}, claimMappings: {username: {claim: sub}}}] | invalid authentication configuration: [jwt[0].issuer.url: Invalid value: \"http://a\": URL scheme must be https, jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing]",
                "jwt: [{issuer: {url: 'https://a', audiences: [x, y]}, claimMappings: {username: {claim: sub, prefix: ''}}}] | invalid authentication configuration: jwt[0].issuer.audienceMatchPolicy: Invalid value: \"\": audienceMatchPolicy must be MatchAny for multiple audiences",
                "jwt: [{issuer: {url: 'https://a', audiences: [x]}, claimMappings: {username: {expression: claims.email}}}] | claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression",
                "jwt: [{issuer: {url: 'https://a', audiences: [x]}, claimMappings: {username: {claim: sub, prefix: ''}}, userValidationRules: [{expression: user.username}]}] | jwt[0].userValidationRules[0].expression: Invalid value: \"user.username\": must evaluate to bool",
                "jwt: [{issuer: {url: 'https://a', audiences: [x]}, claimMappings: {username: {claim: sub, prefix: ''}, extra: [{key: k8s.io/a, valueExpression: claims.a}]}}] | jwt[0].claimMappings.extra[0].key: Invalid value: \"k8s.io/a\": k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use",
                "jwt: [{issuer: {url: 'https://kubernetes.default.svc', audiences: [x]}, claimMappings: {username: {claim: sub, prefix: ''}}}] | URL must not overlap with disallowed issuers: [https://kubernetes.default.svc]",
                "jwt: [{issuer: {uri: 'https://a'}}] | strict decoding error: unknown field \"jwt[0].issuer.uri\"",
                "anonymous: {enabled: false, conditions: [{path: /a}]} | anonymous.conditions: Invalid value: [{\"Path\":\"/a\"}]: enabled should be set to true when conditions are defined",
            })
    void givenAConfigurationThatIsNone_whenTheServerStarts_thenItSaysWhy(String yaml, String message) {
        Path file = write(HEAD + yaml + "\n");
        try (VirtualDriver driver = VirtualDriver.create()) {
            assertThatThrownBy(() -> ApiServerInstance.start(
                            ApiServerOptions.IN_MEMORY.withAccess(new AccessOptions(file, null, false, null)), driver))
                    .isInstanceOf(StartException.class)
                    .hasMessageContaining(message);
        }
    }
}
