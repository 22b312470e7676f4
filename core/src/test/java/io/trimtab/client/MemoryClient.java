package io.trimtab.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A client of a server that is no more than a map with revisions: enough for parts of core that read, write and lose races.
 * Records its writes, and fails when told to. Patches merge maps, append to lists, and delete list entries by uid.
 */
public final class MemoryClient implements Client {
    private final ObjectMapper json = new ObjectMapper();
    private final KubernetesSerialization serialization = new KubernetesSerialization(json, false);
    private final Map<String, ObjectNode> objects = new TreeMap<>();
    private final Deque<RuntimeException> failures = new ArrayDeque<>();
    private long revision;

    /** Each call as {@code verb path}, with the body for patches. */
    public final List<String> calls = new ArrayList<>();

    /** The next call that has not been given a failure fails with this one; null lets one pass. */
    public synchronized void failNext(@Nullable ApiException... next) {
        for (ApiException failure : next) {
            failures.add(failure == null ? PASS : failure);
        }
    }

    private static final RuntimeException PASS = new RuntimeException("lets one call pass");

    /** A refusal of the server. */
    public static ApiException refusal(int code, String reason) {
        return new ApiException(new StatusBuilder()
                .withCode(code)
                .withReason(reason)
                .withMessage(reason + " for the test")
                .build());
    }

    /** No answer. */
    public static ApiException noAnswer() {
        return new ApiException("connection refused for the test", null);
    }

    public synchronized <T extends HasMetadata> List<T> all(ResourceType<T> type) {
        return objects.entrySet().stream()
                .filter(e -> e.getKey().startsWith(type.plural() + " "))
                .map(e -> read(type, e.getValue()))
                .toList();
    }

    private void called(String call) {
        calls.add(call);
        RuntimeException failure = failures.poll();
        if (failure != null && failure != PASS) {
            throw failure;
        }
    }

    private static String key(ResourceType<?> type, @Nullable String namespace, String name) {
        return type.plural() + " " + (namespace == null ? "" : namespace) + "/" + name;
    }

    private <T extends HasMetadata> T read(ResourceType<T> type, JsonNode node) {
        return serialization.convertValue(node, type.javaType());
    }

    private <T extends HasMetadata> T store(ResourceType<T> type, String key, ObjectNode node) {
        node.withObject("/metadata").put("resourceVersion", String.valueOf(++revision));
        objects.put(key, node);
        return read(type, node);
    }

    @Override
    public synchronized <T extends HasMetadata> Optional<T> get(
            ResourceType<T> type, @Nullable String namespace, String name) {
        called("get " + key(type, namespace, name));
        return Optional.ofNullable(objects.get(key(type, namespace, name))).map(n -> read(type, n));
    }

    @Override
    public synchronized <T extends HasMetadata> Page<T> list(
            ResourceType<T> type, @Nullable String namespace, ListOptions options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public synchronized <T extends HasMetadata> T create(ResourceType<T> type, T object) {
        String key = key(
                type, object.getMetadata().getNamespace(), object.getMetadata().getName());
        called("create " + key);
        if (objects.containsKey(key)) {
            throw refusal(409, "AlreadyExists");
        }
        ObjectNode node = serialization.convertValue(object, ObjectNode.class);
        ObjectNode metadata = node.withObject("/metadata");
        if (!metadata.has("uid")) {
            metadata.put("uid", "uid-" + (revision + 1));
        }
        return store(type, key, node);
    }

    @Override
    public synchronized <T extends HasMetadata> T update(ResourceType<T> type, T object) {
        String key = key(
                type, object.getMetadata().getNamespace(), object.getMetadata().getName());
        called("update " + key);
        ObjectNode old = objects.get(key);
        if (old == null) {
            throw refusal(404, "NotFound");
        }
        String expected = object.getMetadata().getResourceVersion();
        if (expected != null
                && !expected.equals(old.at("/metadata/resourceVersion").asText())) {
            throw refusal(409, "Conflict");
        }
        return store(type, key, serialization.convertValue(object, ObjectNode.class));
    }

    @Override
    public <T extends HasMetadata> T updateStatus(ResourceType<T> type, T object) {
        return update(type, object);
    }

    @Override
    public synchronized <T extends HasMetadata> T patch(
            ResourceType<T> type, @Nullable String namespace, String name, Patch patch) {
        String key = key(type, namespace, name);
        called("patch " + key + " " + patch.body());
        ObjectNode old = objects.get(key);
        if (old == null) {
            throw refusal(404, "NotFound");
        }
        try {
            ObjectNode node = old.deepCopy();
            merge(node, json.readTree(patch.body()));
            return store(type, key, node);
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static void merge(ObjectNode target, JsonNode patch) {
        patch.fields().forEachRemaining(field -> {
            JsonNode old = target.get(field.getKey());
            if (field.getValue().isObject() && old instanceof ObjectNode inner) {
                merge(inner, field.getValue());
            } else if (field.getValue() instanceof ArrayNode items) {
                ArrayNode list = old instanceof ArrayNode there ? there : target.putArray(field.getKey());
                for (JsonNode item : items) {
                    for (int i = list.size() - 1; i >= 0; i--) {
                        if (item.has("uid") && list.get(i).path("uid").equals(item.get("uid"))) {
                            list.remove(i);
                        }
                    }
                    if (!"delete".equals(item.path("$patch").asText())) {
                        list.add(item);
                    }
                }
            } else {
                target.set(field.getKey(), field.getValue());
            }
        });
    }

    @Override
    public synchronized void delete(
            ResourceType<?> type, @Nullable String namespace, String name, DeleteOptions options) {
        called("delete " + key(type, namespace, name));
        if (objects.remove(key(type, namespace, name)) == null) {
            throw refusal(404, "NotFound");
        }
    }

    @Override
    public void deleteCollection(
            ResourceType<?> type, @Nullable String namespace, DeleteOptions options, ListOptions list) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <R> R createSubresource(
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <R> R updateSubresource(
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer) {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] raw(String method, String pathAndQuery, byte @Nullable [] body) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <T extends HasMetadata> ListWatch<T> listWatch(ResourceType<T> type, WatchScope scope) {
        throw new UnsupportedOperationException();
    }
}
