package io.trimtab.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.client.Conditions;
import io.trimtab.client.Edits;
import io.trimtab.client.FakeApi;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.client.WriteMode;
import io.trimtab.health.Health;
import io.trimtab.informer.DefaultInformerFactory;
import io.trimtab.runtime.VirtualDriver;
import java.io.IOException;
import java.lang.reflect.Field;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;
import org.slf4j.helpers.BasicMDCAdapter;

/** What a manager does beyond running controllers in one cluster. */
class ManagerFeaturesTest {
    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);

    private final VirtualDriver driver = VirtualDriver.create();
    private final FakeApi home = new FakeApi();
    private final FakeApi east = new FakeApi();
    private final List<String> done = new ArrayList<>();

    @AfterEach
    void noStepFailed() {
        assertThat(driver.failures()).isEmpty();
    }

    private static ConfigMap map(String namespace, String name) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(namespace)
                .endMetadata()
                .withData(Map.of("a", "1"))
                .build();
    }

    private static Secret secret(String name) {
        return new SecretBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace("shop")
                .endMetadata()
                .build();
    }

    // ---- Several clusters ------------------------------------------------------------------------------------------

    @Test
    void givenTwoClusters_whenOneControllerWorksInBoth_thenKeysNameTheirClusterAndOwnWritesAreSeen() {
        home.put(map("shop", "here"));
        east.put(map("shop", "there"));
        DefaultManager manager = DefaultManager.builder(driver, home.client(driver))
                .cluster("east", east.client(driver))
                .build();
        manager.add(Controller.of("maps", ConfigMap.class)
                .inClusters("", "east")
                .reconcile(request -> {
                    RemoteCluster cluster = manager.cluster(request.cluster());
                    ConfigMap now = cluster.informers()
                            .informer(ConfigMap.class)
                            .lister()
                            .get(request.namespace(), request.name())
                            .orElseThrow();
                    done.add(request + "=" + now.getData());
                    if (!now.getData().containsKey("seen")) {
                        Edits.object(cluster.client("maps"), MAPS, request.namespace(), request.name(), m -> {
                            m.setData(new TreeMap<>(m.getData()));
                            m.getData().put("seen", "yes");
                            return m;
                        });
                    }
                    return Result.done();
                }));
        manager.start();
        driver.settle();

        assertThat(done)
                .containsExactlyInAnyOrder(
                        "shop/here={a=1}",
                        "shop/here={a=1, seen=yes}",
                        "east:shop/there={a=1}",
                        "east:shop/there={a=1, seen=yes}");
        assertThatThrownBy(() -> manager.cluster("west")).hasMessageContaining("knows no cluster west");
        manager.close();
        driver.settle();
        assertThat(east.openWatches()).isZero();
    }

    @Test
    void givenAnotherCluster_whenItsObjectsChange_thenTheyWakeKeysOfTheOwn() {
        home.put(map("shop", "config"));
        DefaultManager manager = DefaultManager.builder(driver, home.client(driver))
                .cluster("east", east.client(driver))
                .build();
        manager.add(Controller.of("maps", ConfigMap.class)
                .watchesIn(
                        "east",
                        ResourceType.of(Secret.class),
                        WatchScope.ALL,
                        (change, queue) -> queue.add(new Request("shop", "config")))
                .reconcile(request -> {
                    done.add(request.toString());
                    return Result.done();
                }));
        manager.start();
        driver.settle();
        done.clear();

        east.put(secret("key"));
        driver.settle();

        assertThat(done).containsExactly("shop/config");
    }

    // ---- Priorities ------------------------------------------------------------------------------------------------

    @Test
    void givenAResync_whenSomethingChangesMeanwhile_thenTheFreshKeyIsFirst() {
        for (int i = 0; i < 20; i++) {
            home.put(map("shop", "m" + i));
        }
        DefaultManager manager = DefaultManager.builder(driver, home.client(driver))
                .caching(DefaultInformerFactory.Options.DEFAULT.withResync(Duration.ofMinutes(1)))
                .build();
        manager.add(Controller.of("maps", ConfigMap.class).reconcile(request -> {
            done.add(request.name());
            if (done.size() == 1) {
                home.put(map("shop", "fresh")); // while the others of the resync wait
            }
            return Result.done();
        }));
        manager.start();
        driver.settle();
        assertThat(done).hasSize(21);
        home.remove(ConfigMap.class, "shop", "fresh");
        driver.settle();
        done.clear();

        driver.advance(Duration.ofMinutes(1));

        assertThat(done).hasSize(21).contains("fresh");
        assertThat(done.indexOf("fresh")).as("place of the fresh key").isLessThanOrEqualTo(3);
    }

    // ---- Fairness, modes, logs -------------------------------------------------------------------------------------

    @Test
    void givenALoudTenant_whenAQuietOneComes_thenItIsNotKeptWaiting() {
        for (int i = 0; i < 20; i++) {
            home.put(map("loud", "m" + i));
        }
        home.put(map("quiet", "m"));
        DefaultManager manager =
                DefaultManager.builder(driver, home.client(driver)).build();
        manager.add(Controller.of("maps", ConfigMap.class)
                .fairBy(Request::namespace)
                .reconcile(request -> {
                    done.add(request.namespace());
                    return Result.done();
                }));
        manager.start();
        driver.settle();

        assertThat(done).hasSize(21);
        assertThat(done.indexOf("quiet")).isLessThanOrEqualTo(1);
    }

    @Test
    void givenAReadOnlyManager_whenItReconciles_thenNothingIsWrittenAndItSaysSo() {
        home.put(map("shop", "a"));
        DefaultManager manager = DefaultManager.builder(
                        driver,
                        Clients.over(
                                home, "http://fake", driver, ClientOptions.DEFAULT.withWrites(WriteMode.READ_ONLY)))
                .build();
        Client client = manager.client("maps");
        manager.add(Controller.of("maps", ConfigMap.class).maxRetries(0).reconcile(request -> {
            try {
                client.update(MAPS, map("shop", "a"));
            } catch (ApiException e) {
                done.add(e.getMessage());
            }
            return Result.done();
        }));
        long revision = home.revision();
        manager.start();
        driver.settle();

        assertThat(done).containsExactly("this client only reads, not sent: PUT /api/v1/namespaces/shop/configmaps/a");
        assertThat(home.revision()).isEqualTo(revision);
    }

    @Test
    void givenAReconcile_whenItLogs_thenEachLineCarriesWhichItIs() throws Exception {
        Field adapter = adapterOfMdc();
        Object before = adapter.get(null);
        adapter.set(null, new BasicMDCAdapter());
        try {
            home.put(map("shop", "a"));
            DefaultManager manager =
                    DefaultManager.builder(driver, home.client(driver)).build();
            manager.add(Controller.of("maps", ConfigMap.class).reconcile(request -> {
                done.add(new TreeMap<>(MDC.getCopyOfContextMap()).toString());
                return Result.done();
            }));
            manager.start();
            driver.settle();
            assertThat(MDC.getCopyOfContextMap()).isNullOrEmpty();
        } finally {
            adapter.set(null, before);
        }
        assertThat(done).containsExactly("{controller=maps, name=a, namespace=shop, reconcileID=maps-1}");
    }

    /** The library of the tests has none; a program's has. */
    private static Field adapterOfMdc() {
        for (Field field : MDC.class.getDeclaredFields()) {
            if (field.getType().getSimpleName().equals("MDCAdapter")) {
                field.setAccessible(true);
                return field;
            }
        }
        throw new AssertionError("SLF4J keeps its adapter elsewhere now");
    }

    // ---- Health, components, helpers -------------------------------------------------------------------------------

    @Test
    void givenAManager_whenACacheFallsBehind_thenTheChecksSayWhich() {
        DefaultManager manager =
                DefaultManager.builder(driver, home.client(driver)).build();
        manager.add(Controller.of("maps", ConfigMap.class).reconcile(request -> Result.done()));
        Health.Check synced = ManagerChecks.synced(manager);
        Health.Check current = ManagerChecks.upToDate(manager, Duration.ofMinutes(1));
        assertThat(synced.problem()).contains("configmaps is not synced");

        manager.start();
        driver.settle();
        assertThat(synced.problem()).isEmpty();
        assertThat(current.problem()).isEmpty();

        home.serve("/api/v1/configmaps", false);
        home.endWatches(new IOException("gone"));
        driver.advance(Duration.ofMinutes(5));
        assertThat(current.problem().orElseThrow()).startsWith("configmaps is ").endsWith(" s behind");
    }

    @Test
    void givenAPeriodicComponent_whenAPassThrows_thenTheNextComesUntilItIsClosed() {
        VirtualDriver own = VirtualDriver.create();
        DefaultManager manager = DefaultManager.builder(own, home.client(own)).build();
        manager.add(Periodic.of("sweep", own, Duration.ofSeconds(20), () -> {
            done.add(own.now().toString());
            if (done.size() == 2) {
                throw new IllegalStateException("once");
            }
        }));
        manager.start();
        own.advance(Duration.ofSeconds(65));
        assertThat(done).hasSize(4);
        assertThat(own.failures()).hasSize(1);

        manager.close();
        own.advance(Duration.ofMinutes(5));
        assertThat(done).hasSize(4);
    }

    @Test
    void givenSomebodyElseWhoWrites_whenAnObjectIsEdited_thenItIsTriedAgainWithTheNewerOne() {
        home.put(map("shop", "a"));
        Client client = home.client(driver);
        List<String> seen = new ArrayList<>();

        ConfigMap stored = Edits.object(client, MAPS, "shop", "a", m -> {
            seen.add(m.getData().toString());
            if (seen.size() == 1) {
                ConfigMap theirs = map("shop", "a");
                theirs.setData(Map.of("a", "theirs"));
                home.put(theirs);
            }
            m.setData(new TreeMap<>(m.getData()));
            m.getData().put("b", "ours");
            return m;
        });

        assertThat(seen).containsExactly("{a=1}", "{a=theirs}");
        assertThat(stored.getData()).containsEntry("a", "theirs").containsEntry("b", "ours");
        assertThatThrownBy(() -> Edits.object(client, MAPS, "shop", "none", m -> m))
                .matches(e -> ((ApiException) e).isNotFound());
    }

    @Test
    void givenAConditionThatStays_whenSetAgain_thenItsTransitionIsOfOld() {
        Instant first = Instant.parse("2026-01-01T00:00:00Z");
        List<Condition> one = Conditions.with(null, "Ready", false, "Starting", "", 1, first);
        List<Condition> two = Conditions.with(one, "Ready", false, "Waiting", "", 2, first.plusSeconds(60));
        List<Condition> three = Conditions.with(two, "Ready", true, "Up", "", 2, first.plusSeconds(90));

        assertThat(two).hasSize(1);
        assertThat(two.get(0).getLastTransitionTime()).isEqualTo("2026-01-01T00:00:00Z");
        assertThat(two.get(0).getReason()).isEqualTo("Waiting");
        assertThat(Conditions.isTrue(three, "Ready")).isTrue();
        assertThat(three.get(0).getLastTransitionTime()).isEqualTo("2026-01-01T00:01:30Z");
    }
}
