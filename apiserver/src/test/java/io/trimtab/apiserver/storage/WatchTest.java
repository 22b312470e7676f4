package io.trimtab.apiserver.storage;

import static io.trimtab.apiserver.storage.StorageFixture.ALL_FIELDS;
import static io.trimtab.apiserver.storage.StorageFixture.ALL_LABELS;
import static io.trimtab.apiserver.storage.StorageFixture.NODES;
import static io.trimtab.apiserver.storage.StorageFixture.PODS;
import static io.trimtab.apiserver.storage.StorageFixture.drain;
import static io.trimtab.apiserver.storage.StorageFixture.labelled;
import static io.trimtab.apiserver.storage.StorageFixture.onNode;
import static io.trimtab.apiserver.storage.StorageFixture.pod;
import static io.trimtab.apiserver.storage.StorageFixture.text;
import static io.trimtab.apiserver.storage.StorageFixture.watch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.apiserver.storage.Storage.WatchQuery;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelectors;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WatchTest {
    private final VirtualDriver driver = VirtualDriver.create();
    private final MemoryStore store = MemoryStore.create();
    private final DefaultStorage storage = new DefaultStorage(
            store, driver, StorageFixture::fieldsOf, new DefaultStorage.Options(100, 16, Duration.ofMinutes(5)));

    private static WatchQuery fields(String selector) {
        return new WatchQuery(null, ALL_LABELS, FieldSelector.parse(selector), 0, false, false, Duration.ofHours(1));
    }

    @Test
    void givenAWatch_whenObjectsChange_thenItHearsOfEachInOrder() {
        storage.create(PODS, pod("a", "before"));
        EventSource watch = storage.watch(PODS, watch(null, storage.revision()));

        StoredObject x = storage.create(PODS, pod("a", "x"));
        StoredObject changed =
                storage.replace(PODS, x, labelled(x.copy(), "app", "web")).orElseThrow();
        storage.create(NODES, pod("", "node"));
        storage.delete(PODS, changed);

        assertThat(drain(watch)).containsExactly("ADDED x@3", "MODIFIED x@4", "DELETED x@6");
        assertThat(watch.isEnded()).isFalse();
    }

    @Test
    void givenADeletion_thenItsEventCarriesTheLastStateWithTheNewRevision() {
        StoredObject x = storage.create(PODS, labelled(pod("a", "x"), "app", "web"));
        EventSource watch = storage.watch(PODS, watch(null, storage.revision()));

        storage.delete(PODS, x);

        EventSource.Event event = watch.poll();
        assertThat(event.revision()).isEqualTo(3);
        assertThat(text(event.object()))
                .isEqualTo(text(x).replace("\"resourceVersion\":\"2\"", "\"resourceVersion\":\"3\""));
    }

    @Test
    void givenALabelSelector_whenAnObjectComesAndGoesOutOfIt_thenThatIsAddedAndDeleted() {
        EventSource watch = storage.watch(
                PODS,
                new WatchQuery(
                        null, LabelSelectors.parse("app=web"), ALL_FIELDS, 0, false, false, Duration.ofHours(1)));

        StoredObject v2 = storage.create(PODS, labelled(pod("a", "x"), "app", "db"));
        StoredObject v3 =
                storage.replace(PODS, v2, labelled(v2.copy(), "app", "web")).orElseThrow();
        StoredObject v4 =
                storage.replace(PODS, v3, labelled(v3.copy(), "b", "1")).orElseThrow();
        StoredObject v5 =
                storage.replace(PODS, v4, labelled(v4.copy(), "app", "db")).orElseThrow();
        StoredObject v6 =
                storage.replace(PODS, v5, labelled(v5.copy(), "b", "2")).orElseThrow();
        storage.delete(PODS, v6);

        List<EventSource.Event> events = new ArrayList<>();
        for (EventSource.Event e = watch.poll(); e != null; e = watch.poll()) {
            events.add(e);
        }
        assertThat(events.stream().map(e -> e.type() + "@" + e.revision()))
                .containsExactly("ADDED@3", "MODIFIED@4", "DELETED@5");
        assertThat(text(events.get(2).object())).contains("\"app\":\"web\"").contains("\"resourceVersion\":\"5\"");
    }

    @Test
    void givenFieldSelectors_whenPodsMoveBetweenNodes_thenEachWatchHearsItsOwn() {
        EventSource n1 = storage.watch(PODS, fields("spec.nodeName=n1"));
        EventSource n2 = storage.watch(PODS, fields("spec.nodeName=n2"));
        EventSource none = storage.watch(PODS, fields("spec.nodeName="));
        EventSource notN1 = storage.watch(PODS, fields("spec.nodeName!=n1"));
        EventSource named = storage.watch(PODS, fields("metadata.name=x"));
        EventSource inNamespace = storage.watch(PODS, fields("metadata.namespace=b"));

        StoredObject x = storage.create(PODS, pod("a", "x"));
        StoredObject onN1 = storage.replace(PODS, x, onNode(x.copy(), "n1")).orElseThrow();
        storage.replace(PODS, onN1, onNode(onN1.copy(), "n2"));
        storage.create(PODS, onNode(pod("b", "y"), "n1"));

        assertThat(drain(n1)).containsExactly("ADDED x@3", "DELETED x@4", "ADDED y@5");
        assertThat(drain(n2)).containsExactly("ADDED x@4");
        assertThat(drain(none)).containsExactly("ADDED x@2", "DELETED x@3");
        assertThat(drain(notN1)).containsExactly("ADDED x@2", "DELETED x@3", "ADDED x@4");
        assertThat(drain(named)).containsExactly("ADDED x@2", "MODIFIED x@3", "MODIFIED x@4");
        assertThat(drain(inNamespace)).containsExactly("ADDED y@5");
    }

    @Test
    void givenANamespace_thenOthersAreNotHeard() {
        EventSource a = storage.watch(PODS, watch("a", 0));

        storage.create(PODS, pod("a", "x"));
        storage.create(PODS, pod("b", "y"));

        assertThat(drain(a)).containsExactly("ADDED x@2");
    }

    @Test
    void givenNoRevision_thenTheStateNowComesFirst() {
        storage.create(PODS, pod("a", "x"));
        storage.create(PODS, pod("a", "y"));
        EventSource watch = storage.watch(PODS, watch(null, -1));
        storage.create(PODS, pod("a", "z"));

        assertThat(drain(watch)).containsExactly("ADDED x@2", "ADDED y@3", "ADDED z@4");
    }

    @Test
    void givenAStreamingList_thenABookmarkEndsTheInitialEvents() {
        storage.create(PODS, pod("a", "x"));
        storage.create(NODES, pod("", "n"));
        EventSource watch =
                storage.watch(PODS, new WatchQuery(null, ALL_LABELS, ALL_FIELDS, -1, true, true, Duration.ofHours(1)));
        storage.create(PODS, pod("a", "y"));

        assertThat(drain(watch)).containsExactly("ADDED x@2", "BOOKMARK @3 end", "ADDED y@4");
        assertThatThrownBy(() -> storage.watch(
                        PODS, new WatchQuery(null, ALL_LABELS, ALL_FIELDS, 9, true, true, Duration.ofHours(1))))
                .hasMessage("Timeout: Too large resource version: 9, current: 4");
    }

    @Test
    void givenAnOldRevision_thenTheWatchGoesOnFromThereAlsoWhenTheCacheHasForgotten() {
        for (int i = 0; i < 50; i++) {
            storage.create(PODS, pod("a", "p" + i));
        }
        storage.create(NODES, pod("", "n"));

        assertThat(drain(storage.watch(PODS, watch(null, 1))))
                .hasSize(50)
                .startsWith("ADDED p0@2")
                .endsWith("ADDED p49@51");
        assertThat(drain(storage.watch(PODS, watch(null, 20)))).hasSize(31).startsWith("ADDED p19@21");
        assertThat(drain(storage.watch(PODS, watch(null, 45)))).hasSize(6).startsWith("ADDED p44@46");
        assertThat(drain(storage.watch(PODS, watch(null, 51)))).isEmpty();
        DefaultStorage fresh = new DefaultStorage(store, driver, StorageFixture::fieldsOf);
        assertThat(drain(fresh.watch(PODS, watch(null, 48))))
                .containsExactly("ADDED p47@49", "ADDED p48@50", "ADDED p49@51");
    }

    @Test
    void givenACompactedRevision_thenTheWatchSaysSoAndEnds() {
        for (int i = 0; i < 50; i++) {
            storage.create(PODS, pod("a", "p" + i));
        }
        store.compact(30);

        EventSource watch = storage.watch(PODS, watch(null, 20));

        EventSource.Event error = watch.poll();
        assertThat(error.type()).isEqualTo(EventSource.Type.ERROR);
        assertThat(error.error().toString())
                .isEqualTo("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
                        + "\"message\":\"too old resource version: 20 (30)\",\"reason\":\"Expired\",\"code\":410}");
        assertThat(watch.poll()).isNull();
        assertThat(watch.isEnded()).isTrue();
        assertThat(drain(storage.watch(PODS, watch(null, 30)))).hasSize(21);
    }

    @Test
    void givenARevisionToCome_thenTheWatchWaitsForIt() {
        EventSource watch = storage.watch(PODS, watch(null, 3));

        storage.create(PODS, pod("a", "x"));
        storage.create(PODS, pod("a", "y"));
        storage.create(PODS, pod("a", "z"));

        assertThat(drain(watch)).containsExactly("ADDED z@4");
    }

    @Test
    void givenBookmarks_thenTheyComeEveryMinuteAndShortlyBeforeTheEnd() {
        EventSource watch = storage.watch(
                PODS, new WatchQuery(null, ALL_LABELS, ALL_FIELDS, 1, false, true, Duration.ofSeconds(150)));
        storage.create(NODES, pod("", "n"));

        driver.advance(Duration.ofSeconds(61));
        assertThat(drain(watch)).containsExactly("BOOKMARK @2");
        storage.create(NODES, pod("", "m"));
        driver.advance(Duration.ofSeconds(60));
        assertThat(drain(watch)).containsExactly("BOOKMARK @3");
        driver.advance(Duration.ofSeconds(28));
        assertThat(drain(watch)).containsExactly("BOOKMARK @3");
        assertThat(watch.isEnded()).isFalse();
        driver.advance(Duration.ofSeconds(1));
        assertThat(watch.isEnded()).isTrue();
        assertThat(storage.watcherCount(PODS)).isZero();
        driver.advance(Duration.ofMinutes(3));
        assertThat(drain(watch)).isEmpty();
    }

    @Test
    void givenAnUnreadWatch_whenItsBufferIsFull_thenOnlyThatOneEnds() {
        EventSource slow = storage.watch(PODS, watch(null, 1));
        EventSource fast = storage.watch(PODS, watch(null, 1));
        List<String> heard = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            storage.create(PODS, pod("a", "p" + i));
            heard.addAll(drain(fast));
        }

        assertThat(heard).hasSize(150);
        assertThat(fast.isEnded()).isFalse();
        assertThat(slow.isEnded()).isFalse();
        assertThat(drain(slow)).hasSize(100).endsWith("ADDED p99@101");
        assertThat(slow.isEnded()).isTrue();
        assertThat(storage.watcherCount(PODS)).isEqualTo(1);
    }

    @Test
    void givenAConsumer_thenItIsWokenAtOnceIfThereIsSomethingAndWheneverThereIsAgain() {
        storage.create(PODS, pod("a", "x"));
        int[] woken = new int[1];
        EventSource watch = storage.watch(PODS, watch(null, -1));

        watch.onReady(() -> woken[0]++);
        assertThat(woken[0]).isEqualTo(1);
        assertThat(drain(watch)).hasSize(1);
        storage.create(PODS, pod("a", "y"));
        storage.create(PODS, pod("a", "z"));
        assertThat(woken[0]).isEqualTo(2);
        assertThat(drain(watch)).hasSize(2);
        storage.create(PODS, pod("a", "zz"));
        assertThat(woken[0]).isEqualTo(3);
        drain(watch);
        storage.forget(PODS);
        assertThat(woken[0]).isEqualTo(4);
        assertThat(watch.isEnded()).isTrue();
    }

    @Test
    void givenAClosedWatch_thenNothingIsLeftOfIt() {
        storage.create(PODS, pod("a", "x"));
        EventSource watch = storage.watch(PODS, watch(null, -1));
        storage.create(PODS, pod("a", "y"));

        watch.close();
        watch.close();
        storage.create(PODS, pod("a", "z"));

        assertThat(watch.poll()).isNull();
        assertThat(watch.isEnded()).isTrue();
        assertThat(storage.watcherCount(PODS)).isZero();
    }

    @Test
    void givenAForgottenResource_whenUsedAgain_thenItIsReadAnew() {
        storage.create(PODS, pod("a", "x"));
        storage.forget(PODS);
        storage.create(PODS, pod("a", "y"));

        assertThat(StorageFixture.names(storage.list(PODS, StorageFixture.list(null))))
                .containsExactly("x", "y");
    }
}
