package io.trimtab.apiserver.schema;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.schema.Decoder.Syntax;
import io.trimtab.apiserver.schema.Decoder.Target;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Bodies that a Kubernetes 1.34.4 API server was sent, with what it said of them, and objects as it writes them. */
class RecordedBodiesTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final SchemaRegistry REGISTRY = SchemaRegistry.builtin();
    private static final Map<String, String> KINDS =
            Map.of("pods", "Pod", "secrets", "Secret", "configmaps", "ConfigMap", "widgets", "Widget");

    private static JsonNode resource() throws IOException {
        try (InputStream in =
                RecordedBodiesTest.class.getResourceAsStream("/io/trimtab/apiserver/golden/bodies.json")) {
            return MAPPER.readTree(in);
        }
    }

    @TestFactory
    List<DynamicTest> givenRecordedBody_whenDecoded_thenTheWordsAreTheSame() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode recorded : resource().get("refused")) {
            tests.add(DynamicTest.dynamicTest("body " + recorded.get("body").asText(), () -> decode(recorded)));
        }
        return tests;
    }

    private static Target target(String path) throws IOException {
        String kind = KINDS.get(path.substring(path.lastIndexOf('/') + 1));
        if (!kind.equals("Widget")) {
            return new Target("", "v1", kind, REGISTRY.forKind("", "v1", kind).orElseThrow(), false);
        }
        String schema = "{'type':'object','properties':{'spec':{'type':'object','properties':{"
                + "'s':{'type':'string'},'m':{'type':'object','additionalProperties':{'type':'string'}},"
                + "'l':{'type':'array','items':{'type':'object','properties':{'n':{'type':'string'},'v':{'type':'integer'}}}},"
                + "'free':{'type':'object','x-kubernetes-preserve-unknown-fields':true},'ios':{'x-kubernetes-int-or-string':true}}}}}";
        ObjectNode json = (ObjectNode) MAPPER.readTree(schema.replace('\'', '"'));
        return new Target("ex.io", "v1", "Widget", REGISTRY.fromOpenApi(json), true);
    }

    private static void decode(JsonNode recorded) throws IOException {
        Target target = target(recorded.get("path").asText());
        Syntax syntax = recorded.get("type").asText().endsWith("yaml") ? Syntax.YAML : Syntax.JSON;
        byte[] body = recorded.get("body").asText().getBytes(StandardCharsets.UTF_8);
        String message = recorded.get("message").asText();
        boolean refusedLater = recorded.get("code").asInt() != 400;
        try {
            Decoded decoded = new Decoder(REGISTRY).decode(body, syntax, target);
            if (!decoded.strictErrors().isEmpty()) {
                throw Decoder.strictRefusal(target, decoded.strictErrors());
            }
            assertThat(refusedLater).as("was refused: " + message).isTrue();
        } catch (StatusException e) {
            assertThat(e.getMessage()).isEqualTo(message);
        }
    }

    @TestFactory
    List<DynamicTest> givenWrittenObject_whenDecodedAndEncoded_thenTheBytesAreTheSame() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode recorded : resource().get("written")) {
            String text = recorded.get("text").asText();
            tests.add(DynamicTest.dynamicTest(text.substring(0, 60), () -> {
                JsonNode object = MAPPER.readTree(text);
                String apiVersion = object.get("apiVersion").asText();
                int slash = apiVersion.indexOf('/');
                Target target = new Target(
                        slash < 0 ? "" : apiVersion.substring(0, slash),
                        apiVersion.substring(slash + 1),
                        object.get("kind").asText(),
                        REGISTRY.forKind(
                                        slash < 0 ? "" : apiVersion.substring(0, slash),
                                        apiVersion.substring(slash + 1),
                                        object.get("kind").asText())
                                .orElseThrow(),
                        false);
                byte[] shuffled = shuffle(object).toString().getBytes(StandardCharsets.UTF_8);
                Decoded decoded = new Decoder(REGISTRY).decode(shuffled, Syntax.JSON, target);
                assertThat(decoded.strictErrors()).isEmpty();
                assertThat(Canonical.of(decoded.object(), target.schema()).toString())
                        .isEqualTo(text);
            }));
        }
        return tests;
    }

    // The order of members is the encoder's to restore; that of arbitrary values and of fieldsV1 is theirs.
    private static JsonNode shuffle(JsonNode node) {
        if (node.isArray()) {
            var result = MAPPER.createArrayNode();
            node.forEach(item -> result.add(shuffle(item)));
            return result;
        }
        if (!node.isObject() || node.has("f:spec") || node.has("f:data") || node.has("x")) {
            return node;
        }
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        Collections.shuffle(names, new Random(7));
        ObjectNode result = MAPPER.createObjectNode();
        names.forEach(
                n -> result.set(n, n.equals("fieldsV1") || n.equals("data") ? node.get(n) : shuffle(node.get(n))));
        return result;
    }
}
