package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.protobuf.ProtobufBodies;
import io.trimtab.apiserver.protobuf.ProtobufEncoder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is asked and answered in protobuf. */
class ProtobufTest {
    private static final String PROTOBUF = "application/vnd.kubernetes.protobuf";
    private static final String MAPS = "/api/v1/namespaces/default/configmaps";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final TestServer server = new TestServer();

    private record Answer(int code, String type, byte[] body) {
        JsonNode read() throws IOException {
            return JSON.readTree(ProtobufBodies.toJson(body, "", ""));
        }

        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }
    }

    private ApiResponse handle(String method, String path, Map<String, String> query, String accept, byte[] body) {
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("accept", List.of(accept));
        headers.put("content-type", List.of(PROTOBUF));
        Map<String, List<String>> parameters = new LinkedHashMap<>();
        query.forEach((name, value) -> parameters.put(name, List.of(value)));
        UserInfo admin = UserInfo.of("admin", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);
        return server.server.handle(
                new ApiRequest(method, path, parameters, headers, body, ApiRequest.Peer.trusted(admin)));
    }

    private Answer send(String method, String path, String accept, byte[] body) {
        ApiResponse response = handle(method, path, Map.of(), accept, body);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        if (response instanceof ApiResponse.Whole whole) {
            all.writeBytes(whole.body());
        } else if (response instanceof ApiResponse.Pieces pieces) {
            pieces.pieces().forEachRemaining(all::writeBytes);
        }
        return new Answer(
                response.code(), response.headers().get("Content-Type").get(0), all.toByteArray());
    }

    private Answer get(String path, String accept) {
        return send("GET", path, accept, new byte[0]);
    }

    private static byte[] map(String name) {
        ObjectNode map = JSON.createObjectNode().put("kind", "ConfigMap").put("apiVersion", "v1");
        map.putObject("metadata").put("name", name);
        map.putObject("data").put("k", "größe");
        return ProtobufEncoder.object(map);
    }

    @Test
    void givenAnObjectInProtobuf_whenCreated_thenItIsAnsweredInProtobufAndReadInJson() throws IOException {
        Answer created = send("POST", MAPS, PROTOBUF + ",application/json", map("a"));

        assertThat(created.code()).isEqualTo(201);
        assertThat(created.type()).isEqualTo(PROTOBUF);
        assertThat(created.read()).isEqualTo(server.get(MAPS + "/a").json());
        assertThat(created.read().at("/data/k").asText()).isEqualTo("größe");
    }

    @Test
    void givenManyObjects_whenListed_thenTheListIsOneMessage() throws IOException {
        List<String> names = List.of("a", "b", "c");
        names.forEach(name -> send("POST", MAPS, PROTOBUF, map(name)));
        ObjectNode expected = (ObjectNode) server.get(MAPS).json();

        Answer list = get(MAPS, PROTOBUF);

        assertThat(list.body()).isEqualTo(ProtobufEncoder.object(expected));
        Answer partial = get(MAPS, PROTOBUF + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
        assertThat(partial.type()).isEqualTo(PROTOBUF);
        assertThat(partial.text()).contains("PartialObjectMetadataList").doesNotContain("größe");
    }

    @Test
    void givenAWatch_whenAnObjectIsMade_thenItsFrameHasItsLength() {
        ApiResponse.Watch watch =
                (ApiResponse.Watch) handle("GET", MAPS, Map.of("watch", "1"), PROTOBUF + ";stream=watch", new byte[0]);
        send("POST", MAPS, PROTOBUF, map("a"));
        server.driver.settle();

        byte[] frame = watch.framing().frame(watch.events().poll());

        assertThat(watch.headers().get("Content-Type")).containsExactly(PROTOBUF + ";stream=watch");
        byte[] object =
                ProtobufEncoder.object((ObjectNode) server.get(MAPS + "/a").json());
        assertThat(Arrays.copyOfRange(frame, frame.length - object.length, frame.length))
                .isEqualTo(object);
        assertThat(frame[2] << 8 & 0xff00 | frame[3] & 0xff).isEqualTo(frame.length - 4);
    }

    @Test
    void givenWatchersOfSeveralForms_whenAnObjectIsMade_thenThoseOfOneFormShareAFrame() {
        List<ApiResponse.Watch> watches = java.util.stream.Stream.of(
                        PROTOBUF + ";stream=watch",
                        PROTOBUF + ";stream=watch",
                        "application/json",
                        "application/json",
                        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
                .map(accept -> (ApiResponse.Watch) handle("GET", MAPS, Map.of("watch", "1"), accept, new byte[0]))
                .toList();
        send("POST", MAPS, PROTOBUF, map("a"));
        server.driver.settle();

        List<byte[]> frames = watches.stream()
                .map(watch -> watch.framing().frame(watch.events().poll()))
                .toList();

        assertThat(frames.get(1)).isSameAs(frames.get(0));
        assertThat(frames.get(3)).isSameAs(frames.get(2)).isNotEqualTo(frames.get(0));
        assertThat(new String(frames.get(4), java.nio.charset.StandardCharsets.UTF_8))
                .contains("PartialObjectMetadata");
    }

    @Test
    void givenAClientOfProtobuf_whenRefused_thenTheStatusIsProtobuf() throws IOException {
        Answer missing = get(MAPS + "/nope", PROTOBUF);

        assertThat(missing.code()).isEqualTo(404);
        assertThat(missing.type()).isEqualTo(PROTOBUF);
        assertThat(missing.read().path("message").asText()).isEqualTo("configmaps \"nope\" not found");
        assertThat(missing.read().path("code").asInt()).isEqualTo(404);
    }

    @Test
    void givenATable_whenAskedForInProtobuf_thenTheNextTypeIsTaken() {
        String table = PROTOBUF + ";as=Table;g=meta.k8s.io;v=v1";

        assertThat(get(MAPS, table).code()).isEqualTo(406);
        assertThat(get(MAPS, table + ",application/json").type()).isEqualTo("application/json");
    }

    @Test
    void givenDeleteOptionsInProtobuf_whenDeleted_thenTheyCount() throws IOException {
        send("POST", MAPS, PROTOBUF, map("a"));
        ObjectNode options =
                JSON.createObjectNode().put("kind", "DeleteOptions").put("apiVersion", "v1");
        options.putObject("preconditions").put("uid", "other");

        Answer refused = send("DELETE", MAPS + "/a", PROTOBUF, ProtobufEncoder.object(options));
        options.remove("preconditions");
        Answer deleted = send("DELETE", MAPS + "/a", PROTOBUF, ProtobufEncoder.object(options));

        assertThat(refused.code()).isEqualTo(409);
        assertThat(deleted.code()).isEqualTo(200);
        assertThat(deleted.read().path("status").asText()).isEqualTo("Success");
    }

    @Test
    void givenBodiesThatDoNotFit_whenCreated_thenTheRefusalSaysSoAsForJson() {
        assertThat(send("POST", MAPS, "application/json", "{}".getBytes(StandardCharsets.UTF_8))
                        .text())
                .contains(
                        "the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be"
                                + " a protobuf message, expected prefix [107 56 115 0] ({})");
        assertThat(send("POST", MAPS, "application/json", new byte[0]).text())
                .contains(
                        "the object provided is unrecognized (must be of type ConfigMap): empty data (\\u003cempty\\u003e)");
        ObjectNode pod = JSON.createObjectNode().put("kind", "Pod").put("apiVersion", "v1");
        assertThat(send("POST", MAPS, "application/json", ProtobufEncoder.object(pod))
                        .text())
                .contains("Pod in version \\\"v1\\\" cannot be handled as a ConfigMap: ");
    }
}
