package io.trimtab.apiserver.openapi;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.PathHandler;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.discovery.Documents;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.schema.Schema;
import java.lang.ref.SoftReference;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves {@code /openapi/v3} and {@code /openapi/v2}. A document's hash is made of what the document is made of, so that the
 * index, which names all hashes, costs no document. Safe for use by any thread.
 */
public final class OpenApi implements PathHandler {
    private static final String V3 = "/openapi/v3";
    private static final String V2 = "/openapi/v2";
    private static final DateTimeFormatter HTTP_DATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss", Locale.US).withZone(ZoneOffset.UTC);

    private final ResourceRegistry registry;
    private final Function<Served, @Nullable ObjectNode> customSchemas;
    private final Supplier<Instant> now;
    private final Instant since;
    private final RemoteDocuments remote;
    private volatile @Nullable SoftReference<Definitions> definitions;
    /** Documents by path; an entry whose hash is no longer right is made anew. */
    private final Map<String, SoftReference<Document>> documents = new ConcurrentHashMap<>();

    private record Document(String hash, byte[] bytes) {}

    /** A description of a registry in which custom resources have the shape that their schema tells. */
    public OpenApi(ResourceRegistry registry, Supplier<Instant> now) {
        this(
                registry,
                served -> {
                    Schema schema = served.schema();
                    return schema == null ? null : CustomSchemas.shape(schema);
                },
                now);
    }

    /**
     * A description of a registry.
     *
     * @param customSchemas the {@code openAPIV3Schema} of a custom resource's version; null if there is none
     * @param now the wall clock, for headers
     */
    public OpenApi(
            ResourceRegistry registry, Function<Served, @Nullable ObjectNode> customSchemas, Supplier<Instant> now) {
        this(registry, customSchemas, now, RemoteDocuments.NONE);
    }

    /** @param remote the documents of other servers */
    public OpenApi(
            ResourceRegistry registry,
            Function<Served, @Nullable ObjectNode> customSchemas,
            Supplier<Instant> now,
            RemoteDocuments remote) {
        this.remote = remote;
        this.registry = registry;
        this.customSchemas = customSchemas;
        this.now = now;
        this.since = now.get();
    }

    @Override
    public Optional<ApiResponse> handle(ApiRequest request, UserInfo user) {
        String path = request.path();
        if (!path.startsWith("/openapi/v")) {
            return Optional.empty();
        }
        if (!path.equals(V2) && !path.equals(V3) && !path.startsWith(V3 + "/")) {
            return Optional.empty();
        }
        if (path.equals(V2)) {
            return Optional.of(version2(request));
        }
        if (path.equals(V3)) {
            return Optional.of(index());
        }
        return Optional.of(version3(request, path.substring(V3.length() + 1)).orElseGet(OpenApi::notFound));
    }

    private static ApiResponse notFound() {
        return new ApiResponse.Whole(404, Map.of(), new byte[0]);
    }

    private ApiResponse index() {
        ObjectNode index = JsonNodeFactory.instance.objectNode();
        ObjectNode paths = index.putObject("paths");
        Map<String, String> all = hashes();
        remote.hashes().forEach(all::putIfAbsent);
        all.forEach((path, hash) -> paths.putObject(path).put("serverRelativeURL", V3 + "/" + path + "?hash=" + hash));
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("Content-Type", List.of("text/plain; charset=utf-8"));
        headers.put("Accept-Ranges", List.of("bytes"));
        headers.put("Last-Modified", List.of(HTTP_DATE.format(now.get()) + " GMT"));
        byte[] body = index.toString().getBytes(StandardCharsets.UTF_8);
        return new ApiResponse.Whole(200, headers, body);
    }

