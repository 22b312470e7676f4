package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Resources, objects and selectors for the tests of this package. */
final class StorageFixture {
    static final ApiResource PODS = resource("", "v1", "pods", "Pod", true, false);
    static final ApiResource NODES = resource("", "v1", "nodes", "Node", false, false);
    static final ApiResource WIDGETS = resource("example.com", "v1", "widgets", "Widget", true, true);

    static final LabelSelector ALL_LABELS = LabelSelectors.everything();
    static final FieldSelector ALL_FIELDS = FieldSelector.everything();

    private StorageFixture() {}

    static ApiResource resource(
            String group, String version, String plural, String kind, boolean namespaced, boolean custom) {
        return new ApiResource(
                group,
                version,
                plural,
                kind.toLowerCase(java.util.Locale.ROOT),
                kind,
                namespaced,
                Set.of("get", "list", "watch", "create", "update", "delete"),
                List.of(),
                List.of(),
                Map.of(),
                custom);
    }

    static Map<String, Function<JsonNode, String>> fieldsOf(ApiResource resource) {
        return resource.equals(PODS)
                ? Map.of(
                        "spec.nodeName", o -> o.path("spec").path("nodeName").asText(""),
                        "status.phase", o -> o.path("status").path("phase").asText(""))
                : Map.of();
    }

    static ObjectNode pod(String namespace, String name) {
        ObjectNode pod = JsonNodeFactory.instance.objectNode();
        pod.put("kind", "Pod").put("apiVersion", "v1");
        pod.putObject("metadata")
                .put("name", name)
                .put("namespace", namespace)
                .put("uid", "uid-" + name)
                .put("creationTimestamp", "2026-01-01T00:00:00Z");
        pod.putObject("spec");
        return pod;
    }

    static ObjectNode labelled(ObjectNode object, String key, String value) {
        ((ObjectNode) object.path("metadata")).withObjectProperty("labels").put(key, value);
        return object;
    }

    static ObjectNode onNode(ObjectNode pod, String node) {
        ((ObjectNode) pod.path("spec")).put("nodeName", node);
        return pod;
    }

    static String text(StoredObject object) {
        return new String(object.json(), StandardCharsets.UTF_8);
    }

    static Storage.ListQuery list(@Nullable String namespace) {
        return new Storage.ListQuery(namespace, ALL_LABELS, ALL_FIELDS, 0, false, 0, null);
    }

    static Storage.ListQuery page(int limit, long revision, @Nullable String start) {
        return new Storage.ListQuery(null, ALL_LABELS, ALL_FIELDS, revision, revision > 0, limit, start);
    }

    static Storage.WatchQuery watch(@Nullable String namespace, long after) {
        return new Storage.WatchQuery(namespace, ALL_LABELS, ALL_FIELDS, after, false, false, Duration.ofHours(1));
    }

    static List<String> names(Storage.Listing listing) {
        List<String> names = new ArrayList<>();
        listing.objects().forEachRemaining(o -> names.add(o.name()));
        return names;
    }

    /** What can be taken now: {@code ADDED a@2}. */
    static List<String> drain(EventSource events) {
        List<String> seen = new ArrayList<>();
        for (EventSource.Event e = events.poll(); e != null; e = events.poll()) {
            String end = e.initialEventsEnd() ? " end" : "";
            seen.add(e.type() + " " + (e.object() == null ? "" : e.object().name()) + "@" + e.revision() + end);
        }
        return seen;
    }

    static <T> List<T> listOf(Iterator<T> iterator) {
        List<T> list = new ArrayList<>();
        iterator.forEachRemaining(list::add);
        return list;
    }
}
