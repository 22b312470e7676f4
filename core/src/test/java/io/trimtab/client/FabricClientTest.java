package io.trimtab.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.trimtab.runtime.VirtualDriver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FabricClientTest {
    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);

    private final VirtualDriver driver = VirtualDriver.create();
    private final FakeApi api = new FakeApi();
    private final FabricClient client = api.client(driver).clientFor("shipper");

    private static ConfigMap map(String name, String value) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace("shop")
                .withName(name)
                .endMetadata()
                .addToData("k", value)
                .build();
    }

    @Test
    void givenAnObject_whenCreatedReadUpdatedAndDeleted_thenTheServerSawIt() {
        ConfigMap created = client.create(MAPS, map("a", "1"));
        assertThat(created.getMetadata().getResourceVersion()).isEqualTo("101");

        created.getData().put("k", "2");
        ConfigMap updated = client.update(MAPS, created);
        assertThat(updated.getData()).containsEntry("k", "2");

        ConfigMap patched = client.patch(
                MAPS, "shop", "a", Patch.merge("{\"data\":{\"k\":\"3\"}}").on("status"));
        assertThat(patched.getData()).containsEntry("k", "3");
        assertThat(client.get(MAPS, "shop", "a").orElseThrow().getData()).containsEntry("k", "3");

        client.delete(MAPS, "shop", "a", new DeleteOptions());
        assertThat(client.get(MAPS, "shop", "a")).isEmpty();

        assertThat(api.seen().get(2).path()).isEqualTo("/api/v1/namespaces/shop/configmaps/a/status");
        assertThat(api.seen().get(2).contentType()).isEqualTo("application/merge-patch+json");
        assertThat(api.seen()).allMatch(s -> s.userAgent().startsWith("shipper/"));
    }

    @Test
    void givenUnknownFields_whenRead_thenTheyAreKept() {
        api.put(map("a", "1"));
        ConfigMap read = client.get(MAPS, "shop", "a").orElseThrow();
        read.setAdditionalProperty("new-in-1.40", 7);
        assertThat(KubernetesJson.copy(read).getAdditionalProperties()).containsEntry("new-in-1.40", 7);
    }

    @Test
    void givenThreeObjects_whenListedInPagesOfTwo_thenTheTokenLeadsOn() {
        for (String name : new String[] {"a", "b", "c"}) {
            api.put(map(name, "1"));
        }
        ListOptions options = new ListOptions();
        options.setLimit(2L);
        options.setLabelSelector("app in (x,y),!z");
        var first = client.list(MAPS, null, options);
        assertThat(first.items()).hasSize(2);
        assertThat(first.items().get(0).getKind()).isEqualTo("ConfigMap");
        assertThat(api.seen().get(0).pathAndQuery())
                .isEqualTo("/api/v1/configmaps?labelSelector=app+in+%28x%2Cy%29%2C%21z&limit=2");

        options.setContinue(first.continueToken());
        var second = client.list(MAPS, null, options);
        assertThat(second.items()).hasSize(1);
        assertThat(second.continueToken()).isNull();
        assertThat(second.resourceVersion()).isEqualTo("103");
    }

    @Test
    void givenAGenericType_whenListed_thenItemsHaveKindAndVersion() {
        api.put(map("a", "1"));
        var type = ResourceType.dynamic("", "v1", "configmaps", "ConfigMap", true);
        GenericKubernetesResource item =
                client.list(type, "shop", new ListOptions()).items().get(0);
        assertThat(item.getKind()).isEqualTo("ConfigMap");
        assertThat(item.getApiVersion()).isEqualTo("v1");
    }

    @Test
    void givenAConflict_whenUpdated_thenTheStatusIsCarried() {
        api.put(map("a", "1"));
        ConfigMap stale = client.get(MAPS, "shop", "a").orElseThrow();
        api.put(map("a", "2"));
        ApiException e = catchThrowableOfType(ApiException.class, () -> client.update(MAPS, stale));
        assertThat(e.isConflict()).isTrue();
        assertThat(e.reason()).isEqualTo("Conflict");
    }

    @Test
    void givenATextAnswer_whenRefused_thenTheMessageIsClientGos() {
        api.failNext(s -> true, 500, Map.of(), "boom\n");
        assertThatThrownBy(() -> client.get(MAPS, "shop", "a"))
                .isInstanceOf(ApiException.class)
                .hasMessage(
                        "an error on the server (\"boom\") has prevented the request from succeeding (get configmaps a)");
        api.failNext(s -> true, 404, Map.of(), "404 page not found");
        assertThatThrownBy(() -> client.list(MAPS, "shop", new ListOptions()))
                .hasMessage("the server could not find the requested resource (get configmaps)");
    }

    @Test
    void givenRetryAfter_whenTooManyRequests_thenItIsTriedAgainThen() {
        api.put(map("a", "1"));
        api.failNext(s -> true, 429, Map.of("Retry-After", "3"), "slow down");
        var start = driver.now();
        assertThat(client.get(MAPS, "shop", "a")).isPresent();
        assertThat(Duration.between(start, driver.now())).isEqualTo(Duration.ofSeconds(3));
    }

    @Test
    void givenNoRetryAfter_whenTooManyRequests_thenTheCallerDecides() {
        api.failNext(s -> true, 429, Map.of(), "slow down");
        ApiException e = catchThrowableOfType(ApiException.class, () -> client.get(MAPS, "shop", "a"));
        assertThat(e.isTooManyRequests()).isTrue();
        assertThat(api.seen()).hasSize(1);
    }

    @Test
    void givenRetryAfterForever_whenAsked_thenItGivesUpAfterTenRetries() {
        for (int i = 0; i < 11; i++) {
            api.failNext(s -> true, 503, Map.of("Retry-After", "1"), "");
        }
        ApiException e = catchThrowableOfType(ApiException.class, () -> client.get(MAPS, "shop", "a"));
        assertThat(e.code()).isEqualTo(503);
        assertThat(e.retryAfter()).contains(Duration.ofSeconds(1));
        assertThat(api.seen()).hasSize(11);
    }

    @Test
    void givenABrokenConnection_whenReading_thenItIsReadAgainOnce_butAWriteIsNot() {
        api.put(map("a", "1"));
        api.breakNext(s -> true, new IOException("reset"));
        assertThat(client.get(MAPS, "shop", "a")).isPresent();

        api.breakNext(s -> true, new IOException("reset"));
        ApiException e = catchThrowableOfType(ApiException.class, () -> client.create(MAPS, map("b", "1")));
        assertThat(e.code()).isZero();
        assertThat(e).hasRootCauseInstanceOf(IOException.class);
        assertThat(api.find(ConfigMap.class, "shop", "b")).isEmpty();
    }

    @Test
    void givenARateLimit_whenManyRequests_thenTheyAreSpread() {
        FabricClient slow = Clients.over(api, "http://fake/", driver, ClientOptions.DEFAULT.withRateLimit(10, 2))
                .clientFor("slow");
        var start = driver.now();
        for (int i = 0; i < 12; i++) {
            slow.get(MAPS, "shop", "a");
        }
        assertThat(Duration.between(start, driver.now())).isBetween(Duration.ofMillis(999), Duration.ofMillis(1010));
    }

    @Test
    void givenASubresource_whenPosted_thenTheAnswerIsRead() {
        Status status = client.createSubresource(
                ResourceType.of(Pod.class), "shop", "web", "binding", Map.of("target", "n"), Status.class);
        assertThat(status.getStatus()).isEqualTo("Success");
        assertThat(api.seen().get(0).path()).isEqualTo("/api/v1/namespaces/shop/pods/web/binding");
    }

    @Test
    void givenOddNames_whenTheyGoIntoPaths_thenTheyAreEscaped() {
        assertThat(ResourceType.of(ClusterRole.class).path(null, "system:a b?"))
                .isEqualTo("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a%20b%3F");
    }

    @Test
    void givenARawPath_whenAsked_thenTheBodyComesBack() {
        api.put(map("a", "1"));
        String body =
                new String(client.raw("GET", "/api/v1/namespaces/shop/configmaps/a", null), StandardCharsets.UTF_8);
        assertThat(body).contains("\"name\":\"a\"");
    }

    @Test
    void givenASourceInTheJvm_whenListWatchIsAsked_thenItIsPreferred() {
        ListWatch<?> own = new HttpListWatch<>(
                client,
                MAPS,
                WatchScope.ALL,
                new Codec<>(MAPS, KubernetesJson.mapper(), new java.util.concurrent.atomic.LongAdder()));
        ListWatchSource source = new ListWatchSource() {
            @Override
            @SuppressWarnings("unchecked")
            public <T extends HasMetadata> Optional<ListWatch<T>> listWatch(
                    ResourceType<T> type, WatchScope scope, String userAgent) {
                return type.equals(MAPS) ? Optional.of((ListWatch<T>) own) : Optional.empty();
            }
        };
        FabricClient near = Clients.over(api, "http://fake", driver, ClientOptions.DEFAULT, source);
        assertThat(near.listWatch(MAPS, WatchScope.ALL)).isSameAs(own);
        assertThat(near.listWatch(ResourceType.of(Pod.class), WatchScope.ALL)).isInstanceOf(HttpListWatch.class);
    }
}