    private Map<String, String> hashes() {
        Map<String, String> hashes = new TreeMap<>();
        for (String path : SmallDocuments.PATHS) {
            hashes.put(path, hash(path));
        }
        for (String group : registry.groups()) {
            if (!group.isEmpty() && !registry.isCustom(group)) {
                hashes.put("apis/" + group, hash("apis/" + group));
            }
            for (String version : registry.versions(group)) {
                hashes.put(group.isEmpty() ? "api/" + version : "apis/" + group + "/" + version, hash(group, version));
            }
        }
        return hashes;
    }

    private static String hash(String content) {
        return HexFormat.of().withUpperCase().formatHex(digest(("1.34 " + content).getBytes(StandardCharsets.UTF_8)));
    }

    /** Of the resources, and of the schemas of custom ones. */
    private String hash(String group, String version) {
        StringBuilder content = new StringBuilder(group).append('/').append(version);
        for (Served served : registry.resources(group, version)) {
            var resource = served.resource();
            content.append('\n')
                    .append(resource.plural())
                    .append(' ')
                    .append(resource.kind())
                    .append(' ')
                    .append(resource.namespaced())
                    .append(' ')
                    .append(String.join(",", resource.verbs().stream().sorted().toList()))
                    .append(' ')
                    .append(String.join(
                            ",",
                            resource.subresources().keySet().stream().sorted().toList()));
            if (resource.custom()) {
                content.append(' ').append(customSchemas.apply(served));
            }
        }
        return hash(content.toString());
    }

