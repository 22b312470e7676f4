package io.trimtab.apiserver.kinds;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.kinds.KindHarness.Outcome;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Holds our answers against those that a Kubernetes 1.34.4 API server gave to the same writes: objects with all their defaults,
 * and refusals. Uids and times are masked, and what was picked at random.
 */
class RecordedAnswersTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern TIME = Pattern.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z");

    @TestFactory
    List<DynamicTest> givenAWrite_whenItIsJudged_thenTheAnswerIsKubernetes() throws IOException {
        KindHarness harness = new KindHarness();
        List<DynamicTest> tests = new ArrayList<>();
        for (String line : lines()) {
            JsonNode recorded = JSON.readTree(line);
            tests.add(DynamicTest.dynamicTest(recorded.get("id").asText(), () -> judge(harness, recorded)));
        }
        return tests;
    }

    private static List<String> lines() throws IOException {
        try (InputStream in = RecordedAnswersTest.class.getResourceAsStream("answers.jsonl")) {
            String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
            return text.lines().toList();
        }
    }

    private static void judge(KindHarness harness, JsonNode recorded) {
        harness.warnings.clear();
        Outcome created = harness.create(((ObjectNode) recorded.get("object")).deepCopy());
        if (recorded.has("warnings")) {
            assertThat(harness.warnings)
                    .containsExactlyElementsOf(
                            JSON.convertValue(recorded.get("warnings"), new TypeReference<List<String>>() {}));
        }
        compare(recorded, recorded.get("created"), created);
        if (recorded.has("update")) {
            ObjectNode changed = created.body().deepCopy();
            merge(changed, recorded.get("update"));
            compare(recorded, recorded.get("updated"), harness.update(changed, created.body()));
        }
    }

    private static void compare(JsonNode recorded, JsonNode expected, Outcome actual) {
        if (expected.get("code").asInt() >= 400) {
            List<String> wanted = new ArrayList<>();
            expected.get("causes")
                    .forEach(c -> wanted.add(
                            firstLine(c.get(0).asText() + ": " + c.get(1).asText())));
            List<String> found = new ArrayList<>();
            actual.body()
                    .path("details")
                    .path("causes")
                    .forEach(c -> found.add(firstLine(
                            c.path("field").asText() + ": " + c.path("message").asText())));
            if (wanted.isEmpty()) {
                assertThat(actual.body().path("message").asText())
                        .isEqualTo(expected.get("message").asText());
            }
            // Kubernetes walks maps in random order, so that the order of a few sentences is open.
            assertThat(found).containsExactlyInAnyOrderElementsOf(wanted);
        } else {
            assertThat(mask(actual.body(), recorded).toPrettyString())
                    .isEqualTo(mask(expected.get("object"), recorded).toPrettyString());
        }
        assertThat(actual.code()).isEqualTo(expected.get("code").asInt());
    }

    /**
     * The diffs that follow some sentences are for human eyes, and so is a whole template: Kubernetes prints every field of its
     * internal struct there.
     */
    private static String firstLine(String text) {
        int end = text.indexOf('\n');
        String line = end < 0 ? text : text.substring(0, end);
        return line.startsWith("spec.template: Invalid value: {") ? line.replaceAll("\\{.*}: ", "{...}: ") : line;
    }

    private static JsonNode mask(JsonNode object, JsonNode recorded) {
        ObjectNode copy = object.deepCopy();
        ObjectNode metadata = Trees.make(copy, "metadata");
        metadata.remove(List.of("uid", "resourceVersion", "creationTimestamp"));
        JsonNode asked = recorded.get("object").path("spec");
        ObjectNode spec = Trees.object(copy, "spec");
        if (spec != null && copy.path("kind").asText().equals("Service")) {
            if (!asked.has("clusterIP") && spec.has("clusterIP")) {
                spec.put("clusterIP", "IP");
                spec.putArray("clusterIPs").add("IP");
            }
            spec.remove("healthCheckNodePort");
            List<ObjectNode> ports = Trees.objects(spec, "ports");
            for (int i = 0; i < ports.size(); i++) {
                if (ports.get(i).has("nodePort") && !asked.path("ports").path(i).has("nodePort")) {
                    ports.get(i).put("nodePort", 1);
                }
            }
        }
        try {
            return JSON.readTree(TIME.matcher(copy.toString()).replaceAll("TIME"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void merge(ObjectNode target, JsonNode patch) {
        patch.fields().forEachRemaining(field -> {
            if (field.getValue().isNull()) {
                target.remove(field.getKey());
            } else if (field.getValue().isObject() && target.get(field.getKey()) instanceof ObjectNode inner) {
                merge(inner, field.getValue());
            } else {
                target.set(field.getKey(), field.getValue().deepCopy());
            }
        });
    }
}
