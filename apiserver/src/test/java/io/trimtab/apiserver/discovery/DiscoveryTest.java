package io.trimtab.apiserver.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.protobuf.ProtobufBodies;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.KindRegistry;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds discovery against what Kubernetes 1.34 answers, byte for byte. */
class DiscoveryTest {
    private static final String AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

    private final ResourceRegistry registry = ResourceRegistry.builtIn(new KindRegistry(Map.of()));
    private final Discovery discovery = new Discovery(registry, () -> "127.0.0.1:18443");

    private static ApiRequest get(String path, String... headers) {
        Map<String, List<String>> all = new LinkedHashMap<>();
        for (int i = 0; i < headers.length; i += 2) {
            all.put(headers[i], List.of(headers[i + 1]));
        }
        return new ApiRequest("GET", path, Map.of(), all, new byte[0], ApiRequest.Peer.trusted(UserInfo.SELF));
    }

    private ApiResponse.Whole answer(ApiRequest request) {
        return (ApiResponse.Whole) discovery.handle(request, UserInfo.SELF).orElseThrow();
    }

    private static String text(ApiResponse.Whole answer) {
        return new String(answer.body(), StandardCharsets.UTF_8);
    }

    private static String golden(String name) throws IOException {
        try (InputStream in = DiscoveryTest.class.getResourceAsStream("/golden/discovery/" + name + ".json")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    static Stream<String> paths() {
        ResourceRegistry registry = ResourceRegistry.builtIn(new KindRegistry(Map.of()));
        return Stream.concat(
                Stream.of("/api", "/apis", "/api/v1"),
                registry.groups().stream()
                        .filter(g -> !g.isEmpty())
                        .flatMap(g -> Stream.concat(
                                Stream.of("/apis/" + g),
                                registry.versions(g).stream().map(v -> "/apis/" + g + "/" + v))));
    }

    @ParameterizedTest
    @MethodSource("paths")
    void givenTheBuiltInResources_whenAsked_thenTheDocumentIsKubernetes(String path) throws IOException {
        assertThat(text(answer(get(path)))).isEqualTo(golden(path.substring(1).replace('/', '_')));
        assertThat(text(answer(get(path + "/"))))
                .isEqualTo(golden(path.substring(1).replace('/', '_')));
    }

    @ParameterizedTest
    @MethodSource("paths")
    void givenTheBuiltInResources_whenAskedInProtobuf_thenTheDocumentIsTheSame(String path) throws IOException {
        ApiResponse.Whole answer = answer(get(path, "accept", "application/vnd.kubernetes.protobuf,application/json"));

        assertThat(answer.headers().get("Content-Type")).containsExactly("application/vnd.kubernetes.protobuf");
        ObjectMapper json = new ObjectMapper();
        ObjectNode expected =
                (ObjectNode) json.readTree(golden(path.substring(1).replace('/', '_')));
        String apiVersion = expected.path("apiVersion").asText(); // two of them have none
        assertThat(json.readTree(ProtobufBodies.toJson(answer.body(), "", "")))
                .isEqualTo(expected.put("apiVersion", apiVersion));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api", "/apis"})
    void givenTheBuiltInResources_whenAskedForTheAggregatedForm_thenTheBodyIsKubernetes(String path)
            throws IOException {
        ApiResponse.Whole answer = answer(get(path, "accept", AGGREGATED + ",application/json"));

        assertThat(text(answer)).isEqualTo(golden("aggregated_" + path.substring(1)));
        assertThat(answer.headers())
                .containsEntry("Content-Type", List.of(AGGREGATED))
                .containsEntry("Cache-Control", List.of("public"))
                .containsEntry("Vary", List.of("Accept"));

        String hash = answer.headers().get("ETag").get(0);
        assertThat(hash).matches("\"[0-9A-F]{128}\"");
        ApiResponse.Whole again = answer(get(path, "accept", AGGREGATED, "if-none-match", hash));
        assertThat(again.code()).isEqualTo(304);
        assertThat(again.body()).isEmpty();
    }

    @Test
    void givenOnlyAnOldAggregatedForm_whenAsked_then406() {
        String old = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

        assertThatThrownBy(() -> answer(get("/apis", "accept", old)))
                .isInstanceOfSatisfying(
                        StatusException.class, e -> assertThat(e.code()).isEqualTo(406));
        assertThat(text(answer(get("/apis", "accept", old + ",application/json"))))
                .contains("APIGroupList");
    }

    @Test
    void givenACustomResource_whenRegisteredAndRemoved_thenDiscoveryFollows() {
        ApiResource widgets = new ApiResource(
                "example.com",
                "v1",
                "widgets",
                "widget",
                "Widget",
                true,
                Set.of("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"),
                List.of("w"),
                List.of("all"),
                Map.of(
                        "status",
                        new ApiResource.Subresource("status", null, null, "Widget", Set.of("get", "patch", "update"))),
                true);
        String before = text(answer(get("/apis", "accept", AGGREGATED)));

        registry.register(new Served(widgets, Kind.PLAIN, null, null));

        assertThat(text(answer(get("/apis/example.com/v1"))))
                .isEqualTo("{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"example.com/v1\","
                        + "\"resources\":[{\"name\":\"widgets\",\"singularName\":\"widget\",\"namespaced\":true,"
                        + "\"kind\":\"Widget\",\"verbs\":[\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\","
                        + "\"create\",\"update\",\"watch\"],\"shortNames\":[\"w\"],\"categories\":[\"all\"],"
                        + "\"storageVersionHash\":\"" + Discovery.storageVersionHash(widgets) + "\"},"
                        + "{\"name\":\"widgets/status\",\"singularName\":\"\",\"namespaced\":true,\"kind\":\"Widget\","
                        + "\"verbs\":[\"get\",\"patch\",\"update\"]}]}\n");
        assertThat(text(answer(get("/apis", "accept", AGGREGATED))))
                .contains("\"responseKind\":{\"group\":\"example.com\",\"version\":\"v1\",\"kind\":\"Widget\"}");

        registry.unregister("example.com", "v1", "widgets");

        assertThat(discovery.handle(get("/apis/example.com"), UserInfo.SELF)).isEmpty();
        assertThat(text(answer(get("/apis", "accept", AGGREGATED)))).isEqualTo(before);
    }

    @Test
    void givenUnknownPaths_whenAsked_thenGroupsAreNoPathsAndVersionsAreNotFound() {
        assertThat(discovery.handle(get("/apis/nope"), UserInfo.SELF)).isEmpty();
        assertThat(discovery.handle(get("/apis/nope/v1"), UserInfo.SELF)).isEmpty();
        assertThat(discovery.handle(get("/nope"), UserInfo.SELF)).isEmpty();
        assertThatThrownBy(() -> answer(get("/apis/apps/v2")))
                .hasMessage("the server could not find the requested resource");
    }

    @Test
    void givenYamlOrAPerson_whenAsked_thenTheFormFits() {
        assertThat(text(answer(get("/apis/apps", "accept", "application/yaml"))))
                .isEqualTo("""
                        apiVersion: v1
                        kind: APIGroup
                        name: apps
                        preferredVersion:
                          groupVersion: apps/v1
                          version: v1
                        versions:
                        - groupVersion: apps/v1
                          version: v1
                        """);
        assertThat(text(answer(get("/apis/apps", "user-agent", "curl/8"))))
                .startsWith("{\n  \"kind\": \"APIGroup\",\n")
                .endsWith("\n  }\n}");
        assertThatThrownBy(() -> answer(get("/apis/apps/v1", "accept", "text/plain")))
                .hasMessageStartingWith("406: Not Acceptable");
        assertThatThrownBy(() -> answer(get("/apis/apps", "accept", "text/plain")))
                .hasMessageStartingWith("only the following media types are accepted: application/json");
    }
}