    private static byte[] digest(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-512").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-512 is part of every JVM", e);
        }
    }

    private Optional<ApiResponse> version3(ApiRequest request, String path) {
        String hash;
        Supplier<ObjectNode> make;
        String[] parts = path.split("/");
        boolean core = parts[0].equals("api") && parts.length == 2;
        if (core || parts[0].equals("apis") && parts.length == 3) {
            String group = core ? "" : parts[1];
            String version = core ? parts[1] : parts[2];
            if (!registry.versions(group).contains(version)) {
                return Optional.empty();
            }
            hash = hash(group, version);
            make = () -> document(group, version, false);
        } else if (SmallDocuments.PATHS.contains(path)
                || parts[0].equals("apis")
                        && parts.length == 2
                        && !registry.versions(parts[1]).isEmpty()
                        && !registry.isCustom(parts[1])) {
            hash = hash(path);
            make = () -> SmallDocuments.document(path, definitions());
        } else {
            return Optional.empty();
        }
        String asked = request.queryParameter("hash");
        if (asked != null && !asked.equals(hash)) {
            Map<String, List<String>> moved = new LinkedHashMap<>();
            moved.put("Content-Type", List.of("application/json"));
            moved.put("ETag", List.of('"' + hash + '"'));
            moved.put("Location", List.of(V3 + "/" + path + "?hash=" + hash));
            moved.put("Vary", List.of("Accept"));
            return Optional.of(new ApiResponse.Whole(301, moved, new byte[0]));
        }
        if (!acceptsJson(request)) {
            return Optional.of(new ApiResponse.Whole(406, Map.of(), new byte[0]));
        }
        Map<String, List<String>> headers = new LinkedHashMap<>();
        if (asked != null) {
            headers.put("Cache-Control", List.of("public, immutable"));
            headers.put("Expires", List.of(HTTP_DATE.format(now.get().plus(Duration.ofDays(365))) + " UTC"));
        }
        headers.put("Content-Type", List.of("application/json"));
        headers.put("ETag", List.of('"' + hash + '"'));
        headers.put("Accept-Ranges", List.of("bytes"));
        headers.put("Last-Modified", List.of(HTTP_DATE.format(since) + " GMT"));
        headers.put("Vary", List.of("Accept"));
        return Optional.of(answer(request, headers, hash, () -> cached(path, hash, () -> text(make.get()))));
    }

    private static ApiResponse answer(
            ApiRequest request, Map<String, List<String>> headers, String hash, Supplier<byte[]> body) {
        if (('"' + hash + '"').equals(request.header("if-none-match"))) {
            headers.remove("Content-Type");
            return new ApiResponse.Whole(304, headers, new byte[0]);
        }
        return new ApiResponse.Whole(200, headers, body.get());
    }

    private static byte[] text(ObjectNode document) {
        return document.toString().getBytes(StandardCharsets.UTF_8);
    }

    private byte[] cached(String path, String hash, Supplier<byte[]> make) {
        SoftReference<Document> reference = documents.get(path);
        Document known = reference == null ? null : reference.get();
        if (known == null || !known.hash().equals(hash)) {
            known = new Document(hash, make.get());
            documents.put(path, new SoftReference<>(known));
        }
        return known.bytes();
    }

    private ObjectNode document(String group, String version, boolean version2) {
        return new GroupVersionDocument(group, version, definitions(), customSchemas, version2)
                .build(registry.resources(group, version));
    }

    private Definitions definitions() {
        SoftReference<Definitions> reference = definitions;
        Definitions known = reference == null ? null : reference.get();
        if (known == null) {
            known = Definitions.load();
            definitions = new SoftReference<>(known);
        }
        return known;
    }

    private ApiResponse version2(ApiRequest request) {
        String type = version2Type(request);
        if (type == null) {
            return new ApiResponse.Whole(406, Map.of("Vary", List.of("Accept")), new byte[0]);
        }
        List<ObjectNode> others = remote.version2();
        String hash = hash(hashes().toString() + (others.isEmpty() ? "" : others.toString()));
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("Content-Type", List.of(type));
        headers.put("ETag", List.of('"' + hash + '"'));
        headers.put("Accept-Ranges", List.of("bytes"));
        headers.put("Last-Modified", List.of(HTTP_DATE.format(since) + " GMT"));
        headers.put("Vary", List.of("Accept-Encoding", "Accept"));
        return answer(request, headers, hash, () -> {
            if (type.equals(SwaggerProtobuf.TYPE)) {
                return cached(V2 + ".pb", hash, () -> SwaggerProtobuf.of(swagger()));
            }
            return cached(V2, hash, () -> text(swagger()));
        });
    }

    private ObjectNode swagger() {
        List<ObjectNode> all = new ArrayList<>();
        for (String group : registry.groups()) {
            if (!group.isEmpty() && !registry.isCustom(group)) {
                all.add(SmallDocuments.document("apis/" + group, definitions()));
            }
            registry.versions(group).forEach(version -> all.add(document(group, version, true)));
        }
        for (String path : SmallDocuments.PATHS) {
            all.add(SmallDocuments.document(path, definitions()));
        }
        ObjectNode swagger = Swagger.of(all, definitions());
        for (ObjectNode other : remote.version2()) {
            for (String part : new String[] {"paths", "definitions"}) {
                ObjectNode own = swagger.withObjectProperty(part);
                // A name that both have stands for ours: types of metadata are the same everywhere.
                other.path(part).fields().forEachRemaining(entry -> {
                    if (!own.has(entry.getKey())) {
                        own.set(entry.getKey(), entry.getValue());
                    }
                });
            }
        }
        return swagger;
    }

    /** What to answer with; null if the client wants neither of the two. */
    private static @Nullable String version2Type(ApiRequest request) {
        String accept = request.header("accept");
        if (accept == null || accept.isBlank()) {
            return "application/json";
        }
        for (String range : accept.split(",")) {
            switch (Documents.mediaType(range)) {
                case "application/json", "application/*", "*/*" -> {
                    return "application/json";
                }
                case SwaggerProtobuf.TYPE, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf" -> {
                    return SwaggerProtobuf.TYPE;
                }
                default -> {}
            }
        }
        return null;
    }

    private static boolean acceptsJson(ApiRequest request) {
        String accept = request.header("accept");
        if (accept == null || accept.isBlank()) {
            return true;
        }
        for (String range : accept.split(",")) {
            switch (Documents.mediaType(range)) {
                case "application/json", "application/*", "*/*" -> {
                    return true;
                }
                default -> {}
            }
        }
        return false;
    }
}
