package io.trimtab.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.informer.DefaultInformerFactory;
import io.trimtab.informer.SharedInformer;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs the client, the informers and the manager in real time against whatever server a kubeconfig names. */
@EnabledIfEnvironmentVariable(named = "TRIMTAB_TEST_KUBECONFIG", matches = ".+")
class AnyServerTest {
    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);
    private static final ResourceType<Secret> SECRETS = ResourceType.of(Secret.class);
    private static final ResourceType<Namespace> NAMESPACES = ResourceType.of(Namespace.class);

    private final Driver driver = RealDriver.create();
    private final FabricClient client =
            Clients.connect(Clients.kubeconfig(Path.of(System.getenv("TRIMTAB_TEST_KUBECONFIG"))), driver);
    private String namespace = "";

    @BeforeEach
    void makeNamespace() {
        namespace = client.create(
                        NAMESPACES,
                        new NamespaceBuilder()
                                .withNewMetadata()
                                .withGenerateName("any-server-")
                                .endMetadata()
                                .build())
                .getMetadata()
                .getName();
    }

    @AfterEach
    void close() {
        client.delete(NAMESPACES, null, namespace, new DeleteOptions());
        client.close();
        driver.close();
    }

    private ConfigMap map(String name) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withName(name)
                .endMetadata()
                .addToData("k", "1")
                .build();
    }

    private void eventually(BooleanSupplier condition) throws TimeoutException {
        CompletableFuture<Void> met = new CompletableFuture<>();
        poll(condition, met);
        driver.await(met, Duration.ofSeconds(20));
    }

    private void poll(BooleanSupplier condition, CompletableFuture<Void> met) {
        if (condition.getAsBoolean()) {
            met.complete(null);
        } else {
            driver.schedule(Duration.ofMillis(20), () -> poll(condition, met));
        }
    }

    @Test
    void givenAServer_whenObjectsAreWritten_thenTheAnswersAreWhatTheClientExpects() {
        Client shipper = client.clientFor("shipper");
        ConfigMap created = shipper.create(MAPS, map("a"));
        assertThat(created.getMetadata().getManagedFields().get(0).getManager()).isEqualTo("shipper");

        ConfigMap patched = shipper.patch(MAPS, namespace, "a", Patch.merge("{\"data\":{\"k\":\"2\"}}"));
        assertThat(patched.getData()).containsEntry("k", "2");
        shipper.patch(
                MAPS,
                namespace,
                "a",
                Patch.apply(
                        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"3\"}}",
                        "applier",
                        true));

        ApiException conflict = catchThrowableOfType(ApiException.class, () -> shipper.update(MAPS, created));
        assertThat(conflict.isConflict()).isTrue();
        ApiException exists = catchThrowableOfType(ApiException.class, () -> shipper.create(MAPS, map("a")));
        assertThat(exists.isAlreadyExists()).isTrue();
        ConfigMap bad = map("Not A Name");
        ApiException invalid = catchThrowableOfType(ApiException.class, () -> shipper.create(MAPS, bad));
        assertThat(invalid.isInvalid()).isTrue();

        ListOptions options = new ListOptions();
        options.setFieldSelector("metadata.name=a");
        assertThat(shipper.list(MAPS, namespace, options).items()).hasSize(1);
        shipper.delete(MAPS, namespace, "a", new DeleteOptions());
        assertThat(shipper.get(MAPS, namespace, "a")).isEmpty();
        assertThat(new String(shipper.raw("GET", "/version", null), java.nio.charset.StandardCharsets.UTF_8))
                .contains("gitVersion");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void givenAServer_whenObjectsChange_thenTheInformerFollows(boolean streaming) throws Exception {
        client.create(MAPS, map("before"));
        var options = DefaultInformerFactory.Options.DEFAULT.withStreamingLists(streaming);
        try (DefaultInformerFactory factory = new DefaultInformerFactory(client, driver, options)) {
            SharedInformer<ConfigMap> informer = factory.informer(ConfigMap.class);
            factory.start();
            CompletableFuture<Void> synced = new CompletableFuture<>();
            informer.whenAtLeast(1, () -> synced.complete(null));
            driver.await(synced, Duration.ofSeconds(10));
            assertThat(informer.lister().get(namespace, "before")).isPresent();

            long revision = 0;
            for (int i = 0; i < 50; i++) {
                revision = Long.parseLong(
                        client.create(MAPS, map("m" + i)).getMetadata().getResourceVersion());
            }
            CompletableFuture<Void> seen = new CompletableFuture<>();
            informer.whenAtLeast(revision, () -> seen.complete(null));
            driver.await(seen, Duration.ofSeconds(10));
            assertThat(informer.lister().list(namespace)).hasSizeGreaterThanOrEqualTo(51);

            client.deleteCollection(MAPS, namespace, new DeleteOptions(), new ListOptions());
            eventually(() -> informer.lister().get(namespace, "m49").isEmpty());
        }
    }

    @Test
    void givenAControllerThatCountsInTheCache_whenItCreates_thenNeverOneTooMany() throws Exception {
        DefaultManager manager = DefaultManager.builder(driver, client).build();
        Client hand = manager.client("threes");
        var secrets = manager.informers().informer(Secret.class).lister();
        var maps = manager.informers().informer(ConfigMap.class).lister();
        Map<String, Integer> created = new ConcurrentHashMap<>();
        manager.add(Controller.of("threes", ConfigMap.class)
                .owns(Secret.class)
                .workers(4)
                .reconcile(request -> {
                    var map = maps.get(request.namespace(), request.name());
                    if (map.isEmpty() || !request.namespace().equals(namespace)) {
                        return Result.done();
                    }
                    long owned = secrets.list(namespace).stream()
                            .filter(s -> s.getMetadata().getOwnerReferences().stream()
                                    .anyMatch(o -> o.getName().equals(request.name())))
                            .count();
                    List<Callable<Secret>> tasks = new ArrayList<>();
                    for (long i = owned; i < 3; i++) {
                        tasks.add(() -> hand.create(SECRETS, ownedBy(map.get())));
                    }
                    for (var outcome : Parallel.run(driver, tasks)) {
                        assertThat(outcome.failure()).isNull();
                        created.merge(request.name(), 1, Integer::sum);
                    }
                    return Result.done();
                }));
        manager.start();
        for (int i = 0; i < 20; i++) {
            client.create(MAPS, map("m" + i));
        }
        eventually(() -> created.values().stream().filter(n -> n >= 3).count() >= 20);
        client.delete(
                SECRETS, namespace, secrets.list(namespace).get(0).getMetadata().getName(), new DeleteOptions());
        eventually(() -> created.values().stream().anyMatch(n -> n == 4));
        manager.close();
        assertThat(created.entrySet().stream()
                        .filter(e -> e.getKey().startsWith("m"))
                        .mapToInt(Map.Entry::getValue)
                        .sum())
                .isEqualTo(61);
    }

    private Secret ownedBy(ConfigMap map) {
        return new SecretBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withGenerateName(map.getMetadata().getName() + "-")
                .addToOwnerReferences(new OwnerReferenceBuilder()
                        .withApiVersion("v1")
                        .withKind("ConfigMap")
                        .withName(map.getMetadata().getName())
                        .withUid(map.getMetadata().getUid())
                        .withController(true)
                        .build())
                .endMetadata()
                .build();
    }
}
