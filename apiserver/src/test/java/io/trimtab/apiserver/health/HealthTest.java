package io.trimtab.apiserver.health;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.PathHandler;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.resource.KindRegistry;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.tokens.TokenKeys;
import io.trimtab.apiserver.tokens.TokenSettings;
import io.trimtab.features.FeatureGates;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class HealthTest {
    private final AtomicBoolean storeAnswers = new AtomicBoolean(true);
    private final AtomicBoolean stopping = new AtomicBoolean();
    private final HealthChecks health = HealthChecks.of(storeAnswers::get, () -> true, stopping::get);

    private static ApiResponse.Whole get(PathHandler handler, String path, Map<String, List<String>> query) {
        return (ApiResponse.Whole) handler.handle(
                        new ApiRequest(
                                "GET", path, query, Map.of(), new byte[0], ApiRequest.Peer.trusted(UserInfo.SELF)),
                        UserInfo.SELF)
                .orElseThrow();
    }

    private static String text(ApiResponse.Whole answer) {
        return new String(answer.body(), StandardCharsets.UTF_8);
    }

    @Test
    void givenAllIsWell_whenAsked_thenOkAndTheListIfVerbose() {
        health.add(
                "poststarthook/rbac/bootstrap-roles",
                EnumSet.of(HealthChecks.Endpoint.READYZ, HealthChecks.Endpoint.LIVEZ),
                () -> true);

        assertThat(text(get(health, "/livez", Map.of()))).isEqualTo("ok");
        assertThat(text(get(health, "/livez", Map.of("verbose", List.of("")))))
                .isEqualTo("[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]poststarthook/rbac/bootstrap-roles ok\n"
                        + "livez check passed\n");
        assertThat(text(get(health, "/readyz", Map.of("verbose", List.of("")))))
                .isEqualTo("[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]etcd-readiness ok\n[+]informer-sync ok\n"
                        + "[+]poststarthook/rbac/bootstrap-roles ok\n[+]shutdown ok\nreadyz check passed\n");
        assertThat(text(get(health, "/readyz/poststarthook/rbac/bootstrap-roles", Map.of())))
                .isEqualTo("ok");
        assertThat(get(health, "/healthz", Map.of()).headers())
                .containsEntry("Content-Type", List.of("text/plain; charset=utf-8"))
                .containsEntry("X-Content-Type-Options", List.of("nosniff"));
    }

    @Test
    void givenAStart_whenItIsNotDone_thenItsStepsAreNotWellAndTheirNamesAreKubernetes() {
        AtomicBoolean started = new AtomicBoolean();
        health.addStart(started::get);

        assertThat(text(get(health, "/livez", Map.of())))
                .contains("[-]poststarthook/rbac/bootstrap-roles failed: reason withheld\n");
        started.set(true);

        assertThat(text(get(health, "/readyz", Map.of("verbose", List.of("")))))
                .startsWith("[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]etcd-readiness ok\n[+]informer-sync ok\n"
                        + "[+]poststarthook/start-apiserver-admission-initializer ok\n")
                .contains("\n[+]poststarthook/crd-informer-synced ok\n", "\n[+]autoregister-completion ok\n")
                .endsWith("[+]poststarthook/apiservice-openapiv3-controller ok\n[+]shutdown ok\nreadyz check passed\n");
    }

    @Test
    void givenTheStoreIsGone_whenAsked_thenTheFailingCheckIsNamedAndMayBeExcluded() {
        storeAnswers.set(false);

        ApiResponse.Whole answer = get(health, "/livez", Map.of());

        assertThat(answer.code()).isEqualTo(500);
        assertThat(text(answer))
                .isEqualTo("[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\nlivez check failed\n");
        assertThat(get(health, "/livez/etcd", Map.of()).code()).isEqualTo(500);
        assertThat(text(get(health, "/livez", Map.of("verbose", List.of(""), "exclude", List.of("etcd", "foo")))))
                .isEqualTo("[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\n"
                        + "warn: some health checks cannot be excluded: no matches for \"foo\"\nlivez check passed\n");
    }

    @Test
    void givenTheServerStops_whenAsked_thenItIsLiveButNotReady() {
        stopping.set(true);

        assertThat(get(health, "/livez", Map.of()).code()).isEqualTo(200);
        assertThat(get(health, "/readyz", Map.of()).code()).isEqualTo(500);
    }

    @Test
    void givenUnknownChecks_whenAsked_thenTheyAreNoPaths() {
        ApiRequest request = ApiRequest.local(UserInfo.SELF, "GET", "/livez/nope", Map.of(), null, new byte[0]);
        assertThat(health.handle(request, UserInfo.SELF)).isEmpty();
    }

    @Test
    void givenAClient_whenItAsksForTheVersion_thenItIsSemantic() throws Exception {
        var version = new ObjectMapper()
                .readTree(get(new Version(), "/version", Map.of()).body());

        assertThat(version.path("gitVersion").asText()).matches("v1\\.34\\.\\d+");
        assertThat(version.path("minor").asText()).isEqualTo("34");
        assertThat(version.fieldNames())
                .toIterable()
                .containsExactly(
                        "major",
                        "minor",
                        "emulationMajor",
                        "emulationMinor",
                        "minCompatibilityMajor",
                        "minCompatibilityMinor",
                        "gitVersion",
                        "gitCommit",
                        "gitTreeState",
                        "buildDate",
                        "goVersion",
                        "compiler",
                        "platform");
    }

    @Test
    void givenARegistry_whenScraped_thenCountersAndChecksAreThere() {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        registry.counter("apiserver_request_total", "verb", "LIST").increment();
        Metrics.bindProcess(registry);
        Metrics metrics = new Metrics(registry, health, FeatureGates.parse(List.of("KMSv1=true")));

        assertThat(text(get(metrics, "/metrics", Map.of())))
                .contains("apiserver_request_total{verb=\"LIST\"} 1.0")
                .contains("process_start_time_seconds")
                .contains("kubernetes_feature_enabled{name=\"KMSv1\",stage=\"DEPRECATED\"} 1\n")
                .contains("kubernetes_feature_enabled{name=\"APIServerTracing\",stage=\"\"} 1\n")
                .contains("kubernetes_feature_enabled{name=\"AllAlpha\",stage=\"ALPHA\"} 0\n");
        assertThat(text(get(metrics, "/metrics/slis", Map.of())))
                .contains("kubernetes_healthcheck{name=\"etcd\",type=\"readyz\"} 1");
    }

    @Test
    void givenTheRoot_whenAsked_thenAllPathsAreListed() {
        ResourceRegistry resources = ResourceRegistry.builtIn(new KindRegistry(Map.of()));

        assertThat(text(get(new Index(resources, health), "/", Map.of())))
                .startsWith(
                        "{\n  \"paths\": [\n    \"/.well-known/openid-configuration\",\n    \"/api\",\n    \"/api/v1\",\n")
                .contains("\"/apis/apps/v1\"", "\"/livez/etcd\"", "\"/openapi/v3\"");
    }

    @Test
    void givenTokens_whenOthersCheckThem_thenIssuerAndKeysAreServed() {
        WellKnown wellKnown = new WellKnown(TokenSettings.DEFAULT, TokenKeys.inMemory(), () -> "127.0.0.1:6443");

        assertThat(text(get(wellKnown, "/.well-known/openid-configuration", Map.of())))
                .contains("\"issuer\":\"https://kubernetes.default.svc\"")
                .contains("https://127.0.0.1:6443/openid/v1/jwks");
        assertThat(get(wellKnown, "/openid/v1/jwks", Map.of()).headers())
                .containsEntry("Content-Type", List.of("application/jwk-set+json"));
    }
}
