package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.AdmissionChain;
import io.trimtab.apiserver.admission.policy.ValidatingPolicies;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.AuthorizerChain;
import io.trimtab.apiserver.auth.RbacAuthorizer;
import io.trimtab.apiserver.bootstrap.Bootstrap;
import io.trimtab.apiserver.customresources.CustomResourceDefinitions;
import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.runtime.VirtualDriver;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Sends definitions with rules, objects and policies that were once sent to a Kubernetes 1.34 API server, in the same order, and
 * compares codes, reasons, messages and warnings. A line whose answer is known to differ says why in {@code differs}.
 */
class RecordedExpressionsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final VirtualDriver driver = VirtualDriver.create();
    private final TestServer server;

    RecordedExpressionsTest() {
        Kinds kinds = new Kinds(KindsOptions.DEFAULT);
        ResourceRegistry resources = ResourceRegistry.builtIn(kinds.registry());
        DefaultStorage storage = new DefaultStorage(MemoryStore.create(), driver, resources::selectableFields);
        Bootstrap.run(storage, driver, new Bootstrap.Settings("10.254.0.0/16", "127.0.0.1", 6443, ""));
        Authorizer authorizer = new AuthorizerChain(List.of(new RbacAuthorizer(storage)));
        AdmissionChain admission = AdmissionChain.create(
                new AdmissionChain.Surroundings(authorizer, resources, null),
                List.of(new ValidatingPolicies(storage, resources, authorizer)),
                Set.of(),
                Set.of("ServiceAccount"));
        server = new TestServer(b -> b.driver(driver)
                .storage(storage)
                .resources(resources)
                .authorizer(authorizer)
                .admission(List.of(admission)));
        CustomResourceDefinitions.start(storage, resources, driver);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rules", "policies"})
    void givenRecordedRequests_whenSentInOrder_thenAnswersAreTheSame(String file) throws IOException {
        List<String> different = new ArrayList<>();
        int compared = 0;
        for (String line : lines(file)) {
            JsonNode request = JSON.readTree(line);
            TestServer.Answer answer = send(request);
            driver.settle();
            if (request.has("differs")) {
                continue;
            }
            compared++;
            String expected = request.path("status").asInt() + " "
                    + request.path("reason").asText("") + " "
                    + request.path("message").asText("") + " " + texts(request.path("warnings"));
            JsonNode body = answer.json();
            boolean failed = answer.code() >= 400;
            String actual = answer.code() + " " + (failed ? body.path("reason").asText("") : "") + " "
                    + (failed ? body.path("message").asText("") : "") + " "
                    + answer.headers().getOrDefault("Warning", List.of());
            if (!actual.equals(expected)) {
                different.add(line.substring(0, Math.min(300, line.length())) + "\n expected " + expected
                        + "\n but was  " + actual);
            }
        }
        assertThat(different).isEmpty();
        assertThat(compared).isGreaterThan(190);
    }

    private TestServer.Answer send(JsonNode request) throws IOException {
        String path = request.path("path").asText();
        JsonNode body = request.path("body");
        if (request.has("rv")) {
            TestServer.Answer now = server.get(path);
            ObjectNode next = body.deepCopy();
            ((ObjectNode) next.path("metadata")).put("resourceVersion", now.at("/metadata/resourceVersion"));
            body = next;
        }
        return server.send(
                request.path("method").asText(),
                path,
                Map.of("content-type", request.path("type").asText("application/json")),
                body.isMissingNode() ? "" : body.toString());
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private static List<String> lines(String file) throws IOException {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(
                        RecordedExpressionsTest.class.getResourceAsStream("/golden/cel/" + file + ".jsonl")),
                StandardCharsets.UTF_8))) {
            return in.lines().toList();
        }
    }
}
