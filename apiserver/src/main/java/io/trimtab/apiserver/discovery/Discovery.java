package io.trimtab.apiserver.discovery;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.PathHandler;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves {@code /api}, {@code /apis} and what is below them down to the versions. Safe for use by any thread; what it says is at
 * least as new as any change of the registry that was over before it was asked.
 */
public final class Discovery implements PathHandler {
    private static final String AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    /** The order in which custom resources tell their verbs (apiextensions-apiserver's discovery controller). */
    private static final List<String> CUSTOM_VERBS =
            List.of("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch");

    /** Kubernetes 1.34 stores these in a version that it does not serve, so that 1.33 can read them; the hash says so. */
    private static final Map<String, String> OLDER_STORAGE = Map.of(
            "customresourcedefinitions.apiextensions.k8s.io", "v1beta1",
            "volumeattributesclasses.storage.k8s.io", "v1beta1",
            "deviceclasses.resource.k8s.io", "v1beta2",
            "resourceclaims.resource.k8s.io", "v1beta2",
            "resourceclaimtemplates.resource.k8s.io", "v1beta2",
            "resourceslices.resource.k8s.io", "v1beta2");

    private static final int CUSTOM_PRIORITY = 1000;

    private final ResourceRegistry registry;
    private final Supplier<String> serverAddress;
    private final Supplier<List<RemoteGroup>> remote;
    /** Lists of resources by group and version, which take long to make; emptied when anything changes. Guarded by this. */
    private final Map<String, ObjectNode> lists = new HashMap<>();
    /** Aggregated documents by path; emptied when anything changes. */
    private final Map<String, Aggregated> aggregated = new ConcurrentHashMap<>();

    private record Aggregated(byte[] json, String etag, int generation) {}

    /** Lists of resources as plain JSON: who asks every half a minute mostly gets what he got before. Guarded by this. */
    private final Map<String, byte[]> texts = new HashMap<>();

    private volatile int generation;

    /**
     * A group version that another server serves.
     *
     * @param priority of the group: higher ones stand first, those of custom resources have 1000
     * @param resources null while that server cannot be asked
     */
    public record RemoteGroup(
            String group,
            String version,
            int priority,
            @Nullable ArrayNode resources) {}

    /**
     * Discovery of a registry.
     *
     * @param serverAddress host and port that clients reach the server by
     */
    public Discovery(ResourceRegistry registry, Supplier<String> serverAddress) {
        this(registry, serverAddress, List::of);
    }

    /**
     * Discovery of a registry and of other servers.
     *
     * @param remote group versions of other servers, {@code resources} in the aggregated form; call {@link #refresh} when they
     *     change
     */
    public Discovery(ResourceRegistry registry, Supplier<String> serverAddress, Supplier<List<RemoteGroup>> remote) {
        this.registry = registry;
        this.serverAddress = serverAddress;
        this.remote = remote;
        registry.addListener(new ResourceRegistry.Listener() {
            @Override
            public void onRegistered(Served served) {
                refresh();
            }

            @Override
            public void onUnregistered(Served served) {
                refresh();
            }
        });
    }

    /** Forgets what was made of an older state. */
    public synchronized void refresh() {
        generation++;
        aggregated.clear();
        lists.clear();
        texts.clear();
    }

    @Override
    public Optional<ApiResponse> handle(ApiRequest request, UserInfo user) {
        String path = request.path();
        if (!path.startsWith("/api")) {
            return Optional.empty();
        }
        if (path.endsWith("/")) {
            path = path.substring(0, path.length() - 1);
        }
        if (path.equals("/api") || path.equals("/apis")) {
            if (wantsAggregated(request)) {
                return Optional.of(aggregated(request, path));
            }
            if (path.equals("/apis")) {
                return Optional.of(Documents.negotiated(request, groupList(), false)); // whatever the method
            }
            return Optional.of(get(request, versions()));
        }
        String[] parts = path.substring(1).split("/", -1);
        if (parts.length == 2 && parts[0].equals("api")) {
            if (registry.versions("").contains(parts[1])) {
                return Optional.of(resourceList(request, "", parts[1]));
            }
            throw Statuses.noSuchResource();
        }
        if (!parts[0].equals("apis") || parts.length < 2 || !isServed(parts[1])) {
            return Optional.empty();
        }
        if (parts.length == 2) {
            // Whatever the method, unless it is a group of those that a router knows one by one.
            return Optional.of(Documents.negotiated(request, group(parts[1]), false));
        }
        if (parts.length == 3) {
            if (registry.versions(parts[1]).contains(parts[2])) {
                return Optional.of(resourceList(request, parts[1], parts[2]));
            }
            if (registry.isCustom(parts[1])) {
                return Optional.empty(); // their router hands on what it does not know
            }
            throw Statuses.noSuchResource();
        }
        return Optional.empty();
    }

