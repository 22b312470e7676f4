package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.runtime.VirtualDriver;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;

/** A storage in memory and virtual time, and short ways to put objects there, for tests of who may do what. */
public final class SecurityFixture implements AutoCloseable {
    private static final YAMLMapper YAML = new YAMLMapper();

    public final VirtualDriver driver = VirtualDriver.create();
    public final MemoryStore store = MemoryStore.create();
    public final DefaultStorage storage = new DefaultStorage(store, driver, resource -> Map.of());
    private int uids;

    /** Stores an object; a uid is made up if it has none. */
    public StoredObject put(ApiResource resource, String yaml) {
        ObjectNode object = yaml(yaml);
        object.put("apiVersion", resource.apiVersion()).put("kind", resource.kind());
        ObjectNode metadata = object.withObjectProperty("metadata");
        if (!metadata.has("uid")) {
            metadata.put("uid", "uid-" + ++uids);
        }
        if (!metadata.has("creationTimestamp")) {
            metadata.put("creationTimestamp", "2026-01-01T00:00:00Z");
        }
        return storage.create(resource, object);
    }

    public void remove(ApiResource resource, String namespace, String name) {
        storage.delete(resource, storage.get(resource, namespace, name).orElseThrow());
    }

    public static ObjectNode yaml(String text) {
        try {
            return (ObjectNode) YAML.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    public static ApiRequest request(Map<String, List<String>> headers, X509Certificate... certificates) {
        return new ApiRequest(
                "GET",
                "/api",
                Map.of(),
                headers,
                new byte[0],
                new ApiRequest.Peer("127.0.0.1", List.of(certificates), null));
    }

    public static ApiRequest bearer(String token) {
        return request(Map.of("authorization", List.of("Bearer " + token)));
    }

    @Override
    public void close() {
        storage.close();
        store.close();
        driver.close();
    }
}
