package io.trimtab.apiserver.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The table of what is served: the built-in resources, and at run time those of custom resource definitions. Readers see an
 * immutable snapshot without a lock; listeners are told after a change, on the thread that made it, with no lock held.
 */
public final class ResourceRegistry {

    /** Hears that a resource is served from now on, or no longer. */
    public interface Listener {
        default void onRegistered(Served served) {}

        default void onUnregistered(Served served) {}
    }

    /** Compared by hand: every request asks, and what the compiler makes for a record is slow until it is well warmed up. */
    private record Key(String group, String version, String name) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key key
                    && name.equals(key.name)
                    && group.equals(key.group)
                    && version.equals(key.version);
        }

        @Override
        public int hashCode() {
            return (group.hashCode() * 31 + version.hashCode()) * 31 + name.hashCode();
        }
    }

    private static final class BuiltIn {
        static final List<ApiResource> RESOURCES = load("resources.json");
    }

    private record Snapshot(
            Map<Key, Served> byPlural,
            Map<Key, Served> byKind,
            Map<String, List<String>> versions,
            Map<Key, Map<String, Function<JsonNode, String>>> selectable) {}

    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private final Object lock = new Object();
    private volatile Snapshot snapshot;

    private ResourceRegistry(Collection<Served> resources) {
        snapshot = snapshot(resources);
    }

    /** The resources of Kubernetes 1.34. */
    public static ResourceRegistry builtIn(KindRegistry kinds) {
        return builtIn(kinds, ServedVersions.DEFAULT);
    }

    /** The resources of Kubernetes 1.34 that are asked for. */
    public static ResourceRegistry builtIn(KindRegistry kinds, ServedVersions versions) {
        List<ApiResource> resources = new ArrayList<>(BuiltIn.RESOURCES);
        resources.removeIf(resource -> !versions.serves(resource, true));
        if (!versions.settings().isEmpty()) {
            load("gated-resources.json").stream()
                    .filter(resource -> versions.serves(resource, false))
                    .forEach(resources::add);
        }
        return of(resources, kinds);
    }

    /** A registry that begins with these resources; versions of a group in order of preference. */
    public static ResourceRegistry of(List<ApiResource> resources, KindRegistry kinds) {
        List<Served> served = new ArrayList<>();
        for (ApiResource resource : resources) {
            VersionConversion conversion = BuiltInConversions.find(resource, resources);
            Schema schema = SchemaRegistry.builtin()
                    .forKind(resource.group(), resource.version(), resource.kind())
                    .orElseThrow(() ->
                            new IllegalStateException("no type for " + resource.apiVersion() + " " + resource.kind()));
            served.add(new Served(resource, kinds.find(resource.group(), resource.kind()), schema, conversion));
        }
        return new ResourceRegistry(served);
    }

    /** The resource with this plural name. */
    public @Nullable Served find(String group, String version, String plural) {
        return snapshot.byPlural().get(new Key(group, version, plural));
    }

    /** The resource of this kind; where a kind has several (none has today) the first. */
    public @Nullable Served findByKind(String group, String version, String kind) {
        return snapshot.byKind().get(new Key(group, version, kind));
    }

    /** The resource at the version that clients should prefer. */
    public Optional<ApiResource> preferred(String group, String plural) {
        for (String version : versions(group)) {
            Served served = find(group, version, plural);
            if (served != null) {
                return Optional.of(served.resource());
            }
        }
        return Optional.empty();
    }

    /** All groups in the order of discovery, core's (empty) first. */
    public Set<String> groups() {
        return snapshot.versions().keySet();
    }

    /** The versions of a group, the preferred one first; empty if there is no such group. */
    public List<String> versions(String group) {
        return snapshot.versions().getOrDefault(group, List.of());
    }

    /** True if all that is served of a group are custom resources; false for a group that is not served. */
    public boolean isCustom(String group) {
        List<String> versions = versions(group);
        return !versions.isEmpty()
                && versions.stream()
                        .flatMap(version -> resources(group, version).stream())
                        .allMatch(served -> served.resource().custom());
    }

    /** All that is served of one group version. */
    public List<Served> resources(String group, String version) {
        List<Served> found = new ArrayList<>();
        for (Served served : snapshot.byPlural().values()) {
            if (served.resource().group().equals(group)
                    && served.resource().version().equals(version)) {
                found.add(served);
            }
        }
        return found;
    }

    /** All that is served. */
    public Collection<Served> all() {
        return snapshot.byPlural().values();
    }

    /**
     * The fields that selectors of a stored resource may name, at whichever version or group it is asked for; what the storage
     * asks for.
     */
    public Map<String, Function<JsonNode, String>> selectableFields(ApiResource resource) {
        return snapshot.selectable().getOrDefault(key(resource), Map.of());
    }

    /** Serves a resource from now on, in place of one with the same group, version and plural. */
    public void register(Served served) {
        synchronized (lock) {
            Map<Key, Served> next = new LinkedHashMap<>(snapshot.byPlural());
            next.put(key(served.resource()), served);
            snapshot = snapshot(next.values());
        }
        listeners.forEach(l -> l.onRegistered(served));
    }

    /** Serves a resource no longer; does nothing if it is not served. */
    public void unregister(String group, String version, String plural) {
        Served removed;
        synchronized (lock) {
            Map<Key, Served> next = new LinkedHashMap<>(snapshot.byPlural());
            removed = next.remove(new Key(group, version, plural));
            if (removed == null) {
                return;
            }
            snapshot = snapshot(next.values());
        }
        Served gone = removed;
        listeners.forEach(l -> l.onUnregistered(gone));
    }

    public void addListener(Listener listener) {
        listeners.add(listener);
    }

    private static Key key(ApiResource resource) {
        return new Key(resource.group(), resource.version(), resource.plural());
    }

    private static Snapshot snapshot(Collection<Served> resources) {
        Map<Key, Served> byPlural = new LinkedHashMap<>();
        Map<Key, Served> byKind = new LinkedHashMap<>();
        Map<String, List<String>> versions = new LinkedHashMap<>();
        Map<String, List<String>> customVersions = new LinkedHashMap<>();
        Map<Key, Map<String, Function<JsonNode, String>>> selectable = new LinkedHashMap<>();
        for (Served served : resources) {
            ApiResource resource = served.resource();
            Map<String, Function<JsonNode, String>> fields = served.kind().selectableFields();
            if (!fields.isEmpty()) {
                selectable
                        .computeIfAbsent(key(served.storage()), k -> new LinkedHashMap<>())
                        .putAll(fields);
            }
            byPlural.put(key(resource), served);
            byKind.putIfAbsent(new Key(resource.group(), resource.version(), resource.kind()), served);
            boolean custom = resource.custom() && !versions.containsKey(resource.group());
            List<String> of =
                    (custom ? customVersions : versions).computeIfAbsent(resource.group(), g -> new ArrayList<>());
            if (!of.contains(resource.version())) {
                of.add(resource.version());
            }
        }
        // Groups of custom resources all have the same priority, so they stand in the order of their names.
        customVersions.entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(e -> {
            e.getValue().sort(VersionOrder.NEWEST_FIRST);
            versions.put(e.getKey(), e.getValue());
        });
        versions.replaceAll((group, of) -> List.copyOf(of));
        return new Snapshot(
                Collections.unmodifiableMap(byPlural),
                Collections.unmodifiableMap(byKind),
                Collections.unmodifiableMap(versions),
                Collections.unmodifiableMap(selectable));
    }

    private static List<ApiResource> load(String file) {
        try (InputStream in = ResourceRegistry.class.getResourceAsStream("/io/trimtab/apiserver/" + file)) {
            if (in == null) {
                throw new IllegalStateException(file + " is missing from the class path");
            }
            List<ApiResource> resources = new ArrayList<>();
            for (JsonNode line : new ObjectMapper().readTree(in)) {
                resources.add(resource(line));
            }
            return List.copyOf(resources);
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be read", e);
        }
    }

    private static ApiResource resource(JsonNode line) {
        Map<String, ApiResource.Subresource> subresources = new LinkedHashMap<>();
        for (JsonNode sub : line.path("subresources")) {
            String version = sub.path("version").asText();
            subresources.put(
                    sub.path("name").asText(),
                    new ApiResource.Subresource(
                            sub.path("name").asText(),
                            version.isEmpty() ? null : sub.path("group").asText(),
                            version.isEmpty() ? null : version,
                            sub.path("kind").asText(),
                            Set.copyOf(texts(sub.path("verbs")))));
        }
        return new ApiResource(
                line.path("group").asText(),
                line.path("version").asText(),
                line.path("resource").asText(),
                line.path("singular").asText(),
                line.path("kind").asText(),
                line.path("scope").asText().equals("Namespaced"),
                Collections.unmodifiableSet(new LinkedHashSet<>(texts(line.path("verbs")))),
                texts(line.path("shortNames")),
                texts(line.path("categories")),
                Collections.unmodifiableMap(subresources),
                false);
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(t -> texts.add(t.asText()));
        return List.copyOf(texts);
    }
}
