package io.trimtab.standalone.extensions;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.callout.LocalCallouts;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConversionWebhooksTest {
    private static final String V1 = "/apis/stable.example.com/v1/namespaces/default/hosts";
    private static final String V2 = "/apis/stable.example.com/v2/namespaces/default/hosts";

    private ExtendedServer server;
    private final List<JsonNode> requests = new ArrayList<>();
    private Consumer<ObjectNode> spoil = response -> {};

    @BeforeEach
    void start() {
        server = new ExtendedServer();
        server.callouts()
                .register(
                        "convert.default.svc",
                        LocalCallouts.json(
                                body -> convert(ExtendedServer.read(new String(body, StandardCharsets.UTF_8)))
                                        .getBytes(StandardCharsets.UTF_8)));
        String schema =
                "\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\","
                        + "\"properties\":%s}}}}";
        ExtendedServer.Answer defined = server.post(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                "{\"metadata\":{\"name\":\"hosts.stable.example.com\"},\"spec\":{\"group\":\"stable.example.com\",\"scope\":"
                        + "\"Namespaced\",\"names\":{\"plural\":\"hosts\",\"singular\":\"host\",\"kind\":\"Host\"},"
                        + "\"conversion\":{\"strategy\":\"Webhook\",\"webhook\":{\"conversionReviewVersions\":[\"v1\"],"
                        + "\"clientConfig\":{\"service\":{\"namespace\":\"default\",\"name\":\"convert\"}}}},"
                        + "\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true,"
                        + schema.formatted("{\"hostPort\":{\"type\":\"string\"}}")
                        + "},{\"name\":\"v2\",\"served\":true,\"storage\":false,"
                        + schema.formatted("{\"host\":{\"type\":\"string\"},\"port\":{\"type\":\"string\"}}")
                        + "}]}}");
        assertThat(defined.code()).as(defined.text()).isEqualTo(201);
        server.driver.settle();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void givenAnObjectOfTheStoredVersion_whenReadAtAnother_thenItIsConverted() {
        create(V1, "a", "\"hostPort\":\"h:80\"");

        JsonNode read = server.get(V2 + "/a").json();

        assertThat(read.path("apiVersion").asText()).isEqualTo("stable.example.com/v2");
        assertThat(read.path("spec")).isEqualTo(ExtendedServer.read("{\"host\":\"h\",\"port\":\"80\"}"));
        assertThat(requests).hasSize(1);
        assertThat(requests.get(0).path("desiredAPIVersion").asText()).isEqualTo("stable.example.com/v2");
        assertThat(requests.get(0).at("/objects/0/metadata").has("resourceVersion"))
                .isFalse();
    }

    @Test
    void givenAWriteAtAnotherVersion_whenStored_thenItIsStoredAsTheStoredVersion() {
        assertThat(create(V2, "b", "\"host\":\"g\",\"port\":\"1\"")
                        .json()
                        .at("/spec/host")
                        .asText())
                .isEqualTo("g");

        assertThat(server.get(V1 + "/b").json().path("spec")).isEqualTo(ExtendedServer.read("{\"hostPort\":\"g:1\"}"));
    }

    @Test
    void givenManyObjects_whenListed_thenTheyAreConvertedTogetherAndOnlyOnce() {
        for (int i = 0; i < 7; i++) {
            create(V1, "a" + i, "\"hostPort\":\"h:" + i + "\"");
        }

        JsonNode list = server.get(V2).json();
        server.get(V2);

        assertThat(list.path("items")).hasSize(7);
        assertThat(list.at("/items/6/spec/port").asText()).isEqualTo("6");
        assertThat(requests).hasSize(1);
        assertThat(requests.get(0).path("objects")).hasSize(7);
    }

    @Test
    void givenAWatchAtAnotherVersion_whenAnObjectComes_thenItsEventIsConverted() {
        create(V1, "a", "\"hostPort\":\"h:80\"");

        String events = server.get(V2 + "?watch=true&resourceVersion=0").text();

        assertThat(events)
                .contains("\"type\":\"ADDED\"")
                .contains("\"host\":\"h\"")
                .doesNotContain("hostPort\":\"");
    }

    @Test
    void givenAWebhookThatChangesMetadata_whenConverted_thenOnlyLabelsAndAnnotationsAreTaken() {
        create(V1, "a", "\"hostPort\":\"h:80\"");
        spoil = response -> {
            ObjectNode metadata = (ObjectNode) response.at("/convertedObjects/0/metadata");
            metadata.put("generation", 99);
            metadata.putObject("labels").put("converted", "yes");
        };

        JsonNode metadata = server.get(V2 + "/a").json().path("metadata");

        assertThat(metadata.path("generation").asInt()).isEqualTo(1);
        assertThat(metadata.at("/labels/converted").asText()).isEqualTo("yes");
    }

    @Test
    void givenAWebhookThatFails_whenRead_thenTheAnswerSaysWhy() {
        create(V1, "a", "\"hostPort\":\"h:80\"");

        fails(r -> r.putObject("result").put("status", "Failed").put("message", "cannot"), "failed: cannot");
        fails(
                r -> r.putObject("result").put("status", "Failed"),
                "failed: response.result.status was 'Failed', not 'Success'");
        fails(r -> r.putArray("convertedObjects"), "returned 0 objects, expected 1");
        fails(
                r -> first(r).put("apiVersion", "stable.example.com/v9"),
                "returned invalid object at index 0: invalid groupVersion (expected stable.example.com/v2, received"
                        + " stable.example.com/v9)");
        fails(
                r -> first(r).put("kind", "Other"),
                "returned invalid object at index 0: invalid kind (expected Host, received Other)");
        fails(
                r -> ((ObjectNode) first(r).path("metadata")).put("name", "b"),
                "returned invalid object: must have the same name: a != b");
        fails(r -> first(r).remove("metadata"), "returned invalid object: must have the same name: a != ");
    }

    private void fails(Consumer<ObjectNode> how, String message) {
        spoil = how;
        ExtendedServer.Answer answer = server.get(V2 + "/a");
        assertThat(answer.code()).isEqualTo(500);
        assertThat(answer.message()).isEqualTo("conversion webhook for stable.example.com/v1, Kind=Host " + message);
    }

    private static ObjectNode first(ObjectNode response) {
        return (ObjectNode) response.at("/convertedObjects/0");
    }

    private ExtendedServer.Answer create(String path, String name, String spec) {
        String version = path.equals(V1) ? "v1" : "v2";
        ExtendedServer.Answer answer = server.post(
                path,
                "{\"apiVersion\":\"stable.example.com/" + version + "\",\"kind\":\"Host\",\"metadata\":{\"name\":\""
                        + name + "\"},\"spec\":{" + spec + "}}");
        assertThat(answer.code()).as(answer.text()).isEqualTo(201);
        return answer;
    }

    private String convert(JsonNode review) {
        requests.add(review.path("request"));
        ObjectNode answer = ExtendedServer.JSON.createObjectNode();
        answer.set("kind", review.path("kind"));
        answer.set("apiVersion", review.path("apiVersion"));
        ObjectNode response = answer.putObject("response");
        response.set("uid", review.at("/request/uid"));
        response.putObject("result").put("status", "Success");
        ArrayNode converted = response.putArray("convertedObjects");
        String wanted = review.at("/request/desiredAPIVersion").asText();
        for (JsonNode object : review.at("/request/objects")) {
            ObjectNode copy = object.deepCopy();
            copy.put("apiVersion", wanted);
            ObjectNode spec = copy.putObject("spec");
            if (wanted.endsWith("v2")) {
                String[] parts = object.at("/spec/hostPort").asText().split(":");
                spec.put("host", parts[0]).put("port", parts[1]);
            } else {
                spec.put(
                        "hostPort",
                        object.at("/spec/host").asText() + ":"
                                + object.at("/spec/port").asText());
            }
            converted.add(copy);
        }
        spoil.accept(response);
        return answer.toString();
    }
}
