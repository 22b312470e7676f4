package io.trimtab.apiserver.bootstrap;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.apiserver.store.Store;
import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Several servers over one store, in the endpoints of the Service that stands for them. */
class ServerEndpointsTest {
    private final VirtualDriver driver = VirtualDriver.create();
    private final Mortal store = new Mortal();
    private final ResourceRegistry resources = ResourceRegistry.builtIn(new Kinds(KindsOptions.DEFAULT).registry());
    private final DefaultStorage storage = new DefaultStorage(store, driver, resources::selectableFields);

    @AfterEach
    void close() {
        storage.close();
        driver.close();
    }

    private ServerEndpoints start(String address) {
        return ServerEndpoints.start(store, storage, driver, address, () -> 6443);
    }

    private List<String> listed() {
        List<String> addresses = new ArrayList<>();
        JsonNode endpoints = storage.get(CoreResources.ENDPOINTS, "default", "kubernetes")
                .orElseThrow()
                .tree();
        endpoints
                .path("subsets")
                .path(0)
                .path("addresses")
                .forEach(a -> addresses.add(a.path("ip").asText()));
        List<String> sliced = new ArrayList<>();
        JsonNode slice = storage.get(CoreResources.ENDPOINT_SLICES, "default", "kubernetes")
                .orElseThrow()
                .tree();
        slice.path("endpoints")
                .forEach(e -> sliced.add(e.path("addresses").path(0).asText()));
        assertThat(sliced).isEqualTo(addresses);
        return addresses;
    }

    @Test
    void givenThreeServers_whenOneEndsAndOneDies_thenEachIsListedAsLongAsItLives() {
        ServerEndpoints first = start("10.0.0.1");
        ServerEndpoints second = start("10.0.0.2");
        driver.advance(Duration.ofSeconds(11));
        ServerEndpoints third = start("10.0.0.3");
        driver.advance(Duration.ofSeconds(11));
        assertThat(listed()).containsExactly("10.0.0.1", "10.0.0.2", "10.0.0.3");

        second.close();
        assertThat(listed()).containsExactly("10.0.0.1", "10.0.0.3");

        store.dead.add("/registry/masterleases/10.0.0.3"); // it writes no more
        driver.advance(Duration.ofSeconds(30));
        assertThat(listed()).containsExactly("10.0.0.1");

        JsonNode slice = storage.get(CoreResources.ENDPOINT_SLICES, "default", "kubernetes")
                .orElseThrow()
                .tree();
        assertThat(slice.path("addressType").asText()).isEqualTo("IPv4");
        assertThat(slice.path("ports").toString())
                .isEqualTo("[{\"name\":\"https\",\"port\":6443,\"protocol\":\"TCP\"}]");
        assertThat(slice.path("metadata")
                        .path("labels")
                        .path("kubernetes.io/service-name")
                        .asText())
                .isEqualTo("kubernetes");
        third.close();
        first.close();
        assertThat(listed()).isEmpty();
    }

    @Test
    void givenNothingChanges_whenTimePasses_thenTheEndpointsAreNotWritten() {
        ServerEndpoints server = start("10.0.0.1");
        driver.advance(Duration.ofSeconds(1));
        long version = storage.get(CoreResources.ENDPOINTS, "default", "kubernetes")
                .orElseThrow()
                .revision();
        driver.advance(Duration.ofMinutes(5));

        assertThat(storage.get(CoreResources.ENDPOINTS, "default", "kubernetes")
                        .orElseThrow()
                        .revision())
                .isEqualTo(version);
        server.close();
    }

    /** A store in memory whose keys vanish when their time is over, as etcd's do. */
    private final class Mortal implements Store {
        private final MemoryStore inner = MemoryStore.create();
        private final Map<String, Integer> writes = new HashMap<>();
        final List<String> dead = new ArrayList<>();

        @Override
        public boolean expiresKeys() {
            return true;
        }

        @Override
        public long revision() {
            return inner.revision();
        }

        @Override
        public long compactedRevision() {
            return inner.compactedRevision();
        }

        @Override
        public Optional<Entry> get(String key) {
            return inner.get(key);
        }

        @Override
        public Range range(String prefix, @Nullable String startKey, int limit, long revision) {
            return inner.range(prefix, startKey, limit, revision);
        }

        @Override
        public long count(String prefix) {
            return inner.count(prefix);
        }

        @Override
        public CompletableFuture<CommitResult> commit(List<Operation> operations) {
            List<Operation> all = new ArrayList<>(operations);
            all.removeIf(operation -> dead.contains(operation.key()));
            for (Operation operation : all) {
                if (operation instanceof Operation.Put put && put.timeToLive() != null) {
                    int write = writes.merge(put.key(), 1, Integer::sum);
                    driver.schedule(put.timeToLive(), () -> {
                        if (writes.get(put.key()) == write) {
                            inner.commit(List.of(new Operation.Delete(put.key(), -1)));
                        }
                    });
                }
            }
            return all.isEmpty()
                    ? CompletableFuture.completedFuture(new CommitResult(true, inner.revision(), null))
                    : inner.commit(all);
        }

        @Override
        public AutoCloseable watch(String prefix, long after, Listener listener) {
            return inner.watch(prefix, after, listener);
        }

        @Override
        public void compact(long revision) {
            inner.compact(revision);
        }

        @Override
        public void close() {
            inner.close();
        }
    }
}
