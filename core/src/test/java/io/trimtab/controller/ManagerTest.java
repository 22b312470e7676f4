package io.trimtab.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.FakeApi;
import io.trimtab.client.ResourceType;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.selector.LabelSelectors;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ManagerTest {
    private static final ResourceType<Secret> SECRETS = ResourceType.of(Secret.class);

    private final VirtualDriver driver = VirtualDriver.create();
    private final FakeApi api = new FakeApi();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final List<String> failures = new ArrayList<>();
    private final DefaultManager manager = DefaultManager.builder(driver, api.client(driver))
            .metrics(meters)
            .observer(new ReconcileObserver() {
                @Override
                public void after(String controller, Request request, Result result, Throwable failure, Duration took) {
                    if (failure != null) {
                        failures.add(controller + " " + request + ": " + failure.getMessage());
                    }
                }
            })
            .build();
    private final List<String> runs = new ArrayList<>();
    private final List<Instant> times = new ArrayList<>();

    @AfterEach
    void noStepFailed() {
        assertThat(driver.failures()).isEmpty();
    }

    private static ConfigMap map(String name) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace("shop")
                .withName(name)
                .endMetadata()
                .build();
    }

    private static Secret secret(String name) {
        return new SecretBuilder()
                .withNewMetadata()
                .withNamespace("shop")
                .withName(name)
                .endMetadata()
                .build();
    }

    private void run(Controller.Builder builder, Reconciler reconciler) {
        manager.add(builder.reconcile(request -> {
            runs.add(request.name());
            times.add(driver.now());
            return reconciler.reconcile(request);
        }));
        manager.start();
        driver.settle();
    }

    private static Controller.Builder maps() {
        return Controller.of("maps", ConfigMap.class);
    }

    @Test
    void givenObjects_whenTheyChange_thenTheirKeysAreReconciled_manyWakesAtOnce() {
        api.put(map("a"));
        List<Enqueuer> queue = new ArrayList<>();
        run(maps().feeds(queue::add), r -> Result.done());
        assertThat(runs).containsExactly("a");

        api.put(map("b"));
        driver.settle();
        assertThat(runs).containsExactly("a", "b");
        for (int i = 0; i < 5; i++) {
            queue.get(0).add(new Request("shop", "b"));
        }
        driver.settle();
        assertThat(runs).containsExactly("a", "b", "b");
        assertThat(meters.get("controller.runtime.reconcile")
                        .tag("result", "success")
                        .counter()
                        .count())
                .isEqualTo(3);
    }

    @Test
    void givenManyWorkers_whenKeysAreSlow_thenDifferentKeysRunTogether_andOneKeyNeverTwice() {
        Map<String, Integer> inside = new HashMap<>();
        AtomicInteger most = new AtomicInteger();
        for (String name : new String[] {"a", "b", "c", "d"}) {
            api.put(map(name));
        }
        run(maps().workers(3), request -> {
            assertThat(inside.merge(request.name(), 1, Integer::sum)).isEqualTo(1);
            most.accumulateAndGet(inside.values().stream().mapToInt(i -> i).sum(), Math::max);
            api.put(map(request.name())); // wakes itself while it runs
            try {
                driver.await(new CompletableFuture<>(), Duration.ofSeconds(1)); // others run meanwhile
            } catch (TimeoutException e) {
                // a second has passed
            }
            inside.merge(request.name(), -1, Integer::sum);
            if (runs.size() > 20) {
                manager.close();
            }
            return Result.done();
        });
        driver.advance(Duration.ofSeconds(30));
        assertThat(failures).isEmpty();
        assertThat(most).hasValue(3);
        assertThat(runs.size()).isGreaterThan(20);
    }

    @Test
    void givenAReconcilerThatThrows_whenItGoesOn_thenTheKeyBacksOffExponentially_andOthersRun() {
        api.put(map("bad"));
        api.put(map("good"));
        run(maps(), request -> {
            if (request.name().equals("bad")) {
                throw new IllegalStateException("bug");
            }
            return Result.done();
        });
        assertThat(runs).containsExactly("bad", "good");
        times.clear();
        Instant start = driver.now();
        driver.advance(Duration.ofMillis(5 + 10 + 20 + 40));
        assertThat(times.stream().map(t -> Duration.between(start, t).toMillis()))
                .containsExactly(5L, 15L, 35L, 75L);
        assertThat(failures).hasSize(5).allMatch(f -> f.equals("maps shop/bad: bug"));
        assertThat(meters.get("controller.runtime.reconcile.errors").counter().count())
                .isEqualTo(5);
    }

    @Test
    void givenAnErrorOrACheckedException_whenThrown_thenTheWorkerSurvives() {
        api.put(map("a"));
        run(maps(), request -> {
            switch (runs.size()) {
                case 1 -> throw new StackOverflowError("deep");
                case 2 -> throw new java.io.IOException("disk");
                default -> {
                    return Result.done();
                }
            }
        });
        driver.advance(Duration.ofSeconds(1));
        assertThat(runs).hasSize(3);
        assertThat(failures).containsExactly("maps shop/a: deep", "maps shop/a: disk");
    }

    @Test
    void givenMaxRetries_whenTheyAreUsedUp_thenTheKeyIsDroppedUntilSomethingWakesIt() {
        api.put(map("a"));
        run(maps().maxRetries(2), request -> {
            throw new ApiException("no", null);
        });
        driver.advance(Duration.ofHours(1));
        assertThat(runs).hasSize(3);
        api.put(map("a"));
        driver.advance(Duration.ofHours(1));
        assertThat(runs).hasSize(6);
    }

    @Test
    void givenANullResult_whenReturned_thenTheMessageNamesControllerAndObject() {
        api.put(map("a"));
        run(maps().maxRetries(0), request -> null);
        assertThat(failures)
                .containsExactly("maps shop/a: controller maps: the reconciler returned null for shop/a; expected a"
                        + " Result, such as Result.done()");
    }

    @Test
    void givenResults_whenReturned_thenTheyMeanWhatTheySay() {
        api.put(map("a"));
        run(maps(), request -> switch (runs.size()) {
            case 1 -> Result.again();
            case 2 -> Result.after(Duration.ofMinutes(5));
            case 3 -> Result.again();
            default -> Result.done();
        });
        Instant start = times.get(0);
        driver.advance(Duration.ofHours(1));
        assertThat(times.stream().map(t -> Duration.between(start, t).toMillis()))
                .containsExactly(0L, 5L, 300_005L, 300_010L); // after() has forgotten the failure before it
    }

    @Test
    void givenACacheThatLagsBehind_whenAKeyHasWritten_thenItWaitsUntilTheCacheShowsIt() {
        Lister<Secret> secrets = manager.informers().informer(Secret.class).lister();
        Client client = manager.client("maps");
        api.put(map("a"));
        api.pauseWatches(false);
        run(maps().watches(Secret.class, Requests.of(s -> List.of(new Request("shop", "a")))), request -> {
            if (secrets.list("shop").isEmpty()) {
                api.pauseWatches(true); // from here on, the cache does not hear of what is written
                client.create(SECRETS, secret("s" + runs.size()));
                return Result.after(Duration.ofSeconds(1));
            }
            return Result.done();
        });
        assertThat(runs).hasSize(1);
        driver.advance(Duration.ofSeconds(5));
        assertThat(runs).as("parked: a second run would create a second secret").hasSize(1);

        api.pauseWatches(false);
        driver.settle();
        assertThat(runs).hasSize(2);
        assertThat(secrets.list("shop")).hasSize(1);
    }

    @Test
    void givenACacheThatNeverShowsTheWrite_whenTenSecondsHavePassed_thenTheKeyRunsAllTheSame() {
        Client client = manager.client("maps");
        api.put(map("a"));
        run(maps().watches(Secret.class, (change, queue) -> {}), request -> {
            if (runs.size() == 1) {
                api.pauseWatches(true);
                client.create(SECRETS, secret("s"));
                return Result.after(Duration.ofSeconds(1));
            }
            return Result.done();
        });
        driver.advance(Duration.ofSeconds(10));
        assertThat(runs).hasSize(1);
        driver.advance(Duration.ofSeconds(1));
        assertThat(runs).hasSize(2);
        driver.advance(Duration.ofMinutes(1));
        assertThat(runs).hasSize(2);
    }

    @Test
    void givenADeletion_whenTheCacheStillShowsTheObject_thenTheKeyWaitsUntilItIsGone() {
        Client client = manager.client("maps");
        api.put(map("a"));
        api.put(secret("s"));
        run(maps().watches(Secret.class, (change, queue) -> {}), request -> {
            if (runs.size() == 1) {
                api.pauseWatches(true);
                client.delete(SECRETS, "shop", "s", new DeleteOptions());
                return Result.after(Duration.ofSeconds(1));
            }
            return Result.done();
        });
        driver.advance(Duration.ofSeconds(5));
        assertThat(runs).hasSize(1);
        api.pauseWatches(false);
        driver.settle();
        assertThat(runs).hasSize(2);
    }

    @Test
    void givenParallelTasks_whenTheyWrite_thenItCountsForTheReconcile_andOneFailureStopsNoOther() {
        Client client = manager.client("maps");
        List<Parallel.Outcome<Secret>> outcomes = new ArrayList<>();
        api.put(map("a"));
        run(maps().watches(Secret.class, (change, queue) -> {}), request -> {
            if (runs.size() == 1) {
                api.pauseWatches(true);
                outcomes.addAll(Parallel.run(
                        driver,
                        List.of(
                                () -> {
                                    throw new IllegalStateException("first");
                                },
                                () -> client.create(SECRETS, secret("s")))));
                return Result.after(Duration.ofSeconds(1));
            }
            return Result.done();
        });
        assertThat(outcomes.get(0).failure()).hasMessage("first");
        assertThat(outcomes.get(1).isSuccess()).isTrue();
        driver.advance(Duration.ofSeconds(5));
        assertThat(runs).hasSize(1);
        api.pauseWatches(false);
        driver.settle();
        assertThat(runs).hasSize(2);
    }

    @Test
    void givenOneResourceNobodyServes_whenStarted_thenOnlyItsOwnControllersWait() {
        api.serve("/api/v1/secrets", false);
        api.put(map("a"));
        List<String> waiting = new ArrayList<>();
        manager.add(Controller.of("secrets", Secret.class).reconcile(r -> {
            waiting.add(r.name());
            return Result.done();
        }));
        List<String> parts = new ArrayList<>();
        manager.add(new Manager.Component() {
            @Override
            public String name() {
                return "part";
            }

            @Override
            public void start() {
                parts.add("start");
            }

            @Override
            public void close() {
                parts.add("close");
            }
        });
        run(maps(), r -> Result.done());
        assertThat(runs).containsExactly("a");
        assertThat(parts).isEmpty();

        api.serve("/api/v1/secrets", true);
        api.put(secret("s"));
        driver.advance(Duration.ofSeconds(30));
        assertThat(waiting).containsExactly("s");
        assertThat(parts).containsExactly("start");
        manager.close();
        assertThat(parts).containsExactly("start", "close");
    }

    @Test
    void givenAControllerAddedLate_whenTheManagerRuns_thenItWorksOnWhatIsThere() {
        api.put(map("a"));
        run(maps(), r -> Result.done());
        List<String> late = new ArrayList<>();
        Controller controller = Controller.of("late", ConfigMap.class).reconcile(r -> {
            late.add(r.name());
            return Result.done();
        });
        manager.add(controller);
        driver.settle();
        assertThat(late).containsExactly("a");
        assertThatThrownBy(() -> manager.add(controller)).hasMessage("there is a controller named late already");
    }

    @Test
    void givenARunningManager_whenClosed_thenNothingRunsOrWatchesAnyMore() {
        api.put(map("a"));
        run(maps(), r -> Result.after(Duration.ofSeconds(1)));
        manager.close();
        driver.settle();
        int before = runs.size();
        api.put(map("b"));
        driver.advance(Duration.ofMinutes(10));
        assertThat(runs).hasSize(before);
        assertThat(api.openWatches()).isZero();
    }

    @Test
    void givenOldAndNewKeys_whenBothWait_thenWhatHappensNowComesFirst() {
        List<Enqueuer> queue = new ArrayList<>();
        api.put(map("old"));
        run(maps().feeds(queue::add).feeds(q -> q.add(new Request("shop", "urgent"))), r -> Result.done());
        assertThat(runs).containsExactly("urgent", "old");
        queue.get(0).addAfter(new Request("shop", "timer"), Duration.ofSeconds(3));
        driver.advance(Duration.ofSeconds(3));
        assertThat(runs).endsWith("timer");
    }

    @Test
    void givenOwners_whenAChildChanges_thenTheOwnerIsWoken() {
        run(Controller.of("maps", ConfigMap.class).owns(Secret.class), r -> Result.done());
        Secret child = secret("s");
        child.getMetadata()
                .setOwnerReferences(List.of(new io.fabric8.kubernetes.api.model.OwnerReferenceBuilder()
                        .withApiVersion("v1")
                        .withKind("ConfigMap")
                        .withName("parent")
                        .withUid("u")
                        .withController(true)
                        .build()));
        api.put(child);
        driver.settle();
        assertThat(runs).containsExactly("parent");
    }

    @Test
    void givenSelectors_whenLabelsChange_thenWhoSelectedOrSelectsIsWoken() {
        // Secrets play pods, config maps play services: data is the selector.
        for (String app : new String[] {"web", "db", "idle"}) {
            ConfigMap service = map(app);
            service.setData(Map.of("app", app));
            api.put(service);
        }
        var services = manager.informers().informer(ConfigMap.class);
        run(
                Controller.named("services")
                        .watches(Secret.class, Requests.selectedBy(services, s -> LabelSelectors.of(s.getData()))),
                r -> Result.done());
        Secret pod = secret("p");
        pod.getMetadata().setLabels(Map.of("app", "web"));
        api.put(pod);
        driver.settle();
        assertThat(runs).containsExactly("web");
        pod.getMetadata().setLabels(Map.of("app", "db"));
        api.put(pod);
        driver.settle();
        assertThat(runs).containsExactlyInAnyOrder("web", "web", "db");
    }

    @Test
    void givenOwnWrites_whenEvents_thenTheRecorderIsOnePerComponent() {
        assertThat(manager.events("x")).isSameAs(manager.events("x"));
        assertThat(manager.client("x")).isNotNull();
    }
}