    private static ApiResponse get(ApiRequest request, ObjectNode document) {
        if (!request.method().equals("GET")) {
            throw Statuses.methodNotAllowed();
        }
        return Documents.negotiated(request, document);
    }

    private boolean isServed(String group) {
        return !registry.versions(group).isEmpty();
    }

    private ObjectNode versions() {
        ObjectNode document = object().put("kind", "APIVersions");
        ArrayNode versions = document.putArray("versions");
        registry.versions("").forEach(versions::add);
        document.putArray("serverAddressByClientCIDRs")
                .addObject()
                .put("clientCIDR", "0.0.0.0/0")
                .put("serverAddress", serverAddress.get());
        return document;
    }

    private ObjectNode groupList() {
        ObjectNode document = object().put("kind", "APIGroupList").put("apiVersion", "v1");
        ArrayNode groups = document.putArray("groups");
        Map<String, List<String>> others = remoteVersions();
        for (String group : groups()) {
            List<String> versions = others.get(group);
            describe(groups.addObject(), group, versions == null ? registry.versions(group) : versions);
        }
        return document;
    }

    /** All groups but core's, in the order in which clients should look for a name. */
    private List<String> groups() {
        Map<String, Integer> priorities = new LinkedHashMap<>();
        for (String group : registry.groups()) {
            if (!group.isEmpty()) {
                priorities.put(group, registry.isCustom(group) ? CUSTOM_PRIORITY : Integer.MAX_VALUE);
            }
        }
        List<RemoteGroup> others = remote.get();
        if (others.isEmpty()) {
            return List.copyOf(priorities.keySet());
        }
        others.forEach(group -> priorities.putIfAbsent(group.group(), group.priority()));
        List<String> groups = new ArrayList<>(priorities.keySet());
        // Those that are built in keep their order; the others stand by priority, then by name.
        groups.sort((a, b) -> {
            int one = priorities.getOrDefault(a, 0);
            int other = priorities.getOrDefault(b, 0);
            return one != other ? Integer.compare(other, one) : one == Integer.MAX_VALUE ? 0 : a.compareTo(b);
        });
        return groups;
    }

    private Map<String, List<String>> remoteVersions() {
        Map<String, List<String>> versions = new LinkedHashMap<>();
        for (RemoteGroup group : remote.get()) {
            if (!isServed(group.group())) {
                versions.computeIfAbsent(group.group(), g -> new ArrayList<>()).add(group.version());
            }
        }
        return versions;
    }

    private ObjectNode group(String group) {
        ObjectNode document = object().put("kind", "APIGroup").put("apiVersion", "v1");
        describe(document, group, registry.versions(group));
        return document;
    }

    private static void describe(ObjectNode document, String group, List<String> versions) {
        document.put("name", group);
        ArrayNode array = document.putArray("versions");
        for (String version : versions) {
            array.addObject().put("groupVersion", group + "/" + version).put("version", version);
        }
        document.putObject("preferredVersion")
                .put("groupVersion", group + "/" + versions.get(0))
                .put("version", versions.get(0));
    }

    private ApiResponse resourceList(ApiRequest request, String group, String version) {
        if (!request.method().equals("GET") || !Documents.isPlainJson(request)) {
            return get(request, resourceList(group, version));
        }
        synchronized (this) {
            byte[] text = texts.computeIfAbsent(
                    group + "/" + version, key -> Documents.compact(resourceList(group, version)));
            return Documents.whole("application/json", text.clone()); // the client's own
        }
    }

    /** Not to be changed: shared until what is served changes. */
    private synchronized ObjectNode resourceList(String group, String version) {
        String key = group + "/" + version;
        ObjectNode known = lists.get(key);
        if (known == null) {
            known = newResourceList(group, version);
            lists.put(key, known);
        }
        return known;
    }

