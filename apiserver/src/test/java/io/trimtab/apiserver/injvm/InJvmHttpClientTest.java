package io.trimtab.apiserver.injvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.http.ScriptedEvents;
import io.trimtab.runtime.VirtualDriver;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class InJvmHttpClientTest {
    private static final UserInfo JANE = UserInfo.of("jane", "devs");

    private final VirtualDriver driver = VirtualDriver.create();
    private final List<ApiRequest> seen = new ArrayList<>();

    private InJvmTransport transport(ApiResponse answer) {
        return InJvmTransport.of(
                request -> {
                    seen.add(request);
                    return answer;
                },
                driver);
    }

    private static ApiResponse json(String body) {
        return new ApiResponse.Whole(
                200, Map.of("Content-Type", List.of("application/json")), body.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void givenAFabric8Client_whenItReads_thenTheServerIsCalledOnItsStackAsItsUser() {
        try (KubernetesClient client = transport(json("{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\","
                        + "\"metadata\":{\"name\":\"a\",\"namespace\":\"x\"},\"data\":{\"k\":\"v\"}}"))
                .kubernetesClient(JANE)) {
            ConfigMap read = client.configMaps().inNamespace("x").withName("a").get();

            assertThat(read.getData()).containsEntry("k", "v");
            ApiRequest request = seen.get(0);
            assertThat(request.method()).isEqualTo("GET");
            assertThat(request.path()).isEqualTo("/api/v1/namespaces/x/configmaps/a");
            assertThat(request.peer().trusted()).isEqualTo(JANE);
        }
    }

    @Test
    void givenAFabric8Client_whenItCreates_thenTheBodyComesThrough() {
        try (KubernetesClient client = transport(
                        json("{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"}}"))
                .kubernetesClient(JANE)) {
            client.resource(new ConfigMapBuilder()
                            .withNewMetadata()
                            .withName("a")
                            .withNamespace("x")
                            .endMetadata()
                            .build())
                    .create();

            ApiRequest request = seen.get(0);
            assertThat(request.method()).isEqualTo("POST");
            assertThat(request.header("content-type")).startsWith("application/json");
            assertThat(new String(request.body(), StandardCharsets.UTF_8)).contains("\"name\":\"a\"");
        }
    }

    @Test
    void givenARequest_whenSent_thenItsFutureIsCompleteAtOnce() throws Exception {
        byte[] piece = new byte[10_000];
        HttpClient http = transport(new ApiResponse.Pieces(
                        200, Map.of(), Stream.generate(() -> piece).limit(1000).iterator()))
                .httpClientFactory(JANE)
                .newBuilder()
                .build();

        CompletableFuture<HttpResponse<byte[]>> future = http.sendAsync(
                http.newHttpRequestBuilder().uri("http://x/api?a=b%20c&flag").build(), byte[].class);

        assertThat(future).isDone();
        assertThat(future.get().body()).hasSize(10_000_000);
        assertThat(seen.get(0).query()).containsEntry("a", List.of("b c")).containsEntry("flag", List.of(""));
    }

    @Test
    void givenAToken_whenSent_thenTheSurroundingsUserDoesNotCount() {
        HttpClient http =
                transport(json("{}")).httpClientFactory(JANE).newBuilder().build();

        http.sendAsync(
                http.newHttpRequestBuilder()
                        .uri("http://x/api")
                        .header("Authorization", "Bearer t")
                        .build(),
                byte[].class);

        assertThat(seen.get(0).peer().trusted()).isNull();
        assertThat(seen.get(0).header("authorization")).isEqualTo("Bearer t");
    }

    private static ApiResponse watch(ScriptedEvents events) {
        return new ApiResponse.Watch(
                200,
                Map.of("Content-Type", List.of("application/json")),
                events,
                e -> ("{\"type\":\"ADDED\",\"object\":{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":"
                                + "{\"name\":\"a\",\"resourceVersion\":\"" + e.revision() + "\"}}}\n")
                        .getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void givenAFabric8Watch_whenEventsCome_thenItHearsThemInVirtualTimeAndClosesTheSource() throws Exception {
        ScriptedEvents events = new ScriptedEvents();
        List<String> heard = new ArrayList<>();
        try (KubernetesClient client = transport(watch(events)).kubernetesClient(JANE)) {
            Watch watch = client.configMaps().inNamespace("x").watch(new Watcher<>() {
                @Override
                public void eventReceived(Action action, ConfigMap object) {
                    heard.add(action + " " + object.getMetadata().getResourceVersion());
                }

                @Override
                public void onClose(WatcherException cause) {
                    heard.add("closed");
                }
            });
            driver.settle();
            for (int i = 1; i <= 3; i++) {
                events.add(i);
            }
            driver.settle();

            assertThat(heard).containsExactly("ADDED 1", "ADDED 2", "ADDED 3");
            assertThat(seen.get(0).queryParameter("watch")).isEqualTo("true");

            watch.close();
            driver.settle();
            assertThat(events.closed().await(1, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void givenARefusal_whenAWatchIsOpened_thenTheHandshakeFailsWithItsCode() {
        HttpClient http = transport(new ApiResponse.Whole(403, Map.of(), new byte[0]))
                .httpClientFactory(JANE)
                .newBuilder()
                .build();

        var future = http.newWebSocketBuilder()
                .uri(java.net.URI.create("ws://x/api/v1/pods?watch=true"))
                .buildAsync(new io.fabric8.kubernetes.client.http.WebSocket.Listener() {});

        assertThat(future).isCompletedExceptionally();
    }

    @Test
    void givenAnOpenWatch_whenTheClientCloses_thenTheSourceIsClosed() throws Exception {
        ScriptedEvents events = new ScriptedEvents();
        HttpClient http =
                transport(watch(events)).httpClientFactory(JANE).newBuilder().build();
        var response = http.consumeBytes(
                        http.newHttpRequestBuilder().uri("http://x/api").build(), (value, body) -> body.consume())
                .get();
        response.body().consume();

        http.close();

        assertThat(events.closed().await(1, TimeUnit.SECONDS)).isTrue();
    }
}
