package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.apiserver.auth.UserInfo;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoutesTest {
    private static final String MAPS = "/api/v1/namespaces/default/configmaps";
    private final TestServer server = new TestServer();

    @ParameterizedTest
    @CsvSource({
        "HEAD,/api/v1/namespaces/default/configmaps/a",
        "OPTIONS,/api/v1/namespaces/default/configmaps",
        "PUT,/api/v1/namespaces/default/configmaps",
        "PATCH,/api/v1/namespaces/default/configmaps",
        "POST,/api/v1/namespaces/default/configmaps/a",
        "POST,/api/v1/configmaps",
        "DELETE,/api/v1/namespaces",
        "GET,/api/v1/namespaces/default/pods/p/binding",
        "GET,/apis/authorization.k8s.io/v1/subjectaccessreviews"
    })
    void givenMethodThatPathDoesNotServe_thenMethodNotAllowed(String method, String path) {
        var answer = server.send(method, path, Map.of(), "");

        assertThat(answer.code()).isEqualTo(405);
        assertThat(answer.body())
                .isEqualTo(
                        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"
                                + "\"the server does not allow this method on the requested resource\",\"reason\":"
                                + "\"MethodNotAllowed\",\"details\":{},\"code\":405}\n");
    }

    @ParameterizedTest
    @CsvSource({
        "/api/v1/foos",
        "/api/v2/pods",
        "/api/v1/pods/p",
        "/api/v1/namespaces/default/nodes",
        "/api/v1/namespaces/default/pods/p/foo",
        "/apis/apps/v2/deployments"
    })
    void givenUnknownResource_thenNotFoundStatus(String path) {
        var answer = server.get(path);

        assertThat(answer.code()).isEqualTo(404);
        assertThat(answer.message()).isEqualTo("the server could not find the requested resource");
    }

    @ParameterizedTest
    @CsvSource({"/foo", "/apis/nope.example.com/v1/things"})
    void givenUnknownPath_thenPlainText(String path) {
        var answer = server.get(path);

        assertThat(answer.code()).isEqualTo(404);
        assertThat(answer.body()).isEqualTo("404 page not found\n");
    }

    @Test
    void givenUserWithoutRights_thenForbiddenSaysWhat() {
        UserInfo bob = UserInfo.of("bob");
        assertThat(server.send(bob, "GET", MAPS + "/a", Map.of(), "").body())
                .isEqualTo(
                        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"
                                + "\"configmaps \\\"a\\\" is forbidden: User \\\"bob\\\" cannot get resource \\\"configmaps\\\" in API"
                                + " group \\\"\\\" in the namespace \\\"default\\\"\",\"reason\":\"Forbidden\",\"details\":{\"name\":"
                                + "\"a\",\"kind\":\"configmaps\"},\"code\":403}\n");
        assertThat(server.send(bob, "GET", "/apis/apps/v1/deployments", Map.of(), "")
                        .message())
                .isEqualTo(
                        "deployments.apps is forbidden: User \"bob\" cannot list resource \"deployments\" in API group"
                                + " \"apps\" at the cluster scope");
        var path = server.send(bob, "GET", "/foo/bar", Map.of(), "");
        assertThat(path.message()).isEqualTo("forbidden: User \"bob\" cannot get path \"/foo/bar\"");
        assertThat(path.headers().get("X-Content-Type-Options")).isEqualTo(List.of("nosniff"));
    }

    @Test
    void givenAuditId_thenItIsEchoed() {
        assertThat(server.send("GET", MAPS, Map.of("audit-id", "x-1"), "").headers())
                .containsEntry("Audit-Id", List.of("x-1"))
                .containsEntry("Cache-Control", List.of("no-cache, private"))
                .containsEntry("Content-Type", List.of("application/json"));
        assertThat(server.get(MAPS).headers().get("Audit-Id").get(0)).matches("[0-9a-f-]{36}");
    }

    @Test
    void givenAccept_thenFormIsNegotiated() {
        server.post(MAPS, "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"<v>\"}}");

        var yaml = server.send("GET", MAPS + "/a", Map.of("accept", "application/yaml"), "");
        assertThat(yaml.body()).startsWith("apiVersion: v1\ndata:\n  k: <v>\nkind: ConfigMap\n");
        assertThat(server.get(MAPS + "/a").body()).contains("\\u003cv\\u003e");
        assertThat(server.get(MAPS + "/a?pretty=true").body())
                .startsWith("{\n  \"kind\": \"ConfigMap\",\n  \"apiVersion\": \"v1\",\n  \"metadata\": {\n")
                .endsWith("}");
        var partial = server.send(
                "GET",
                MAPS + "/a",
                Map.of("accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"),
                "");
        assertThat(partial.body())
                .startsWith(
                        "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{\"name\":\"a\"");
        assertThat(partial.json().has("data")).isFalse();
        var list = server.send(
                "GET", MAPS, Map.of("accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"), "");
        assertThat(list.at("/kind")).isEqualTo("PartialObjectMetadataList");
        assertThat(list.at("/items/0/kind")).isEqualTo("PartialObjectMetadata");

        var cbor = server.send("GET", MAPS + "/a", Map.of("accept", "application/cbor"), "");
        assertThat(cbor.code()).isEqualTo(406);
        assertThat(cbor.message()).startsWith("406: Not Acceptable\n\nAvailable representations: application/json,");
        var watch = server.send("GET", MAPS + "?watch=1", Map.of("accept", "application/yaml"), "");
        assertThat(watch.body())
                .contains("only the following media types are accepted: application/json;stream=watch,\n"
                        + "  application/vnd.kubernetes.protobuf;stream=watch");
        var review = server.send(
                "POST",
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                Map.of("accept", "application/json;as=Table;g=meta.k8s.io;v=v1"),
                "{}");
        assertThat(review.code()).isEqualTo(406);
    }

    @Test
    void givenLargeList_whenGzipIsAccepted_thenItIsCompressed() {
        for (int i = 0; i < 40; i++) {
            server.post(
                    MAPS, "{\"metadata\":{\"name\":\"m" + i + "\"},\"data\":{\"k\":\"" + "x".repeat(10_000) + "\"}}");
        }
        assertThat(server.send("GET", MAPS, Map.of("accept-encoding", "gzip, br"), "")
                        .headers())
                .containsEntry("Content-Encoding", List.of("gzip"));
        assertThat(server.send("GET", MAPS + "?limit=3", Map.of("accept-encoding", "gzip"), "")
                        .headers())
                .doesNotContainKey("Content-Encoding");
        assertThat(server.get(MAPS).json().path("items")).hasSize(40);
    }
}