    private ObjectNode newResourceList(String group, String version) {
        ObjectNode document = object().put("kind", "APIResourceList");
        if (!group.isEmpty()) {
            document.put("apiVersion", "v1");
        }
        document.put("groupVersion", group.isEmpty() ? version : group + "/" + version);
        List<ObjectNode> entries = new ArrayList<>();
        for (Served served : registry.resources(group, version)) {
            describe(entries, served);
        }
        // Below a custom resource, status stands before scale: as they were described.
        boolean custom = registry.resources(group, version).stream()
                .anyMatch(s -> s.resource().custom());
        entries.sort(Comparator.comparing(e -> {
            String name = e.path("name").textValue();
            return custom && name.indexOf('/') > 0 ? name.substring(0, name.indexOf('/')) : name;
        }));
        document.putArray("resources").addAll(entries);
        return document;
    }

    private static void describe(List<ObjectNode> entries, Served served) {
        ApiResource resource = served.resource();
        ObjectNode entry = object().put("name", resource.plural())
                .put("singularName", resource.singular())
                .put("namespaced", resource.namespaced())
                .put("kind", resource.kind());
        strings(entry, "verbs", verbs(resource.verbs(), resource.custom()), true);
        strings(entry, "shortNames", resource.shortNames(), false);
        strings(entry, "categories", resource.categories(), false);
        if (resource.hasVerb("create") && resource.hasVerb("get")) {
            entry.put("storageVersionHash", storageVersionHash(served.storage()));
        }
        entries.add(entry);
        for (ApiResource.Subresource sub : resource.subresources().values()) {
            ObjectNode below = object().put("name", resource.plural() + "/" + sub.name())
                    .put("singularName", "")
                    .put("namespaced", resource.namespaced());
            if (sub.version() != null && !sub.version().isEmpty()) {
                below.put("group", sub.group()).put("version", sub.version());
            }
            below.put("kind", sub.kind());
            strings(below, "verbs", verbs(sub.verbs(), false), true);
            entries.add(below);
        }
    }

    private static List<String> verbs(Collection<String> verbs, boolean custom) {
        return custom
                ? CUSTOM_VERBS.stream().filter(verbs::contains).toList()
                : verbs.stream().sorted().toList();
    }

    private static void strings(ObjectNode entry, String field, Collection<String> values, boolean always) {
        if (always || !values.isEmpty()) {
            ArrayNode array = entry.putArray(field);
            values.forEach(array::add);
        }
    }

    /** Clients compare it to learn that what is stored has another version now: the first eight bytes of a hash. */
    static String storageVersionHash(ApiResource storage) {
        String version = OLDER_STORAGE.getOrDefault(storage.qualifiedName(), storage.version());
        String text = storage.group() + "/" + version + "/" + storage.kind();
        byte[] hash = digest("SHA-256", text.getBytes(StandardCharsets.UTF_8));
        return Base64.getEncoder().encodeToString(Arrays.copyOf(hash, 8));
    }

    /** The first range of the Accept header that can be served decides. */
    private static boolean wantsAggregated(ApiRequest request) {
        String accept = request.header("accept");
        if (accept == null) {
            return false;
        }
        for (String range : accept.split(",")) {
            String type = Documents.mediaType(range);
            Map<String, String> parameters = Documents.parameters(range);
            String as = parameters.get("as");
            if (as == null) {
                if (type.equals("application/json")
                        || type.equals("application/yaml")
                        || type.equals("application/vnd.kubernetes.protobuf")
                        || type.equals("*/*")
                        || type.equals("application/*")) {
                    return false;
                }
            } else if (type.equals("application/json")
                    && as.equals("APIGroupDiscoveryList")
                    && "v2".equals(parameters.get("v"))
                    && "apidiscovery.k8s.io".equals(parameters.get("g"))) {
                return true;
            }
        }
        return false;
    }

