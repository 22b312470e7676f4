package io.trimtab.apiserver.injvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Event;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.KindRegistry;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.client.ApiException;
import io.trimtab.client.ListWatch;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchEvent;
import io.trimtab.client.WatchScope;
import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StorageListWatchTest {
    private static final ResourceType<ConfigMap> TYPE = ResourceType.of(ConfigMap.class);

    private final VirtualDriver driver = VirtualDriver.create();
    private final ResourceRegistry registry = ResourceRegistry.builtIn(new KindRegistry(Map.of()));
    private final ApiResource configMaps = registry.find("", "v1", "configmaps").resource();
    private final DefaultStorage storage = new DefaultStorage(MemoryStore.create(), driver, r -> Map.of());

    private ListWatch<ConfigMap> source(Authorizer authorizer, WatchScope scope) {
        return InJvmTransport.of(
                        r -> {
                            throw new AssertionError("informers do not make requests");
                        },
                        driver,
                        registry,
                        storage,
                        authorizer)
                .listWatchSource(UserInfo.of("jane"))
                .listWatch(TYPE, scope, "test")
                .orElseThrow();
    }

    private static ObjectNode configMap(String name, String value) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("kind", "ConfigMap").put("apiVersion", "v1");
        object.putObject("metadata")
                .put("name", name)
                .put("namespace", "x")
                .put("uid", "uid-" + name)
                .putObject("labels")
                .put("app", name);
        object.putObject("data").put("k", value);
        return object;
    }

    private static List<String> texts(List<WatchEvent<ConfigMap>> events) {
        return events.stream()
                .map(e -> {
                    if (e instanceof WatchEvent.Added<ConfigMap> a) {
                        return "ADDED " + a.object().getMetadata().getName();
                    } else if (e instanceof WatchEvent.Modified<ConfigMap> m) {
                        return "MODIFIED " + m.object().getMetadata().getName() + "="
                                + m.object().getData().get("k");
                    } else if (e instanceof WatchEvent.Deleted<ConfigMap> d) {
                        return "DELETED " + d.object().getMetadata().getName();
                    }
                    return e.getClass().getSimpleName();
                })
                .toList();
    }

    @Test
    void givenTwoReaders_whenTheyList_thenTheyShareTheTypedObjects() {
        storage.create(configMaps, configMap("a", "1"));
        storage.create(configMaps, configMap("b", "1"));

        var one = source(null, WatchScope.ALL).list("0", 0, null);
        var transport = source(null, WatchScope.ALL);
        var two = transport.list(null, 0, null);
        var three = transport.list(null, 0, null);

        assertThat(one.items()).hasSize(2);
        assertThat(one.resourceVersion()).isEqualTo(Long.toString(storage.revision()));
        assertThat(three.items().get(0)).isSameAs(two.items().get(0));
    }

    @Test
    void givenALimit_whenListed_thenPagesContinueAtTheirRevision() {
        storage.create(configMaps, configMap("a", "1"));
        storage.create(configMaps, configMap("b", "1"));
        ListWatch<ConfigMap> source = source(null, WatchScope.namespace("x"));

        var first = source.list(null, 1, null);
        storage.create(configMaps, configMap("c", "1"));
        var second = source.list(null, 1, first.continueToken());

        assertThat(first.items())
                .singleElement()
                .satisfies(o -> assertThat(o.getMetadata().getName()).isEqualTo("a"));
        assertThat(second.items())
                .singleElement()
                .satisfies(o -> assertThat(o.getMetadata().getName()).isEqualTo("b"));
        assertThat(second.resourceVersion()).isEqualTo(first.resourceVersion());
        assertThat(second.continueToken()).isNull();
    }

    @Test
    void givenAWatch_whenObjectsChange_thenEventsComeOnALaneInOrder() throws Exception {
        StoredObject a = storage.create(configMaps, configMap("a", "1"));
        List<WatchEvent<ConfigMap>> events = new ArrayList<>();
        ListWatch<ConfigMap> source = source(null, new WatchScope(null, "app in (a,b)", null));

        AutoCloseable watch = source.watch(null, true, Duration.ofMinutes(5), events::add);
        assertThat(events).isEmpty();
        driver.settle();
        assertThat(texts(events)).containsExactly("ADDED a", "Bookmark");
        assertThat(((WatchEvent.Bookmark<ConfigMap>) events.get(1)).initialEventsEnd())
                .isTrue();

        storage.create(configMaps, configMap("b", "1"));
        storage.create(configMaps, configMap("other", "1"));
        storage.replace(configMaps, a, configMap("a", "2"));
        storage.delete(configMaps, storage.get(configMaps, "x", "a").orElseThrow());
        driver.settle();
        assertThat(texts(events).subList(2, events.size())).containsExactly("ADDED b", "MODIFIED a=2", "DELETED a");

        watch.close();
        storage.create(configMaps, configMap("a", "3"));
        driver.settle();
        assertThat(events).hasSize(5);
    }

    @Test
    void givenATimeout_whenItHasPassed_thenTheWatchEndsInGoodOrder() {
        List<WatchEvent<ConfigMap>> events = new ArrayList<>();
        source(null, WatchScope.ALL)
                .watch(Long.toString(storage.revision()), false, Duration.ofSeconds(30), events::add);

        driver.advance(Duration.ofSeconds(31));

        assertThat(texts(events)).last().isEqualTo("Closed");
    }

    @Test
    void givenAUserWithoutTheRight_whenItLists_thenForbidden() {
        Authorizer nobody = (user, attributes) -> Authorizer.Decision.NO_OPINION;

        assertThatThrownBy(() -> source(nobody, WatchScope.ALL).list(null, 0, null))
                .isInstanceOfSatisfying(ApiException.class, e -> {
                    assertThat(e.isForbidden()).isTrue();
                    assertThat(e)
                            .hasMessage("configmaps is forbidden: User \"jane\" cannot list resource \"configmaps\" in"
                                    + " API group \"\" at the cluster scope");
                });
        List<WatchEvent<ConfigMap>> events = new ArrayList<>();
        source(nobody, WatchScope.ALL).watch(null, false, Duration.ofSeconds(1), events::add);
        driver.settle();
        assertThat(events).singleElement().isInstanceOf(WatchEvent.Closed.class);
    }

    @Test
    void givenAVersionThatIsNotTheStoredOne_whenAsked_thenItIsLeftToRequests() {
        var source =
                InJvmTransport.of(r -> null, driver, registry, storage, null).listWatchSource(UserInfo.SELF);

        assertThat(source.listWatch(
                        ResourceType.of(io.fabric8.kubernetes.api.model.events.v1.Event.class), WatchScope.ALL, "t"))
                .isEmpty();
        assertThat(source.listWatch(ResourceType.of(Event.class), WatchScope.ALL, "t"))
                .isPresent();
    }
}
