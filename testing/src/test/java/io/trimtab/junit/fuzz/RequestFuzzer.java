package io.trimtab.junit.fuzz;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.protobuf.ProtobufEncoder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Makes requests out of sound ones by changing this and that; the same seed gives the same requests. */
final class RequestFuzzer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final UserInfo ADMIN = UserInfo.of("admin", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);

    private static final String[] WORDS = {
        "",
        " ",
        "a",
        "default",
        "*",
        "/",
        "..",
        "0",
        "-1",
        "1",
        "1.5",
        "9223372036854775807",
        "99999999999999999999",
        "1e400",
        "true",
        "null",
        "{}",
        "[]",
        "metadata",
        "name",
        "spec",
        "status",
        "\u0000",
        "\uFFFF",
        "\uD83D\uDE00",
        "\u0301",
        "x".repeat(300),
        "A.b",
        "a=b",
        "a in (b,c)",
        "!a",
        "a,b",
        "10.0.0.1",
        "::1",
        "10.0.0.0/8",
        "5m",
        "1h1h",
        "100m",
        "1Ki",
        "2026-01-02T03:04:05Z",
        "2026-13-45T99:00:00Z",
        "50%",
        "f:metadata",
        "k:{\"name\":\"a\"}",
        "v:1",
        "i:0",
        "{\"f:x\":{}}",
        "$patch",
        "$retainKeys",
        "$setElementOrder/containers",
        "$deleteFromPrimitiveList/finalizers",
        "-",
        "~",
        "~1",
        "~0"
    };
    private static final String[] QUERIES = {
        "labelSelector",
        "fieldSelector",
        "limit",
        "continue",
        "resourceVersion",
        "resourceVersionMatch",
        "timeoutSeconds",
        "allowWatchBookmarks",
        "sendInitialEvents",
        "watch",
        "dryRun",
        "fieldManager",
        "fieldValidation",
        "force",
        "pretty",
        "gracePeriodSeconds",
        "propagationPolicy",
        "orphanDependents",
        "includeObject",
        "container",
        "command",
        "exact",
        "export",
        "timeout",
        "shardSelector",
        "ignoreStoreReadErrorWithClusterBreakingPotential"
    };
    private static final String[] SELECTORS = {
        "a=b", "a==b", "a!=b", "a in (b,c)", "a notin (b)", "!a", "a", "a>1", "a<x", "metadata.name=a",
                "spec.nodeName!=",
        "status.phase=Running", "a=(b", "a in b", "in in (in)", ",", "a,", "=", "!=", "a=b\\,c", "a\\", "spec.nope=1"
    };
    private static final String[] ACCEPT = {
        "application/json",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
        "*/*",
        "",
        "application/json;as=Table;g=meta.k8s.io;v=v1",
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
        "text/html;q=0.1,;q=x",
        ";;;,,=",
        "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1",
        "application/cbor",
        "application/json;stream=watch",
        "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    };
    private static final String[] CONTENT = {
        "application/json",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
        "application/apply-patch+cbor",
        "text/plain",
        "",
        "application/json; charset=utf-8",
        "application/json;;;"
    };
    private static final String[] METHODS = {
        "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW", "get", ""
    };
    private static final String[] SUBRESOURCES = {
        "status",
        "scale",
        "log",
        "exec",
        "binding",
        "eviction",
        "token",
        "approval",
        "finalize",
        "ephemeralcontainers",
        "resize",
        "proxy",
        "proxy/a/b",
        "portforward",
        "attach",
        "nope",
        "status/x"
    };
    private static final String[] PATHS = {
        "/",
        "/api",
        "/apis",
        "/version",
        "/healthz",
        "/livez/ping",
        "/readyz?verbose",
        "/metrics",
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/apis/apps/v1",
        "/apis/apps",
        "/apis/apps/v1",
        "/api/v1",
        "/apis/nope/v1/x",
        "/api/v1/watch/pods",
        "/.well-known/openid-configuration",
        "/openid/v1/jwks",
        "/api/v1/namespaces/default/finalize",
        "/api/v2/pods",
        "/trimtab/snapshot",
        "/apis/fuzz.example.com/v1/widgets",
        "/api/v1/componentstatuses/etcd-0",
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        "/apis/authentication.k8s.io/v1/tokenreviews",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        "//api//v1//pods",
        "/api/v1/pods/../secrets",
        "/logs",
        "/debug/pprof"
    };

    /** A sound object and where it belongs. */
    record Seed(ObjectNode object, String collection) {
        String path() {
            return collection + "/" + object.at("/metadata/name").asText();
        }
    }

    private final Random random;
    private final List<Seed> seeds;

    RequestFuzzer(long seed) {
        this.random = new Random(seed);
        this.seeds = seeds();
    }

    /** Sound objects of many kinds, in an order in which they can be made. */
    static List<Seed> seeds() {
        List<Seed> seeds = new ArrayList<>();
        try (InputStream in = RequestFuzzer.class.getResourceAsStream("seeds.yaml")) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            for (String document : text.split("\n---\n")) {
                ObjectNode object = (ObjectNode) YAML.readTree(document);
                String collection = object.remove("collection").asText();
                seeds.add(new Seed(object, collection));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return seeds;
    }

    private <T> T pick(T[] of) {
        return of[random.nextInt(of.length)];
    }

    private Seed seed() {
        return seeds.get(random.nextInt(seeds.size()));
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    /** A sound creation. */
    static ApiRequest creation(Seed seed) {
        return request(
                "POST",
                seed.collection(),
                Map.of(),
                Map.of("content-type", List.of("application/json")),
                bytes(seed.object()));
    }

    ApiRequest next() {
        return switch (random.nextInt(10)) {
            case 0, 1 -> body("POST", seed());
            case 2 -> body("PUT", seed());
            case 3, 4, 5 -> patch();
            case 6 -> read();
            case 7 -> applied();
            case 8 -> deletion();
            default -> anything();
        };
    }

    // ---- Kinds of requests -----------------------------------------------------------------------------------------

    private ApiRequest body(String method, Seed seed) {
        ObjectNode object = seed.object().deepCopy();
        for (int i = random.nextInt(4); i >= 0; i--) {
            mutate(object);
        }
        String type = "application/json";
        byte[] body;
        switch (random.nextInt(6)) {
            case 0 -> {
                type = "application/yaml";
                body = chance(50) ? yaml(object) : bend(yaml(object));
            }
            case 1 -> {
                type = "application/vnd.kubernetes.protobuf";
                body = protobuf(seed.object());
                body = chance(30) ? body : bend(body);
            }
            case 2 -> body = bend(bytes(object));
            default -> body = bytes(object);
        }
        if (chance(2)) {
            body = monster();
        }
        String path = method.equals("POST") ? seed.collection() : seed.path();
        if (chance(15)) {
            path = seed.path() + "/" + pick(SUBRESOURCES);
        }
        return request(method, path, queries(20), headers(type), body);
    }

    private ApiRequest patch() {
        Seed seed = seed();
        String type;
        byte[] body;
        switch (random.nextInt(4)) {
            case 0 -> {
                type = "application/json-patch+json";
                body = bytes(jsonPatch(seed.object()));
            }
            case 1 -> {
                type = "application/merge-patch+json";
                body = bytes(part(seed.object()));
            }
            case 2 -> {
                type = "application/strategic-merge-patch+json";
                body = bytes(directed(part(seed.object())));
            }
            default -> {
                return applied();
            }
        }
        if (chance(10)) {
            body = bend(body);
        } else if (chance(2)) {
            body = monster();
        }
        String path = seed.path() + (chance(15) ? "/" + pick(SUBRESOURCES) : "");
        return request("PATCH", path, queries(20), headers(type), body);
    }

    private ApiRequest applied() {
        Seed seed = seed();
        JsonNode object = chance(50) ? part(seed.object()) : seed.object().deepCopy();
        if (object instanceof ObjectNode o && chance(90)) {
            o.set("apiVersion", seed.object().get("apiVersion"));
            o.set("kind", seed.object().get("kind"));
        }
        if (object instanceof ObjectNode o) {
            mutate(o);
        }
        Map<String, List<String>> query = queries(20);
        query.put("fieldManager", List.of(chance(90) ? "fuzz" + random.nextInt(3) : pick(WORDS)));
        query.put("force", List.of(chance(80) ? "true" : pick(WORDS)));
        byte[] body = chance(50) ? bytes(object) : yaml(object);
        return request(
                "PATCH",
                seed.path() + (chance(10) ? "/" + pick(SUBRESOURCES) : ""),
                query,
                headers("application/apply-patch+yaml"),
                chance(10) ? bend(body) : body);
    }

    private ApiRequest read() {
        Seed seed = seed();
        String path = chance(60) ? seed.collection() : seed.path();
        Map<String, List<String>> query = queries(60);
        if (chance(50)) {
            query.put("labelSelector", List.of(selector()));
        }
        if (chance(50)) {
            query.put("fieldSelector", List.of(selector()));
        }
        if (chance(20)) {
            query.put("watch", List.of("1"));
            query.put("timeoutSeconds", List.of("1"));
        }
        return request(chance(90) ? "GET" : "HEAD", path, query, headers(""), new byte[0]);
    }

    private String selector() {
        String text = pick(SELECTORS);
        while (chance(40)) {
            text += "," + pick(SELECTORS);
        }
        return chance(30) ? new String(bend(text.getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8) : text;
    }

    private ApiRequest deletion() {
        Seed seed = seed();
        byte[] body = new byte[0];
        if (chance(70)) {
            ObjectNode options = JSON.createObjectNode()
                    .put("kind", "DeleteOptions")
                    .put("apiVersion", "v1")
                    .put("propagationPolicy", chance(50) ? "Background" : pick(WORDS))
                    .put("gracePeriodSeconds", random.nextInt(3) - 1);
            options.putObject("preconditions").put("uid", pick(WORDS));
            mutate(options);
            body = bytes(options);
        }
        String path = chance(90) ? seed.path() : seed.collection();
        return request("DELETE", path, queries(30), headers("application/json"), body);
    }

    private ApiRequest anything() {
        Seed seed = seed();
        String path = chance(50) ? pick(PATHS) : seed.path() + "/" + pick(SUBRESOURCES);
        if (chance(30)) {
            String word = pick(WORDS);
            int at = random.nextInt(path.length() + 1);
            path = path.substring(0, at) + word + path.substring(at);
        }
        if (!path.startsWith("/")) {
            path = "/" + path;
        }
        return request(
                pick(METHODS),
                path,
                queries(40),
                headers(pick(CONTENT)),
                chance(50) ? new byte[0] : bytes(seed.object()));
    }

    // ---- Parts -----------------------------------------------------------------------------------------------------

    private Map<String, List<String>> queries(int percent) {
        Map<String, List<String>> query = new LinkedHashMap<>();
        while (chance(percent)) {
            String name = chance(95) ? pick(QUERIES) : pick(WORDS);
            query.put(name, chance(90) ? List.of(pick(WORDS)) : List.of(pick(WORDS), pick(WORDS)));
        }
        // A watch is asked for where that is meant: others would go on.
        if (!query.getOrDefault("watch", List.of("0")).get(0).equals("0")) {
            query.put("timeoutSeconds", List.of("1"));
        }
        return query;
    }

    private Map<String, List<String>> headers(String type) {
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("content-type", List.of(chance(95) ? type : pick(CONTENT)));
        if (chance(50)) {
            headers.put("accept", List.of(pick(ACCEPT)));
        }
        if (chance(3)) {
            headers.put("accept", List.of(pick(WORDS)));
        }
        if (chance(3)) {
            headers.put("impersonate-user", List.of(pick(WORDS)));
            headers.put("impersonate-group", List.of(pick(WORDS)));
            headers.put("impersonate-extra-" + pick(WORDS), List.of(pick(WORDS)));
        }
        if (chance(3)) {
            headers.put("authorization", List.of("Bearer " + pick(WORDS)));
        }
        if (chance(3)) {
            headers.put("content-encoding", List.of(pick(WORDS)));
        }
        if (chance(3)) {
            headers.put("audit-id", List.of(pick(WORDS)));
        }
        return headers;
    }

    private ArrayNode jsonPatch(ObjectNode object) {
        ArrayNode patch = JSON.createArrayNode();
        for (int i = random.nextInt(4); i >= 0; i--) {
            ObjectNode operation = patch.addObject();
            operation.put("op", pick(new String[] {"add", "remove", "replace", "move", "copy", "test", "", "nope"}));
            operation.put("path", chance(80) ? pointer(object) : pick(WORDS));
            if (chance(70)) {
                operation.set("value", value());
            }
            if (chance(40)) {
                operation.put("from", chance(80) ? pointer(object) : pick(WORDS));
            }
            if (chance(5)) {
                mutate(operation);
            }
        }
        return patch;
    }

    private String pointer(JsonNode node) {
        StringBuilder path = new StringBuilder();
        JsonNode at = node;
        while (at.isContainerNode() && !at.isEmpty() && chance(85)) {
            if (at.isArray()) {
                int i = random.nextInt(at.size());
                path.append('/').append(chance(80) ? i : chance(50) ? "-" : random.nextInt());
                at = at.get(i);
            } else {
                List<String> names = new ArrayList<>();
                at.fieldNames().forEachRemaining(names::add);
                String name = names.get(random.nextInt(names.size()));
                path.append('/').append(name.replace("~", "~0").replace("/", "~1"));
                at = at.get(name);
            }
        }
        if (chance(15)) {
            path.append('/').append(pick(WORDS));
        }
        return path.toString();
    }

    /** Some of an object, changed. */
    private JsonNode part(ObjectNode object) {
        ObjectNode some = object.deepCopy();
        for (int i = random.nextInt(5); i > 0 && some.size() > 1; i--) {
            List<String> names = new ArrayList<>();
            some.fieldNames().forEachRemaining(names::add);
            some.remove(names.get(random.nextInt(names.size())));
        }
        for (int i = random.nextInt(3); i >= 0; i--) {
            mutate(some);
        }
        return chance(97) ? some : value();
    }

    /** With the strategic patch's directives here and there. */
    private JsonNode directed(JsonNode patch) {
        List<ObjectNode> objects = new ArrayList<>();
        collect(patch, objects);
        for (int i = random.nextInt(3); i > 0 && !objects.isEmpty(); i--) {
            ObjectNode at = objects.get(random.nextInt(objects.size()));
            switch (random.nextInt(5)) {
                case 0 -> at.put("$patch", pick(new String[] {"delete", "replace", "merge", "nope"}));
                case 1 -> at.set("$retainKeys", value());
                case 2 ->
                    at.set(
                            "$setElementOrder/" + pick(new String[] {"containers", "ports", "finalizers", "x"}),
                            value());
                case 3 -> at.set("$deleteFromPrimitiveList/" + pick(new String[] {"finalizers", "args", "x"}), value());
                default -> at.set("$patch", value());
            }
        }
        return patch;
    }

    private static void collect(JsonNode node, List<ObjectNode> into) {
        if (node instanceof ObjectNode object) {
            into.add(object);
        }
        node.forEach(child -> collect(child, into));
    }

    private void mutate(ObjectNode root) {
        JsonNode at = root;
        while (true) {
            JsonNode child = null;
            if (at instanceof ObjectNode object) {
                List<String> names = new ArrayList<>();
                object.fieldNames().forEachRemaining(names::add);
                String name = names.isEmpty() ? "x" : names.get(random.nextInt(names.size()));
                child = object.get(name);
                if (child == null || !child.isContainerNode() || chance(25)) {
                    switch (random.nextInt(5)) {
                        case 0 -> object.remove(name);
                        case 1 -> object.set(pick(WORDS), value());
                        case 2 -> {
                            if (chance(50)) {
                                ObjectNode fields = object.putObject("managedFields");
                                fields.set("x", value());
                            } else {
                                object.putArray("managedFields")
                                        .addObject()
                                        .put("manager", pick(WORDS))
                                        .put("operation", pick(new String[] {"Apply", "Update", "x"}))
                                        .put("apiVersion", "v1")
                                        .put("fieldsType", "FieldsV1")
                                        .set("fieldsV1", value());
                            }
                        }
                        default -> object.set(name, value());
                    }
                    return;
                }
            } else if (at instanceof ArrayNode array) {
                if (array.isEmpty() || chance(30)) {
                    if (chance(50) || array.isEmpty()) {
                        array.add(value());
                    } else {
                        array.set(random.nextInt(array.size()), value());
                    }
                    return;
                }
                child = array.get(random.nextInt(array.size()));
            }
            if (child == null || !child.isContainerNode()) {
                return;
            }
            at = child;
        }
    }

    private JsonNode value() {
        return switch (random.nextInt(12)) {
            case 0 -> JSON.nullNode();
            case 1 -> JSON.createObjectNode();
            case 2 -> JSON.createArrayNode();
            case 3 -> JSON.getNodeFactory().numberNode(random.nextInt(5) - 2);
            case 4 -> JSON.getNodeFactory().numberNode(random.nextLong());
            case 5 -> JSON.getNodeFactory().numberNode(new java.math.BigDecimal("1e" + (random.nextInt(1200) - 600)));
            case 6 -> JSON.getNodeFactory().booleanNode(chance(50));
            case 7 -> JSON.createObjectNode().set(pick(WORDS), chance(30) ? value() : JSON.createObjectNode());
            case 8 ->
                JSON.createArrayNode()
                        .add(chance(30) ? value() : JSON.nullNode())
                        .add(pick(WORDS));
            case 9 -> JSON.getNodeFactory().numberNode(random.nextDouble());
            default -> JSON.getNodeFactory().textNode(pick(WORDS));
        };
    }

    // ---- Bytes -----------------------------------------------------------------------------------------------------

    private byte[] bend(byte[] body) {
        byte[] bent = body.clone();
        if (bent.length == 0) {
            return bent;
        }
        if (chance(30)) {
            bent = java.util.Arrays.copyOf(bent, random.nextInt(bent.length));
        }
        for (int i = random.nextInt(4); i >= 0 && bent.length > 0; i--) {
            bent[random.nextInt(bent.length)] = chance(50)
                    ? (byte) random.nextInt(256)
                    : (byte) "{}[]\",:\\0-e.&*!|>#%@`\n\t ".charAt(random.nextInt(24));
        }
        return bent;
    }

    /** Bodies that are small to send and dear to read. */
    private byte[] monster() {
        String text =
                switch (random.nextInt(9)) {
                    case 0 -> "[".repeat(200_000);
                    case 1 -> "{\"a\":".repeat(100_000);
                    case 2 ->
                        "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":" + "{\"labels\":".repeat(20_000) + "1"
                                + "}".repeat(20_001) + "}";
                    case 3 ->
                        "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
                                + "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]\n";
                    case 4 -> "- ".repeat(20_000) + "x";
                    case 5 -> "{\"metadata\":{\"name\":" + "9".repeat(200_000) + "}}";
                    case 6 -> "a: &a\n  b: *a\n";
                    case 7 -> "!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[]]]";
                    default -> "[{\"op\":\"add\",\"path\":\"" + "/a".repeat(50_000) + "\",\"value\":1}]";
                };
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] protobuf(ObjectNode object) {
        return ProtobufEncoder.knows(
                        object.path("apiVersion").asText(), object.path("kind").asText())
                ? ProtobufEncoder.object(object)
                : bytes(object);
    }

    private static byte[] bytes(JsonNode node) {
        try {
            return JSON.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] yaml(JsonNode node) {
        try {
            return YAML.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            return bytes(node);
        }
    }

    private static ApiRequest request(
            String method,
            String path,
            Map<String, List<String>> query,
            Map<String, List<String>> headers,
            byte[] body) {
        return new ApiRequest(method, path, query, headers, body, ApiRequest.Peer.trusted(ADMIN));
    }
}