    private ApiResponse aggregated(ApiRequest request, String path) {
        Aggregated document = aggregated.get(path);
        int now = generation;
        if (document == null || document.generation() != now) {
            byte[] json = Documents.bare(path.equals("/api") ? aggregatedCore() : aggregatedGroups());
            document = new Aggregated(json, HexFormat.of().withUpperCase().formatHex(digest("SHA-512", json)), now);
            aggregated.put(path, document);
        }
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("Cache-Control", List.of("public"));
        headers.put("Content-Type", List.of(AGGREGATED));
        headers.put("ETag", List.of('"' + document.etag() + '"'));
        headers.put("Vary", List.of("Accept"));
        String known = request.header("if-none-match");
        if (known != null && known.equals('"' + document.etag() + '"')) {
            headers.remove("Content-Type");
            return new ApiResponse.Whole(304, headers, new byte[0]);
        }
        byte[] body = Arrays.copyOf(document.json(), document.json().length + 1);
        body[body.length - 1] = '\n';
        return new ApiResponse.Whole(200, headers, body);
    }

    private ObjectNode aggregatedCore() {
        ObjectNode list = aggregatedList();
        aggregate(list.withArray("items").addObject(), "");
        return list;
    }

    private ObjectNode aggregatedGroups() {
        ObjectNode list = aggregatedList();
        ArrayNode items = list.withArray("items");
        List<RemoteGroup> others = remote.get();
        for (String group : groups()) {
            if (isServed(group)) {
                aggregate(items.addObject(), group);
            } else {
                aggregate(items.addObject(), group, others);
            }
        }
        return list;
    }

    private static void aggregate(ObjectNode item, String name, List<RemoteGroup> others) {
        item.putObject("metadata").put("name", name);
        ArrayNode versions = item.putArray("versions");
        for (RemoteGroup group : others) {
            if (group.group().equals(name)) {
                ObjectNode version = versions.addObject().put("version", group.version());
                if (group.resources() != null) {
                    version.set("resources", group.resources());
                }
                version.put("freshness", group.resources() == null ? "Stale" : "Current");
            }
        }
    }

    private static ObjectNode aggregatedList() {
        ObjectNode list = object().put("kind", "APIGroupDiscoveryList").put("apiVersion", "apidiscovery.k8s.io/v2");
        list.putObject("metadata");
        list.putArray("items");
        return list;
    }

    private void aggregate(ObjectNode item, String group) {
        ObjectNode metadata = item.putObject("metadata");
        if (!group.isEmpty()) {
            metadata.put("name", group);
        }
        ArrayNode versions = item.putArray("versions");
        for (String version : registry.versions(group)) {
            ObjectNode entry = versions.addObject().put("version", version);
            ArrayNode resources = entry.putArray("resources");
            registry.resources(group, version).stream()
                    .map(Served::resource)
                    .sorted(Comparator.comparing(ApiResource::plural))
                    .forEach(r -> aggregate(resources.addObject(), r));
            entry.put("freshness", "Current");
        }
    }

    private static void aggregate(ObjectNode entry, ApiResource resource) {
        entry.put("resource", resource.plural());
        responseKind(entry, null, null, resource.kind(), resource);
        entry.put("scope", resource.namespaced() ? "Namespaced" : "Cluster");
        entry.put("singularResource", resource.singular());
        strings(entry, "verbs", verbs(resource.verbs(), resource.custom()), true);
        strings(entry, "shortNames", resource.shortNames(), false);
        strings(entry, "categories", resource.categories(), false);
        if (resource.subresources().isEmpty()) {
            return;
        }
        ArrayNode subresources = entry.putArray("subresources");
        resource.subresources().values().stream()
                .sorted(Comparator.comparing(ApiResource.Subresource::name))
                .forEach(sub -> {
                    ObjectNode below = subresources.addObject().put("subresource", sub.name());
                    responseKind(below, sub.group(), sub.version(), sub.kind(), resource);
                    strings(below, "verbs", verbs(sub.verbs(), false), true);
                });
    }

    /** Group and version are empty where they are the resource's own; custom resources say them all the same. */
    private static void responseKind(
            ObjectNode entry, @Nullable String group, @Nullable String version, String kind, ApiResource resource) {
        boolean own = version == null || version.isEmpty();
        entry.putObject("responseKind")
                .put("group", own ? resource.custom() ? resource.group() : "" : group == null ? "" : group)
                .put("version", own ? resource.custom() ? resource.version() : "" : version)
                .put("kind", kind);
    }

    private static byte[] digest(String algorithm, byte[] bytes) {
        try {
            return MessageDigest.getInstance(algorithm).digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(algorithm.toLowerCase(Locale.ROOT) + " is part of every JVM", e);
        }
    }

    private static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }
}
