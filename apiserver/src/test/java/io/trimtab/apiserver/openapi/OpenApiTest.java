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
}
