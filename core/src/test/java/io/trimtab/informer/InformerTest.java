package io.trimtab.informer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.trimtab.client.FakeApi;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.runtime.VirtualDriver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InformerTest {
    private final VirtualDriver driver = VirtualDriver.create();
    private final FakeApi api = new FakeApi();
    private DefaultInformerFactory factory = new DefaultInformerFactory(api.client(driver), driver);
    private final List<String> heard = new ArrayList<>();

    @AfterEach
    void noStepFailed() {
        assertThat(driver.failures()).isEmpty();
    }

    private static ConfigMap map(String name, String value) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace("shop")
                .withName(name)
                .addToLabels("value", value)
                .addNewOwnerReference()
                .withUid("owner-" + value)
                .endOwnerReference()
                .endMetadata()
                .addToData("k", value)
                .build();
    }

    private static EventHandler<ConfigMap> handler(List<String> into) {
        return new EventHandler<>() {
            @Override
            public void onAdd(ConfigMap object, boolean initial) {
                into.add("+" + text(object) + (initial ? " initial" : ""));
            }

            @Override
            public void onUpdate(ConfigMap old, ConfigMap object) {
                into.add("~" + text(old) + ">" + text(object));
            }

            @Override
            public void onDelete(ConfigMap object, boolean finalStateUnknown) {
                into.add("-" + text(object) + (finalStateUnknown ? " unknown" : ""));
            }

            private String text(ConfigMap object) {
                return object.getMetadata().getName() + "=" + object.getData().get("k");
            }
        };
    }

    private SharedInformer<ConfigMap> start() {
        SharedInformer<ConfigMap> informer = factory.informer(ConfigMap.class);
        informer.addHandler(handler(heard));
        factory.start();
        driver.settle();
        return informer;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void givenObjects_whenStarted_thenTheCacheHasThemAndFollows(boolean streaming) {
        api.streamingLists(streaming);
        api.put(map("a", "1"));
        SharedInformer<ConfigMap> informer = start();
        assertThat(informer.isSynced()).isTrue();
        assertThat(factory.isSynced()).isTrue();
        assertThat(informer.revision()).isEqualTo(api.revision());

        api.put(map("a", "2"));
        api.put(map("b", "1"));
        api.remove(ConfigMap.class, "shop", "a");
        driver.settle();
        assertThat(heard).containsExactly("+a=1 initial", "~a=1>a=2", "+b=1", "-a=2");
        assertThat(informer.lister().list()).hasSize(1);
        assertThat(informer.revision()).isEqualTo(api.revision());
        assertThat(api.openWatches()).isEqualTo(1);
    }

    @Test
    void givenTwoThousandObjects_whenListed_thenInPagesOfFiveHundred() {
        api.streamingLists(false);
        for (int i = 0; i < 2001; i++) {
            api.put(map("m" + i, "1"));
        }
        SharedInformer<ConfigMap> informer = start();
        assertThat(informer.lister().list()).hasSize(2001);
        assertThat(api.seen().stream().filter(s -> !s.isWatch()))
                .hasSize(5)
                .allMatch(s -> s.pathAndQuery().contains("limit=500"));
    }

    @Test
    void givenATokenThatExpires_whenListed_thenAllIsListedAtOnce() {
        api.streamingLists(false);
        for (int i = 0; i < 501; i++) {
            api.put(map("m" + i, "1"));
        }
        api.failNext(
                s -> s.pathAndQuery().contains("continue="),
                410,
                Map.of(),
                FakeApi.status(410, "Expired", "too old").body());
        assertThat(start().lister().list()).hasSize(501);
        assertThat(api.seen().get(3).pathAndQuery()).isEqualTo("/api/v1/configmaps");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void givenMissedChanges_whenTheRevisionHasExpired_thenEachIsToldAfterAll(boolean streaming) {
        api.streamingLists(streaming);
        api.put(map("gone", "1"));
        api.put(map("same", "1"));
        api.put(map("changed", "1"));
        api.put(map("replaced", "1"));
        SharedInformer<ConfigMap> informer = start();
        ConfigMap same = informer.lister().get("shop", "same").orElseThrow();
        heard.clear();

        api.pauseWatches(true);
        api.remove(ConfigMap.class, "shop", "gone");
        api.put(map("changed", "2"));
        api.remove(ConfigMap.class, "shop", "replaced");
        api.put(map("replaced", "2"));
        api.put(map("new", "1"));
        api.compact();
        api.endWatches(new IOException("reset"));
        driver.advance(Duration.ofMinutes(1));

        assertThat(heard)
                .containsExactlyInAnyOrder(
                        "-gone=1 unknown", "~changed=1>changed=2", "-replaced=1 unknown", "+replaced=2", "+new=1");
        assertThat(heard.indexOf("-replaced=1 unknown")).isLessThan(heard.indexOf("+replaced=2"));
        assertThat(informer.lister().get("shop", "same").orElseThrow()).isSameAs(same);
        assertThat(informer.revision()).isEqualTo(api.revision());
    }

    @Test
    void givenABrokenWatch_whenItIsOpenedAgain_thenNothingIsListedAndNothingMissed() {
        SharedInformer<ConfigMap> informer = start();
        api.forget();
        api.endWatches(new IOException("reset"));
        api.put(map("a", "1"));
        driver.settle();
        assertThat(heard).isEmpty();
        driver.advance(Duration.ofSeconds(2));
        assertThat(heard).containsExactly("+a=1");
        assertThat(api.seen()).hasSize(1).allMatch(FakeApi.Seen::isWatch);
        assertThat(informer.revision()).isEqualTo(api.revision());
    }

    @Test
    void givenAWatchEndedInGoodOrder_whenItWasLong_thenItGoesOnAtOnce() {
        start();
        driver.advance(Duration.ofMinutes(4));
        api.bookmark();
        api.endWatches(null);
        driver.settle();
        assertThat(api.openWatches()).isEqualTo(1);
        assertThat(api.seen().get(api.seen().size() - 1).pathAndQuery()).contains("resourceVersion=" + api.revision());
    }

    @Test
    void givenABookmark_whenItComes_thenTheRevisionMoves() {
        SharedInformer<ConfigMap> informer = start();
        api.compact();
        assertThat(informer.revision()).isLessThan(api.revision());
        api.bookmark();
        driver.settle();
        assertThat(informer.revision()).isEqualTo(api.revision());
    }

    @Test
    void givenAResourceNobodyServes_whenItIsServedLater_thenTheInformerComesBack_andIsQuietMeanwhile() {
        api.serve("/api/v1/configmaps", false);
        SharedInformer<ConfigMap> informer = start();
        driver.advance(Duration.ofMinutes(10));
        assertThat(informer.isSynced()).isFalse();
        assertThat(api.seen()).hasSizeBetween(12, 40);

        api.serve("/api/v1/configmaps", true);
        driver.advance(Duration.ofMinutes(1));
        assertThat(informer.isSynced()).isTrue();
    }

    @Test
    void givenFailures_whenTheyGoOn_thenTheWaitsDoubleUpToThirtySeconds() {
        List<Duration> waits = new ArrayList<>();
        Backoff backoff = new Backoff(driver);
        for (int i = 0; i < 8; i++) {
            waits.add(backoff.failure());
        }
        long[] bases = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
        for (int i = 0; i < bases.length; i++) {
            assertThat(waits.get(i).toMillis()).isBetween(bases[i], 2 * bases[i]);
        }
        driver.advance(Duration.ofSeconds(121));
        assertThat(backoff.failure().toMillis()).isBetween(800L, 1600L);
    }

    @Test
    void givenALateHandler_whenAdded_thenItHearsWhatIsThere_andARemovedOneNothing() throws Exception {
        SharedInformer<ConfigMap> informer = start();
        api.put(map("a", "1"));
        driver.settle();
        List<String> late = new ArrayList<>();
        AutoCloseable registration = informer.addHandler(handler(late));
        api.put(map("b", "1"));
        driver.settle();
        assertThat(late).containsExactly("+a=1 initial", "+b=1");

        registration.close();
        api.put(map("c", "1"));
        driver.settle();
        assertThat(late).hasSize(2);
        assertThat(heard).hasSize(3);
    }

    @Test
    void givenAHandlerThatThrows_whenEventsCome_thenItAndTheOthersGoOnHearing() {
        SharedInformer<ConfigMap> informer = factory.informer(ConfigMap.class);
        AtomicInteger calls = new AtomicInteger();
        informer.addHandler(new EventHandler<>() {
            @Override
            public void onAdd(ConfigMap object, boolean initial) {
                calls.incrementAndGet();
                throw new IllegalStateException("bug in a handler");
            }

            @Override
            public void onUpdate(ConfigMap old, ConfigMap object) {}

            @Override
            public void onDelete(ConfigMap object, boolean finalStateUnknown) {}
        });
        start();
        api.put(map("a", "1"));
        api.put(map("b", "1"));
        driver.settle();
        assertThat(calls).hasValue(2);
        assertThat(heard).containsExactly("+a=1", "+b=1");
    }

    @Test
    void givenAnActionThatWaitsForARevision_whenTheCacheSeesIt_thenItRunsOnceAfterTheHandlers() {
        SharedInformer<ConfigMap> informer = factory.informer(ConfigMap.class);
        informer.whenAtLeast(1, () -> heard.add("synced"));
        api.put(map("a", "1"));
        start();
        assertThat(heard).containsExactly("+a=1 initial", "synced");

        api.pauseWatches(true);
        long revision = api.put(map("a", "2"));
        informer.whenAtLeast(revision, () -> heard.add("seen"));
        driver.settle();
        assertThat(heard).hasSize(2);
        api.pauseWatches(false);
        driver.settle();
        assertThat(heard).endsWith("~a=1>a=2", "seen");

        informer.whenAtLeast(revision, () -> heard.add("at once"));
        assertThat(heard).endsWith("at once");
        api.put(map("a", "3"));
        driver.settle();
        assertThat(heard.stream().filter("seen"::equals)).hasSize(1);
    }

    @Test
    void givenDuplicatedAndLateEvents_whenTheyCome_thenTheCacheNeverGoesBack() {
        SharedInformer<ConfigMap> informer = start();
        api.put(map("a", "1"));
        String first = api.find(ConfigMap.class, "shop", "a").orElseThrow().toString();
        api.put(map("a", "2"));
        String second = api.find(ConfigMap.class, "shop", "a").orElseThrow().toString();
        api.sendLine("{\"type\":\"MODIFIED\",\"object\":" + second + "}");
        api.sendLine("{\"type\":\"ADDED\",\"object\":" + first + "}");
        api.remove(ConfigMap.class, "shop", "a");
        api.sendLine("{\"type\":\"MODIFIED\",\"object\":" + second + "}");
        driver.settle();
        assertThat(heard).containsExactly("+a=1", "~a=1>a=2", "-a=2");
        assertThat(informer.lister().list()).isEmpty();
    }

    @Test
    void givenAStaleList_whenListedAgain_thenTheCacheDoesNotGoBack() {
        api.streamingLists(false);
        api.put(map("a", "1"));
        SharedInformer<ConfigMap> informer = start();
        long before = informer.revision();
        api.compact();
        api.failNext(s -> !s.isWatch(), 200, Map.of(), "{\"metadata\":{\"resourceVersion\":\"50\"},\"items\":[]}");
        api.endWatches(new IOException("reset"));
        driver.advance(Duration.ofSeconds(30));
        assertThat(heard).containsExactly("+a=1 initial");
        assertThat(informer.revision()).isGreaterThan(before);
    }

    @Test
    void givenIndexes_whenObjectsChange_thenTheyFollow() {
        api.put(map("a", "1"));
        SharedInformer<ConfigMap> informer = start();
        informer.addIndex("value", m -> List.of(m.getData().get("k"))); // late: over what is there
        assertThat(informer.lister().byIndex("value", "1")).hasSize(1);
        api.put(map("a", "2"));
        api.put(map("b", "2"));
        driver.settle();
        Lister<ConfigMap> lister = informer.lister();
        assertThat(lister.byIndex("value", "1")).isEmpty();
        assertThat(lister.byIndex("value", "2")).hasSize(2);
        assertThat(lister.byIndex(SharedInformer.BY_OWNER_UID, "owner-2")).hasSize(2);
        assertThat(lister.list("shop")).hasSize(2);
        assertThat(lister.list("other")).isEmpty();
        api.remove(ConfigMap.class, "shop", "b");
        driver.settle();
        assertThat(lister.byIndex("value", "2")).hasSize(1);
        assertThatThrownBy(() -> lister.byIndex("nope", "2")).hasMessageContaining("no index named nope");
    }

    @Test
    void givenAResyncPeriod_whenItPasses_thenEachObjectIsToldAgain() {
        factory = new DefaultInformerFactory(
                api.client(driver), driver, DefaultInformerFactory.Options.DEFAULT.withResync(Duration.ofMinutes(1)));
        api.put(map("a", "1"));
        start();
        driver.advance(Duration.ofMinutes(2));
        assertThat(heard).containsExactly("+a=1 initial", "~a=1>a=1", "~a=1>a=1");
    }

    @Test
    void givenAServerThatIgnoresStreamingLists_whenNothingComes_thenItIsListedInPages() {
        api.put(map("a", "1"));
        api.failNext(FakeApi.Seen::isWatch, 200, Map.of(), "");
        assertThat(start().isSynced()).isTrue();
        assertThat(heard).containsExactly("+a=1 initial");
    }

    @Test
    void givenTheFactory_whenAskedTwice_thenOneInformer_andClosedItWatchesNoMore() {
        SharedInformer<ConfigMap> informer = start();
        assertThat(factory.informer(ConfigMap.class)).isSameAs(informer);
        ResourceType<ConfigMap> type = ResourceType.of(ConfigMap.class);
        assertThat(factory.existing(type, WatchScope.ALL)).containsSame(informer);
        assertThat(factory.existing(type, WatchScope.namespace("x"))).isEmpty();
        factory.close();
        driver.settle();
        assertThat(api.openWatches()).isZero();
        api.put(map("a", "1"));
        driver.advance(Duration.ofMinutes(20));
        assertThat(heard).isEmpty();
    }
}
