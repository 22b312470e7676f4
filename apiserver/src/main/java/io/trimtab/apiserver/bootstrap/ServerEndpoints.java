package io.trimtab.apiserver.bootstrap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.store.Store;
import io.trimtab.apiserver.store.StoreException;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lists this server in the endpoints of the Service {@code kubernetes}, beside others that share the store: each holds a key that ends
 * with it, as Kubernetes' own servers do, and all write down whose keys there are. Who does not renew its key vanishes after 15
 * seconds. Every step runs on one lane.
 */
public final class ServerEndpoints implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ServerEndpoints.class);
    private static final ObjectMapper JSON = new JsonMapper();
    private static final String PREFIX = "/registry/masterleases/";
    private static final Duration EVERY = Duration.ofSeconds(10);
    private static final Duration LIFE = Duration.ofSeconds(15);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Store store;
    private final Storage storage;
    private final Driver driver;
    private final Driver.Lane lane;
    private final String address;
    private final IntSupplier port;
    private Driver.@Nullable Timer timer;
    private volatile boolean closed;

    private ServerEndpoints(Store store, Storage storage, Driver driver, String address, IntSupplier port) {
        this.store = store;
        this.storage = storage;
        this.driver = driver;
        this.lane = driver.lane("endpoints of " + address);
        this.address = address;
        this.port = port;
    }

    /**
     * Lists the server from now on.
     *
     * @param store whose keys vanish when their time is over
     * @param address where clients in the cluster reach it
     * @param port -1 as long as it is not known
     */
    public static ServerEndpoints start(Store store, Storage storage, Driver driver, String address, IntSupplier port) {
        ServerEndpoints endpoints = new ServerEndpoints(store, storage, driver, address, port);
        endpoints.lane.execute(endpoints::look);
        return endpoints;
    }

    private void look() {
        if (closed) {
            return;
        }
        try {
            if (port.getAsInt() > 0) {
                renew();
                publish();
            }
        } catch (StatusException | StoreException | CompletionException | TimeoutException e) {
            LOG.warn("unable to sync kubernetes service, address={} why={}", address, e.getMessage());
        }
        timer = driver.schedule(port.getAsInt() > 0 ? EVERY : Duration.ofMillis(200), () -> lane.execute(this::look));
    }

    private void renew() throws TimeoutException {
        String key = PREFIX + address;
        long generation = store.get(key)
                .map(entry ->
                        read(entry.value()).path("metadata").path("generation").asLong())
                .orElse(0L);
        ObjectNode lease =
                JsonNodeFactory.instance.objectNode().put("kind", "Endpoints").put("apiVersion", "v1");
        lease.putObject("metadata").put("generation", generation + 1);
        lease.putArray("subsets").addObject().putArray("addresses").addObject().put("ip", address);
        byte[] value = lease.toString().getBytes(StandardCharsets.UTF_8);
        driver.await(store.commit(List.of(new Store.Operation.Put(key, -1, revision -> value, LIFE))), PATIENCE);
    }

    private List<String> alive() {
        List<String> addresses = new ArrayList<>();
        for (Store.Entry entry : store.range(PREFIX, null, 0, 0).entries()) {
            String found = read(entry.value())
                    .path("subsets")
                    .path(0)
                    .path("addresses")
                    .path(0)
                    .path("ip")
                    .asText("");
            if (!found.isEmpty()) {
                addresses.add(found);
            }
        }
        addresses.sort(null);
        return addresses;
    }

    private static JsonNode read(byte[] value) {
        try {
            return JSON.readTree(value);
        } catch (IOException e) {
            return JsonNodeFactory.instance.objectNode(); // written by somebody we do not know
        }
    }

    private void publish() {
        List<String> addresses = alive();
        if (addresses.isEmpty() && !closed) {
            throw new StoreException(
                    "no API server IP addresses were listed in storage, refusing to erase all endpoints"
                            + " for the kubernetes Service");
        }
        ArrayNode subsets = JsonNodeFactory.instance.arrayNode();
        ArrayNode endpoints = JsonNodeFactory.instance.arrayNode();
        if (!addresses.isEmpty()) {
            ObjectNode subset = subsets.addObject();
            ArrayNode listed = subset.putArray("addresses");
            addresses.forEach(each -> listed.addObject().put("ip", each));
            subset.set("ports", ports());
        }
        for (String each : addresses) {
            ObjectNode endpoint = endpoints.addObject();
            endpoint.putArray("addresses").add(each);
            endpoint.putObject("conditions").put("ready", true);
        }
        write(
                CoreResources.ENDPOINTS,
                "endpointslice.kubernetes.io/skip-mirror",
                "true",
                object -> object.set("subsets", subsets));
        write(CoreResources.ENDPOINT_SLICES, "kubernetes.io/service-name", "kubernetes", object -> {
            object.put("addressType", AddressRange.family(address));
            object.set("endpoints", endpoints);
            object.set("ports", ports());
        });
    }

    private ArrayNode ports() {
        ArrayNode ports = JsonNodeFactory.instance.arrayNode();
        ports.addObject().put("name", "https").put("port", port.getAsInt()).put("protocol", "TCP");
        return ports;
    }

    private void write(ApiResource resource, String label, String value, Consumer<ObjectNode> fill) {
        if (storage.get(resource, "default", "kubernetes").isPresent()) {
            storage.update(resource, "default", "kubernetes", current -> {
                JsonNode before = current.deepCopy();
                current.withObjectProperty("metadata")
                        .withObjectProperty("labels")
                        .put(label, value);
                fill.accept(current);
                JsonNode metadata = current.path("metadata");
                if (!current.equals(before) && metadata.has("generation")) {
                    ((ObjectNode) metadata)
                            .put("generation", metadata.path("generation").asLong() + 1);
                }
                return current;
            });
            return;
        }
        ObjectNode fresh = JsonNodeFactory.instance
                .objectNode()
                .put("apiVersion", resource.apiVersion())
                .put("kind", resource == CoreResources.ENDPOINTS ? "Endpoints" : "EndpointSlice");
        ObjectNode metadata = fresh.putObject("metadata")
                .put("name", "kubernetes")
                .put("namespace", "default")
                .put("uid", Bootstrap.uuid(driver))
                .put("creationTimestamp", Bootstrap.time(driver.now()));
        if (resource == CoreResources.ENDPOINT_SLICES) {
            metadata.put("generation", 1);
        }
        metadata.putObject("labels").put(label, value);
        fill.accept(fresh);
        try {
            storage.create(resource, fresh);
        } catch (StatusException e) {
            if (e.code() != 409) {
                throw e;
            }
            // Another server was quicker; the next look compares.
        }
    }

    /** Ends it, and takes the address out. */
    @Override
    public void close() {
        closed = true;
        Driver.Timer running = timer;
        if (running != null) {
            running.cancel();
        }
        try {
            Optional<Store.Entry> own = store.get(PREFIX + address);
            if (own.isPresent()) {
                driver.await(store.commit(List.of(new Store.Operation.Delete(PREFIX + address, -1))), PATIENCE);
                publish();
            }
        } catch (RuntimeException | TimeoutException e) {
            LOG.warn("this server stays listed until its time is over, address={} why={}", address, e.getMessage());
        }
    }
}
