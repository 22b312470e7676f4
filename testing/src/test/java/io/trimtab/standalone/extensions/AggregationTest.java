package io.trimtab.standalone.extensions;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.callout.CalloutTransport.Reply;
import io.trimtab.apiserver.callout.CalloutTransport.Request;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AggregationTest {
    private static final String SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices";
    private static final String AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

    private ExtendedServer server;
    private final List<Request> requests = new ArrayList<>();

    @BeforeEach
    void start() {
        server = new ExtendedServer();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void givenAServer_whenStarted_thenWhatItServesIsRegisteredAndAvailable() {
        JsonNode apps = server.get(SERVICES + "/v1.apps").json();

        assertThat(apps.at("/metadata/labels/kube-aggregator.kubernetes.io~1automanaged")
                        .asText())
                .isEqualTo("onstart");
        assertThat(apps.at("/spec/groupPriorityMinimum").asInt()).isEqualTo(17800);
        assertThat(condition("v1.apps")).isEqualTo("True Local Local APIServices are always available");
        assertThat(server.get(SERVICES).json().path("items")).hasSize(21);
    }

    @Test
    void givenADefinition_whenServed_thenItsVersionsAreRegisteredUntilItIsDeleted() {
        String definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        server.post(
                definitions,
                "{\"metadata\":{\"name\":\"as.x.io\"},\"spec\":{\"group\":\"x.io\",\"scope\":\"Cluster\",\"names\":{\"plural\":"
                        + "\"as\",\"kind\":\"A\"},\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true,\"schema\":"
                        + "{\"openAPIV3Schema\":{\"type\":\"object\"}}}]}}");
        server.driver.settle();
        assertThat(condition("v1.x.io")).startsWith("True Local");

        server.delete(definitions + "/as.x.io");
        server.driver.advance(Duration.ofSeconds(5));
        assertThat(server.get(SERVICES + "/v1.x.io").code()).isEqualTo(404);
    }

    @Test
    void givenAServiceThatIsNotThere_whenRegistered_thenTheConditionSaysSoAndRequestsAreRefused() {
        register("v1.missing.example.com", "nosuch");

        assertThat(condition("v1.missing.example.com"))
                .isEqualTo("False ServiceNotFound service/nosuch in \"default\" is not present");
        ExtendedServer.Answer answer = server.get("/apis/missing.example.com/v1/things");
        assertThat(answer.code()).isEqualTo(503);
        assertThat(answer.text()).isEqualTo("service unavailable\n");
        assertThat(aggregated("missing.example.com").at("/versions/0/freshness").asText())
                .isEqualTo("Stale");
    }

    @Test
    void givenAServiceWithoutEndpoints_whenTheyCome_thenTheConditionFollows() {
        server.post(
                "/api/v1/namespaces/default/services",
                "{\"metadata\":{\"name\":\"agg\"},\"spec\":{\"ports\":[{\"port\":443}]}}");
        register("v1.agg.example.com", "agg");
        assertThat(condition("v1.agg.example.com"))
                .isEqualTo("False EndpointsNotFound cannot find endpointslices for service/agg in \"default\"");

        server.post(
                "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
                "{\"metadata\":{\"name\":\"agg-1\",\"labels\":{\"kubernetes.io/service-name\":\"agg\"}},\"addressType\":"
                        + "\"IPv4\",\"endpoints\":[{\"addresses\":[\"10.1.2.3\"],\"conditions\":{\"ready\":false}}],"
                        + "\"ports\":[{\"name\":\"\",\"port\":1}]}");
        server.driver.settle();

        assertThat(condition("v1.agg.example.com"))
                .isEqualTo("False MissingEndpoints endpointslices for service/agg in \"default\" have no addresses with"
                        + " port name \"\"");
    }

    @Test
    void givenAServerThatAnswers_whenRegistered_thenItIsDiscoveredAndRequestsGoToIt() {
        server.callouts().register("agg.default.svc", this::answer);
        register("v1.agg.example.com", "agg");

        assertThat(condition("v1.agg.example.com")).isEqualTo("True Passed all checks passed");
        assertThat(aggregated("agg.example.com")
                        .at("/versions/0/resources/0/resource")
                        .asText())
                .isEqualTo("things");
        assertThat(aggregated("agg.example.com")
                        .at("/versions/0/resources/0/subresources/0/subresource")
                        .asText())
                .isEqualTo("status");
        assertThat(server.get("/apis/agg.example.com")
                        .json()
                        .at("/preferredVersion/groupVersion")
                        .asText())
                .isEqualTo("agg.example.com/v1");
        assertThat(server.get("/openapi/v3")
                        .json()
                        .at("/paths/apis~1agg.example.com~1v1/serverRelativeURL")
                        .asText())
                .isEqualTo("/openapi/v3/apis/agg.example.com/v1?hash=ABC");
        JsonNode swagger = server.get("/openapi/v2").json();
        assertThat(swagger.path("paths").has("/apis/agg.example.com/v1/things")).isTrue();
        assertThat(swagger.path("paths").has("/elsewhere")).isFalse();
        assertThat(swagger.path("definitions").has("com.example.Thing")).isTrue();

        requests.clear();
        ExtendedServer.Answer answer = server.send(
                "POST",
                "/apis/agg.example.com/v1/namespaces/default/things?dryRun=All",
                "{\"a\":1}",
                Map.of(
                        "content-type", List.of("application/json"),
                        "authorization", List.of("Bearer mine"),
                        "x-remote-user", List.of("liar")));

        assertThat(answer.code()).isEqualTo(201);
        assertThat(answer.text()).isEqualTo("{\"a\":1}");
        Request seen = requests.get(0);
        assertThat(seen.url())
                .isEqualTo("https://agg.default.svc:443/apis/agg.example.com/v1/namespaces/default/things?dryRun=All");
        assertThat(seen.headers().get("X-Remote-User")).containsExactly("admin");
        assertThat(seen.headers().get("X-Remote-Group")).containsExactly("system:masters", "system:authenticated");
        assertThat(seen.headers()).doesNotContainKeys("authorization", "x-remote-user");
    }

    @Test
    void givenAServerThatAnswers_whenItFails_thenItIsTriedAgainUntilItAnswers() {
        boolean[] down = {true};
        server.callouts()
                .register(
                        "agg.default.svc",
                        request -> down[0] ? new Reply(404, Map.of(), new byte[0]) : answer(request));
        register("v1.agg.example.com", "agg");
        assertThat(condition("v1.agg.example.com")).contains("FailedDiscoveryCheck", "bad status from", "404");

        down[0] = false;
        server.driver.advance(Duration.ofSeconds(31));

        assertThat(condition("v1.agg.example.com")).isEqualTo("True Passed all checks passed");
    }

    @Test
    void givenAWatch_whenHandedOn_thenItsBytesComeAsTheyAre() {
        server.callouts().register("agg.default.svc", this::answer);
        register("v1.agg.example.com", "agg");

        assertThat(server.get("/apis/agg.example.com/v1/things?watch=true").text())
                .isEqualTo("{\"type\":\"ADDED\"}\n");
    }

    private Reply answer(Request request) {
        requests.add(request);
        String path = request.pathAndQuery();
        if (path.equals("/apis/agg.example.com/v1")) {
            return json("{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"agg.example.com/v1\","
                    + "\"resources\":[{\"name\":\"things\",\"singularName\":\"thing\",\"namespaced\":true,\"kind\":\"Thing\","
                    + "\"verbs\":[\"get\"]},{\"name\":\"things/status\",\"singularName\":\"\",\"namespaced\":true,\"kind\":"
                    + "\"Thing\",\"verbs\":[\"get\"]}]}");
        }
        if (path.equals("/openapi/v3")) {
            return json("{\"paths\":{\"apis/agg.example.com/v1\":{\"serverRelativeURL\":"
                    + "\"/openapi/v3/apis/agg.example.com/v1?hash=ABC\"}}}");
        }
        if (path.equals("/openapi/v2")) {
            return json("{\"swagger\":\"2.0\",\"paths\":{\"/apis/agg.example.com/v1/things\":{},\"/elsewhere\":{}},"
                    + "\"definitions\":{\"com.example.Thing\":{\"type\":\"object\"}}}");
        }
        if (path.contains("watch=true")) {
            return json("{\"type\":\"ADDED\"}\n");
        }
        return new Reply(201, Map.of("content-type", List.of("application/json")), request.body());
    }

    private static Reply json(String body) {
        return new Reply(
                200, Map.of("content-type", List.of("application/json")), body.getBytes(StandardCharsets.UTF_8));
    }

    private void register(String name, String service) {
        int dot = name.indexOf('.');
        ExtendedServer.Answer answer = server.post(
                SERVICES,
                "{\"metadata\":{\"name\":\"" + name + "\"},\"spec\":{\"group\":\"" + name.substring(dot + 1)
                        + "\",\"version\":\"" + name.substring(0, dot)
                        + "\",\"groupPriorityMinimum\":1500,\"versionPriority\":10,\"insecureSkipTLSVerify\":true,"
                        + "\"service\":{\"namespace\":\"default\",\"name\":\"" + service + "\"}}}");
        assertThat(answer.code()).as(answer.text()).isEqualTo(201);
        server.driver.settle();
    }

    private String condition(String name) {
        JsonNode condition = server.get(SERVICES + "/" + name).json().at("/status/conditions/0");
        return condition.path("status").asText() + " "
                + condition.path("reason").asText() + " "
                + condition.path("message").asText();
    }

    private JsonNode aggregated(String group) {
        JsonNode list = server.send("GET", "/apis", "", Map.of("accept", List.of(AGGREGATED)))
                .json();
        for (JsonNode item : list.path("items")) {
            if (item.at("/metadata/name").asText().equals(group)) {
                return item;
            }
        }
        return com.fasterxml.jackson.databind.node.MissingNode.getInstance();
    }
}
