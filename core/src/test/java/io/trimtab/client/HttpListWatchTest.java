package io.trimtab.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.trimtab.runtime.VirtualDriver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HttpListWatchTest {
    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);
    private static final Duration FIVE_MINUTES = Duration.ofMinutes(5);

    private final VirtualDriver driver = VirtualDriver.create();
    private final FakeApi api = new FakeApi();
    private final FabricClient client = api.client(driver);
    private final ListWatch<ConfigMap> maps = client.listWatch(MAPS, WatchScope.ALL);
    private final List<WatchEvent<ConfigMap>> events = new ArrayList<>();

    private static ConfigMap map(String name) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace("shop")
                .withName(name)
                .addNewManagedField()
                .withManager("me")
                .endManagedField()
                .endMetadata()
                .build();
    }

    private List<String> told() {
        List<String> lines = new ArrayList<>();
        for (WatchEvent<ConfigMap> event : events) {
            if (event instanceof WatchEvent.Added<ConfigMap> e) {
                lines.add("+" + e.object().getMetadata().getName());
            } else if (event instanceof WatchEvent.Modified<ConfigMap> e) {
                lines.add("~" + e.object().getMetadata().getName());
            } else if (event instanceof WatchEvent.Deleted<ConfigMap> e) {
                lines.add("-" + e.object().getMetadata().getName());
            } else if (event instanceof WatchEvent.Bookmark<ConfigMap> e) {
                lines.add("@" + e.resourceVersion() + (e.initialEventsEnd() ? " end" : ""));
            } else if (event instanceof WatchEvent.Closed<ConfigMap> e) {
                lines.add("closed" + (e.cause() == null ? "" : " " + e.cause().code()));
            }
        }
        return lines;
    }

    @Test
    void givenChanges_whenWatched_thenEachIsToldOnceAndInOrder() throws Exception {
        for (int size : new int[] {Integer.MAX_VALUE, 7}) { // whole lines, and pieces of lines
            events.clear();
            api.chunkSize(size);
            AutoCloseable watch = maps.watch(Long.toString(api.revision()), false, FIVE_MINUTES, events::add);
            assertThat(events).isEmpty();
            driver.settle();
            api.put(map("a"));
            api.put(map("a"));
            api.remove(ConfigMap.class, "shop", "a");
            api.bookmark();
            driver.settle();
            assertThat(told()).containsExactly("+a", "~a", "-a", "@" + api.revision());
            watch.close();
            api.put(map("b"));
            driver.settle();
            assertThat(events).hasSize(4);
            assertThat(api.openWatches()).isZero();
            api.remove(ConfigMap.class, "shop", "b");
        }
    }

    @Test
    void givenObjects_whenAStreamingListIsAsked_thenABookmarkSaysItIsComplete() {
        api.put(map("a"));
        api.put(map("b"));
        maps.watch(null, true, FIVE_MINUTES, events::add);
        driver.settle();
        assertThat(told()).containsExactly("+a", "+b", "@102 end");
        assertThat(api.seen().get(0).pathAndQuery())
                .isEqualTo("/api/v1/configmaps?resourceVersionMatch=NotOlderThan&watch=true&allowWatchBookmarks=true"
                        + "&sendInitialEvents=true&timeoutSeconds=300");
    }

    @Test
    void givenAnOldRevision_whenWatched_thenItIsClosedAsExpired() {
        api.put(map("a"));
        api.compact();
        maps.watch("100", false, FIVE_MINUTES, events::add);
        driver.settle();
        assertThat(told()).containsExactly("closed 410");
    }

    @Test
    void givenARefusal_whenWatched_thenTheStatusIsCarried() {
        api.streamingLists(false);
        maps.watch(null, true, FIVE_MINUTES, events::add);
        driver.settle();
        assertThat(told()).containsExactly("closed 422");

        events.clear();
        api.failNext(FakeApi.Seen::isWatch, 429, Map.of("Retry-After", "2"), "slow down");
        maps.watch("100", false, FIVE_MINUTES, events::add);
        driver.settle();
        assertThat(told()).containsExactly("closed 429");
        assertThat(((WatchEvent.Closed<ConfigMap>) events.get(0)).cause().retryAfter())
                .contains(Duration.ofSeconds(2));
    }

    @Test
    void givenAWatch_whenTheServerEndsIt_thenItIsClosedInGoodOrder_andWithACauseIfItBreaks() {
        maps.watch("100", false, FIVE_MINUTES, events::add);
        driver.settle();
        api.endWatches(null);
        driver.settle();
        assertThat(told()).containsExactly("closed");

        maps.watch("100", false, FIVE_MINUTES, events::add);
        driver.settle();
        api.endWatches(new IOException("reset"));
        driver.settle();
        assertThat(told()).containsExactly("closed", "closed 0");

        api.breakNext(FakeApi.Seen::isWatch, new IOException("refused"));
        maps.watch("100", false, FIVE_MINUTES, events::add);
        driver.settle();
        assertThat(told()).containsExactly("closed", "closed 0", "closed 0");
    }

    @Test
    void givenAServerThatNeverEndsTheWatch_whenTheTimeIsLongOver_thenItIsTakenForDead() {
        maps.watch("100", false, FIVE_MINUTES, events::add);
        driver.advance(Duration.ofMinutes(5));
        assertThat(told()).isEmpty();
        driver.advance(Duration.ofMinutes(1));
        assertThat(told()).containsExactly("closed 0");
        assertThat(api.openWatches()).isZero();
    }

    @Test
    void givenManagedFields_whenListedOrWatched_thenTheyAreNotKept_unlessAsked() {
        api.put(map("a"));
        assertThat(maps.list(null, 0, null).items().get(0).getMetadata().getManagedFields())
                .isEmpty();
        assertThat(client.get(MAPS, "shop", "a").orElseThrow().getMetadata().getManagedFields())
                .hasSize(1);
        ListWatch<ConfigMap> whole = Clients.over(
                        api, "http://fake", driver, ClientOptions.DEFAULT.withManagedFields(true))
                .listWatch(MAPS, WatchScope.ALL);
        assertThat(whole.list(null, 0, null).items().get(0).getMetadata().getManagedFields())
                .hasSize(1);
    }

    @Test
    void givenEqualStrings_whenReadForACache_thenTheyAreOneObject() {
        api.put(map("a"));
        api.put(map("b"));
        List<ConfigMap> items = maps.list(null, 0, null).items();
        assertThat(items.get(0).getMetadata().getNamespace())
                .isSameAs(items.get(1).getMetadata().getNamespace());
    }

    @Test
    void givenAnUnreadableObject_whenListedOrWatched_thenItIsSkippedAndCounted() {
        String good = "{\"metadata\":{\"name\":\"good\",\"resourceVersion\":\"5\"}}";
        String bad =
                "{\"metadata\":{\"name\":\"bad\",\"resourceVersion\":\"7\"},\"spec\":{\"podCIDRs\":{\"not\":\"a list\"}}}";
        ListWatch<Node> nodes = client.listWatch(ResourceType.of(Node.class), WatchScope.ALL);
        api.failNext(
                s -> true,
                200,
                Map.of(),
                "{\"metadata\":{\"resourceVersion\":\"8\"},\"items\":[" + good + "," + bad + "," + good + "]}");
        assertThat(nodes.list(null, 500, null).items()).hasSize(2);
        assertThat(client.unreadableObjects()).isEqualTo(1);

        List<WatchEvent<Node>> told = new ArrayList<>();
        nodes.watch(Long.toString(api.revision()), false, FIVE_MINUTES, told::add);
        driver.settle();
        api.sendLine("{\"type\":\"ADDED\",\"object\":" + bad + "}");
        api.sendLine("{\"type\":\"DELETED\",\"object\":" + bad + "}");
        api.put(new NodeBuilder().withNewMetadata().withName("n").endMetadata().build());
        driver.settle();
        assertThat(told).hasSize(3);
        assertThat(told.get(0)).isEqualTo(new WatchEvent.Bookmark<Node>("7", false));
        assertThat(told.get(1)).isInstanceOf(WatchEvent.Deleted.class);
        assertThat(told.get(2)).isInstanceOf(WatchEvent.Added.class);
        assertThat(client.unreadableObjects()).isEqualTo(3);
    }

    @Test
    void givenALineThatIsNoJson_whenWatched_thenTheWatchIsClosed() {
        maps.watch("100", false, FIVE_MINUTES, events::add);
        driver.settle();
        api.sendLine("{\"type\":\"ADDED\",\"obj");
        driver.settle();
        assertThat(told()).containsExactly("closed 0");
    }
}
