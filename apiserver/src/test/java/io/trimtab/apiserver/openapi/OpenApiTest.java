package io.trimtab.apiserver.openapi;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.KindRegistry;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the documents against those of Kubernetes 1.34, but for the words of descriptions. */
class OpenApiTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Instant NOW = Instant.parse("2026-11-23T12:54:04Z");

    private final ResourceRegistry registry = ResourceRegistry.builtIn(new KindRegistry(returning()));
    private final OpenApi openApi = new OpenApi(registry, () -> NOW);

    /** Deletion of these answers with the object. */
    private static Map<String, Kind> returning() {
        Kind kind = new Kind() {
            @Override
            public boolean returnsDeletedObject() {
                return true;
            }
        };
        Map<String, Kind> kinds = new LinkedHashMap<>();
        for (String name : List.of(
                "/PersistentVolumeClaim",
                "/PersistentVolume",
                "/PodTemplate",
                "/ResourceQuota",
                "/Pod",
                "/ServiceAccount",
                "/Service",
                "storage.k8s.io/VolumeAttachment",
                "storage.k8s.io/CSIDriver",
                "storage.k8s.io/VolumeAttributesClass",
                "storage.k8s.io/CSINode",
                "storage.k8s.io/StorageClass",
                "resource.k8s.io/ResourceClaim",
                "resource.k8s.io/DeviceClass",
                "resource.k8s.io/ResourceSlice",
                "resource.k8s.io/ResourceClaimTemplate")) {
            kinds.put(name, kind);
        }
        return kinds;
    }

    private ApiResponse.Whole get(String pathAndQuery, String... headers) {
        URI uri = URI.create(pathAndQuery);
        Map<String, List<String>> all = new LinkedHashMap<>();
        for (int i = 0; i < headers.length; i += 2) {
            all.put(headers[i], List.of(headers[i + 1]));
        }
        Map<String, List<String>> query = uri.getQuery() == null
                ? Map.of()
                : Map.of("hash", List.of(uri.getQuery().substring(5)));
        return (ApiResponse.Whole) openApi.handle(
                        new ApiRequest(
                                "GET", uri.getPath(), query, all, new byte[0], ApiRequest.Peer.trusted(UserInfo.SELF)),
                        UserInfo.SELF)
                .orElseThrow();
    }

    private static JsonNode json(ApiResponse.Whole answer) throws IOException {
        return JSON.readTree(answer.body());
    }

    static Stream<Path> documents() throws Exception {
        return Files.list(
                        Path.of(OpenApiTest.class.getResource("/golden/openapi").toURI()))
                .sorted();
    }

    @ParameterizedTest
    @MethodSource("documents")
    void givenTheBuiltInResources_whenAsked_thenTheDocumentIsKubernetes(Path file) throws IOException {
        String name = file.getFileName().toString().replace(".json", "");
        String path = name.equals("openid_v1_jwks") ? "openid/v1/jwks" : name.replace('_', '/');
        JsonNode golden = JSON.readTree(Files.readAllBytes(file));

        JsonNode ours = withoutDescriptions(json(get("/openapi/v3/" + path)), false);

        List<String> differences = new ArrayList<>();
        compare("", golden, ours, differences);
        assertThat(differences.subList(0, Math.min(20, differences.size()))).isEmpty();
    }

    private static void compare(String at, JsonNode expected, JsonNode found, List<String> differences) {
        if (expected.isObject() && found.isObject()) {
            Set<String> names = new TreeSet<>();
            expected.fieldNames().forEachRemaining(names::add);
            found.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                if (!found.has(name) || !expected.has(name)) {
                    differences.add(at + "/" + name + (found.has(name) ? " is too much" : " is missing"));
                } else {
                    compare(at + "/" + name, expected.get(name), found.get(name), differences);
                }
            }
        } else if (expected.isArray() && found.isArray() && expected.size() == found.size()) {
            for (int i = 0; i < expected.size(); i++) {
                compare(at + "[" + i + "]", expected.get(i), found.get(i), differences);
            }
        } else if (!expected.equals(found)) {
            differences.add(at + " expected " + expected + " found " + found);
        }
    }

    private static JsonNode withoutDescriptions(JsonNode node, boolean properties) {
        if (node instanceof ObjectNode object) {
            if (!properties && object.path("description").isTextual()) {
                object.remove("description");
            }
            object.properties()
                    .forEach(f -> withoutDescriptions(f.getValue(), f.getKey().equals("properties") && !properties));
        } else {
            node.forEach(n -> withoutDescriptions(n, false));
        }
        return node;
    }

    @Test
    void givenTheIndex_whenItsLinksAreFollowed_thenTheyMayBeKeptForever() throws IOException {
        ApiResponse.Whole index = get("/openapi/v3");
        assertThat(index.headers()).containsEntry("Content-Type", List.of("text/plain; charset=utf-8"));
        JsonNode paths = json(index).path("paths");
        assertThat(paths.size()).isEqualTo(47);
        String link = paths.path("apis/policy/v1").path("serverRelativeURL").asText();
        assertThat(link).matches("/openapi/v3/apis/policy/v1\\?hash=[0-9A-F]{128}");

        ApiResponse.Whole document = get(link);
        assertThat(document.code()).isEqualTo(200);
        assertThat(document.headers())
                .containsEntry("Cache-Control", List.of("public, immutable"))
                .containsEntry("Expires", List.of("Tue, 23 Nov 2027 12:54:04 UTC"))
                .containsEntry("ETag", List.of('"' + link.substring(link.indexOf('=') + 1) + '"'));

        ApiResponse.Whole moved = get("/openapi/v3/apis/policy/v1?hash=0");
        assertThat(moved.code()).isEqualTo(301);
        assertThat(moved.headers()).containsEntry("Location", List.of(link));

        assertThat(get(
                                "/openapi/v3/apis/policy/v1",
                                "if-none-match",
                                document.headers().get("ETag").get(0))
                        .code())
                .isEqualTo(304);
    }

    @Test
    void givenACustomResource_whenRegistered_thenItIsDescribedAndTheHashOfOthersStays() throws IOException {
        JsonNode before = json(get("/openapi/v3")).path("paths");
        ApiResource widgets = new ApiResource(
                "example.com",
                "v1",
                "widgets",
                "widget",
                "Widget",
                true,
                Set.of("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"),
                List.of(),
                List.of(),
                Map.of(
                        "status",
                        new ApiResource.Subresource("status", null, null, "Widget", Set.of("get", "patch", "update"))),
                true);
        registry.register(new Served(widgets, Kind.PLAIN, null, null));

        JsonNode after = json(get("/openapi/v3")).path("paths");
        assertThat(after.has("apis/example.com/v1")).isTrue();
        assertThat(after.path("apis/apps/v1")).isEqualTo(before.path("apis/apps/v1"));
        JsonNode document = json(get("/openapi/v3/apis/example.com/v1"));
        assertThat(document.at("/components/schemas/com.example.v1.Widget/x-kubernetes-group-version-kind/0/kind")
                        .asText())
                .isEqualTo("Widget");
        JsonNode patch = document.path("paths")
                .path("/apis/example.com/v1/namespaces/{namespace}/widgets/{name}")
                .path("patch");
        assertThat(patch.path("parameters").findValuesAsText("name")).contains("fieldValidation", "dryRun", "force");
        assertThat(patch.path("requestBody").path("content").has("application/strategic-merge-patch+json"))
                .isFalse();
    }

    @Test
    void givenVersion2_whenAsked_thenAllGroupsStandInOneDocument() throws IOException {
        ApiResponse.Whole answer = get("/openapi/v2");
        JsonNode swagger = json(answer);

        assertThat(swagger.path("swagger").asText()).isEqualTo("2.0");
        assertThat(swagger.path("definitions").has("io.k8s.api.core.v1.Pod")).isTrue();
        assertThat(swagger.path("definitions")
                        .path("io.k8s.api.core.v1.Pod")
                        .path("properties")
                        .path("spec")
                        .path("$ref")
                        .asText())
                .isEqualTo("#/definitions/io.k8s.api.core.v1.PodSpec");
        assertThat(new String(answer.body(), StandardCharsets.UTF_8)).doesNotContain("#/components/");
        assertThat(swagger.path("paths")
                        .path("/api/v1/namespaces/{namespace}/pods/{name}")
                        .path("patch")
                        .path("x-kubernetes-action")
                        .asText())
                .isEqualTo("patch");
        assertThat(get("/openapi/v2", "accept", "text/html").code()).isEqualTo(406);
    }

    @Test
    void givenAGoClient_whenItAsksForVersion2AsProtobuf_thenTheSameDocumentComesAsMessage() {
        ApiResponse.Whole answer =
                get("/openapi/v2", "accept", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf");

        assertThat(answer.headers().get("Content-Type"))
                .containsExactly("application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
        Map<Integer, List<byte[]>> document = fields(answer.body());
        assertThat(text(document.get(1).get(0))).isEqualTo("2.0");
        Map<String, byte[]> definitions = named(fields(document.get(9).get(0)).get(1));
        Map<Integer, List<byte[]>> pod = fields(definitions.get("io.k8s.api.core.v1.Pod"));
        Map<String, byte[]> properties = named(fields(pod.get(25).get(0)).get(1));
        assertThat(text(fields(properties.get("spec")).get(1).get(0)))
                .isEqualTo("#/definitions/io.k8s.api.core.v1.PodSpec");
        assertThat(text(fields(named(pod.get(31)).get("x-kubernetes-group-version-kind"))
                        .get(2)
                        .get(0)))
                .contains("\"kind\":\"Pod\"");
        Map<String, byte[]> paths = named(fields(document.get(8).get(0)).get(2));
        Map<Integer, List<byte[]>> patch = fields(fields(paths.get("/api/v1/namespaces/{namespace}/pods/{name}"))
                .get(8)
                .get(0));
        assertThat(text(patch.get(5).get(0))).isEqualTo("patchCoreV1NamespacedPod");
        assertThat(text(fields(named(patch.get(13)).get("x-kubernetes-action"))
                        .get(2)
                        .get(0)))
                .isEqualTo("\"patch\"\n");
    }

    /** The length-delimited fields of a message; others are passed over. */
    private static Map<Integer, List<byte[]>> fields(byte[] message) {
        Map<Integer, List<byte[]>> result = new LinkedHashMap<>();
        java.nio.ByteBuffer buffer = java.nio.ByteBuffer.wrap(message);
        while (buffer.hasRemaining()) {
            long tag = varint(buffer);
            switch ((int) (tag & 7)) {
                case 0 -> varint(buffer);
                case 1 -> buffer.getLong();
                case 2 -> {
                    byte[] part = new byte[(int) varint(buffer)];
                    buffer.get(part);
                    result.computeIfAbsent((int) (tag >>> 3), n -> new ArrayList<>())
                            .add(part);
                }
                default -> throw new AssertionError("wire type " + (tag & 7));
            }
        }
        return result;
    }

    private static long varint(java.nio.ByteBuffer buffer) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = buffer.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }

    private static Map<String, byte[]> named(List<byte[]> entries) {
        Map<String, byte[]> result = new LinkedHashMap<>();
        for (byte[] entry : entries) {
            Map<Integer, List<byte[]>> parts = fields(entry);
            result.put(text(parts.get(1).get(0)), parts.get(2).get(0));
        }
        return result;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private OpenApi describing(String schema) throws IOException {
        ApiResource widgets = new ApiResource(
                "example.com",
                "v1",
                "widgets",
                "widget",
                "Widget",
                true,
                Set.of("get", "list"),
                List.of(),
                List.of(),
                Map.of(),
                true);
        registry.register(new Served(widgets, Kind.PLAIN, null, null));
        ObjectNode parsed = (ObjectNode) JSON.readTree(schema);
        return new OpenApi(registry, served -> parsed, () -> NOW);
    }

    private static JsonNode widget(OpenApi openApi, String path, String at) throws IOException {
        ApiRequest request =
                new ApiRequest("GET", path, Map.of(), Map.of(), new byte[0], ApiRequest.Peer.trusted(UserInfo.SELF));
        JsonNode document =
                json((ApiResponse.Whole) openApi.handle(request, UserInfo.SELF).orElseThrow());
        return document.at(at).path("com.example.v1.Widget");
    }

    @Test
    void givenASchemaThatTakesAllFields_whenVersion2IsAsked_thenItNamesNone() throws IOException {
        OpenApi open = describing("{'type':'object','x-kubernetes-preserve-unknown-fields':true}".replace('\'', '"'));

        assertThat(widget(open, "/openapi/v2", "/definitions").properties())
                .extracting(Map.Entry::getKey)
                .containsExactlyInAnyOrder("type", "x-kubernetes-group-version-kind");
        assertThat(widget(open, "/openapi/v3/apis/example.com/v1", "/components/schemas")
                        .path("properties")
                        .properties())
                .extracting(Map.Entry::getKey)
                .containsExactlyInAnyOrder("apiVersion", "kind", "metadata");
    }

    @Test
    void givenASchema_whenVersion2IsAsked_thenItIsSaidInFewerWordsAndDefaultsStay() throws IOException {
        OpenApi open = describing(
                ("{'type':'object','required':['a','spec'],'properties':{'a':{'type':'array','nullable':true,"
                                + "'items':{'type':'string'}},'spec':{'type':'object','properties':{'size':{'type':'string',"
                                + "'enum':['S','L'],'default':'S'},'port':{'x-kubernetes-int-or-string':true,"
                                + "'anyOf':[{'type':'integer'},{'type':'string'}]},'any':{'type':'object',"
                                + "'x-kubernetes-preserve-unknown-fields':true,'properties':{'x':{'type':'string'}}},"
                                + "'child':{'type':'object','x-kubernetes-embedded-resource':true}}}}}")
                        .replace('\'', '"'));

        JsonNode two = widget(open, "/openapi/v2", "/definitions");
        JsonNode three = widget(open, "/openapi/v3/apis/example.com/v1", "/components/schemas");

        assertThat(two.path("required").toString()).isEqualTo("[\"spec\"]");
        assertThat(two.at("/properties/a").toString()).isEqualTo("{}");
        assertThat(two.at("/properties/spec/properties/size").toString())
                .isEqualTo("{'type':'string','enum':['S','L'],'default':'S'}".replace('\'', '"'));
        assertThat(two.at("/properties/spec/properties/port").toString())
                .isEqualTo("{'x-kubernetes-int-or-string':true}".replace('\'', '"'));
        assertThat(two.at("/properties/spec/properties/any").toString())
                .isEqualTo("{'x-kubernetes-preserve-unknown-fields':true}".replace('\'', '"'));
        assertThat(three.at("/properties/spec/properties/port/anyOf").size()).isEqualTo(2);
        assertThat(three.at("/properties/a/nullable").asBoolean()).isTrue();
        for (JsonNode type : List.of(two, three)) {
            assertThat(type.at("/properties/spec/properties/child/properties/metadata")
                            .isObject())
                    .isTrue();
            assertThat(type.at("/properties/spec/properties/child/required").toString())
                    .isEqualTo("[\"kind\",\"apiVersion\"]");
        }
    }

    @Test
    void givenAnyKind_whenExplained_thenTheFieldsOfAllObjectsHaveWords() throws IOException {
        JsonNode schemas = json(get("/openapi/v3/api/v1")).path("components").path("schemas");

        assertThat(schemas.at("/io.k8s.api.core.v1.Pod/properties/metadata/description")
                        .asText())
                .startsWith("Standard object's metadata");
        assertThat(schemas.at("/io.k8s.api.core.v1.Pod/properties/apiVersion/description")
                        .asText())
                .startsWith("APIVersion defines");
        assertThat(schemas.at(
                                "/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta/properties/creationTimestamp/description")
                        .asText())
                .startsWith("CreationTimestamp is a timestamp");
    }

    @Test
    void givenAList_whenLookedUp_thenItsItemsAndItsParametersHaveWords() throws IOException {
        JsonNode document = json(get("/openapi/v3/api/v1"));

        assertThat(document.at("/components/schemas/io.k8s.api.core.v1.ServiceList/properties/items/description")
                        .asText())
                .isEqualTo("List of services");
        assertThat(document.path("paths")
                        .path("/api/v1/services")
                        .path("parameters")
                        .findValuesAsText("description"))
                .anySatisfy(words -> assertThat(words).contains("list of returned objects"));
    }
}
