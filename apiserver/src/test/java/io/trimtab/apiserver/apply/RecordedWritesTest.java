package io.trimtab.apiserver.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.patch.JsonPatch;
import io.trimtab.apiserver.patch.MergePatch;
import io.trimtab.apiserver.patch.Patched;
import io.trimtab.apiserver.patch.StrategicMergePatch;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoded;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.schema.Decoder.Target;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Replays writes that were recorded from a Kubernetes 1.34.4 API server: each step starts from the object as that server left it,
 * so what differs is ours.
 */
class RecordedWritesTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final SchemaRegistry REGISTRY = SchemaRegistry.builtin();
    private static final String WIDGET = "{'type':'object','properties':{'spec':{'type':'object','properties':{"
            + "'s':{'type':'string'},'m':{'type':'object','additionalProperties':{'type':'string'}},"
            + "'l':{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['n'],'items':{'type':'object',"
            + "'required':['n'],'properties':{'n':{'type':'string'},'v':{'type':'integer'}}}},"
            + "'set':{'type':'array','x-kubernetes-list-type':'set','items':{'type':'string'}},"
            + "'at':{'type':'array','items':{'type':'string'}},"
            + "'free':{'type':'object','x-kubernetes-preserve-unknown-fields':true},"
            + "'atom':{'type':'object','x-kubernetes-map-type':'atomic','properties':{'a':{'type':'string'},'b':{'type':'string'}}},"
            + "'ios':{'x-kubernetes-int-or-string':true}}},'status':{'type':'object','properties':{'ok':{'type':'boolean'}}}}}";

    @TestFactory
    List<DynamicTest> givenRecordedSteps_whenReplayed_thenTheOutcomeIsTheSame() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode recorded : resource("writes.json")) {
            ObjectNode live = null;
            int number = 0;
            for (JsonNode step : recorded.get("steps")) {
                ObjectNode before = live;
                String name = recorded.get("name").asText() + " step " + number++ + ": "
                        + step.get("op").asText() + " by " + step.get("manager").asText();
                tests.add(DynamicTest.dynamicTest(name, () -> replay(recorded, step, before)));
                if (step.get("code").asInt() < 300) {
                    live = (ObjectNode) step.get("response");
                }
            }
        }
        return tests;
    }

    static JsonNode resource(String name) throws IOException {
        try (InputStream in = RecordedWritesTest.class.getResourceAsStream("/io/trimtab/apiserver/golden/" + name)) {
            return MAPPER.readTree(in);
        }
    }

    private static Target target(JsonNode recorded) throws IOException {
        String group = recorded.get("group").asText();
        String version = recorded.get("version").asText();
        String kind = recorded.get("kind").asText();
        boolean custom = kind.equals("Widget");
        Schema schema = custom
                ? REGISTRY.fromOpenApi((ObjectNode) MAPPER.readTree(WIDGET.replace('\'', '"')))
                : REGISTRY.forKind(group, version, kind).orElseThrow();
        return new Target(group, version, kind, schema, custom);
    }

    private static FieldSet reset(String kind, String subresource) {
        List<List<String>> fields = new ArrayList<>();
        if (subresource.equals("status")) {
            fields.add(List.of("spec"));
            if (kind.equals("Deployment")) {
                fields.add(List.of("metadata", "labels"));
            }
            if (kind.equals("Widget")) {
                fields.clear();
                fields.add(List.of("spec"));
                fields.add(List.of("metadata"));
            }
        } else if (!List.of("ConfigMap", "ServiceAccount").contains(kind)) {
            fields.add(List.of("status"));
        }
        return FieldSet.ofFields(fields);
    }

    private void replay(JsonNode recorded, JsonNode step, @Nullable ObjectNode live) throws Exception {
        Target target = target(recorded);
        String subresource = step.get("subresource").asText();
        FieldManager manager = new FieldManager(target, subresource, reset(target.kind(), subresource), v -> true);
        JsonNode body = step.get("body");
        byte[] bytes = (body.isTextual() ? body.asText() : body.toString()).getBytes(StandardCharsets.UTF_8);
        JsonNode response = step.get("response");
        int code = step.get("code").asInt();
        Instant now = latest(response);
        ObjectNode result;
        try {
            if (step.get("op").asText().equals("apply")) {
                ObjectNode applied = (ObjectNode) Decoder.parse(bytes, Decoder.Syntax.YAML, new ArrayList<>());
                result = manager.apply(
                        live,
                        applied,
                        step.get("manager").asText(),
                        step.get("force").asBoolean(),
                        now);
            } else {
                result = patched(step, live, bytes, target);
                if (code >= 400
                        && !response.path("message").asText().contains("is invalid: ")
                        && !response.path("message").asText().contains("undeterminable")) {
                    fail("was refused: " + response.path("message").asText());
                }
                if (code < 300 && result != null && subresource.isEmpty()) {
                    assertContains("", (ObjectNode) response, result);
                }
                if (code >= 300) {
                    return; // Refused later than here.
                }
                // What the server made of it, so that defaults and the like do not count.
                result = ((ObjectNode) response).deepCopy();
                JsonNode wish = step.get("op").asText().equals("update")
                        ? body.path("metadata").get("managedFields")
                        : null;
                ObjectNode meta = (ObjectNode) result.get("metadata");
                meta.remove("managedFields");
                if (wish != null) {
                    meta.set("managedFields", wish);
                } else if (live != null && live.path("metadata").has("managedFields")) {
                    meta.set("managedFields", live.get("metadata").get("managedFields"));
                }
                manager.track(live, result, step.get("manager").asText(), now);
            }
        } catch (StatusException e) {
            assertThat(e.getMessage())
                    .as(step.toString())
                    .isEqualTo(response.path("message").asText());
            assertThat(e.code()).isEqualTo(code);
            if (code == 409) {
                assertThat(e.status().toString()).isEqualTo(response.toString());
            }
            return;
        }
        if (code >= 300) {
            if (response.path("message").asText().contains("is invalid: ")) {
                return; // Validation's affair.
            }
            fail("was refused: " + response.path("message").asText());
        }
        if (target.kind().equals("Pod") && step.get("op").asText().equals("create")) {
            return; // Admission has added fields which nobody owns.
        }
        assertThat(withoutTimes(Canonical.of(result, target.schema()))).isEqualTo(withoutTimes(response));
        assertContains("", (ObjectNode) response, result);
    }

    private static Instant latest(JsonNode response) {
        String latest = "2026-11-23T13:00:00Z";
        for (JsonNode entry : response.path("metadata").path("managedFields")) {
            String time = entry.path("time").asText("");
            latest = time.compareTo(latest) > 0 ? time : latest;
        }
        return Instant.parse(latest);
    }

    private static @Nullable ObjectNode patched(JsonNode step, @Nullable ObjectNode live, byte[] bytes, Target target)
            throws DecodeException {
        if (live == null) {
            return null;
        }
        ObjectNode document = live.deepCopy();
        Patched patched =
                switch (step.get("op").asText()) {
                    case "smp" -> StrategicMergePatch.apply(document, bytes, target.schema());
                    case "merge" -> MergePatch.apply(document, bytes);
                    case "json" -> JsonPatch.apply(document, bytes);
                    default -> null;
                };
        if (patched == null) {
            return null;
        }
        Decoded decoded;
        try {
            Decoder decoder = new Decoder(REGISTRY);
            decoded = step.get("op").asText().equals("smp")
                    ? decoder.convertMerged(patched.object(), target.schema())
                    : decoder.convert(patched.object(), target.schema());
        } catch (DecodeException e) {
            throw patched.refusal(e.getMessage());
        }
        List<String> strict = new ArrayList<>(patched.strictErrors());
        strict.addAll(decoded.strictErrors());
        if (!strict.isEmpty() && step.get("code").asInt() == 422) {
            throw patched.strictRefusal(strict);
        }
        return Canonical.of(decoded.object(), target.schema());
    }

    private static String withoutTimes(JsonNode object) {
        ArrayNode list = MAPPER.createArrayNode();
        for (JsonNode entry : object.path("metadata").path("managedFields")) {
            ObjectNode copy = entry.deepCopy();
            copy.remove("time");
            list.add(copy);
        }
        return list.toPrettyString();
    }

    /** Everything that we set stands in the response; the server may have added defaults. */
    private static void assertContains(String path, JsonNode response, JsonNode ours) {
        if (ours.isObject()) {
            ours.properties().forEach(e -> {
                String below = path + "." + e.getKey();
                boolean bookkeeping = below.equals(".metadata.managedFields")
                        || below.equals(".metadata.resourceVersion")
                        || below.equals(".metadata.generation")
                        || below.equals(".status")
                        || e.getValue().isNull()
                        || e.getValue().isContainerNode() && e.getValue().isEmpty();
                if (!bookkeeping) {
                    assertThat(response.get(e.getKey())).as(below).isNotNull();
                    assertContains(below, response.get(e.getKey()), e.getValue());
                }
            });
        } else if (ours.isArray()) {
            assertThat(response.size())
                    .as(path + " of " + ours + " and " + response)
                    .isEqualTo(ours.size());
            for (int i = 0; i < ours.size(); i++) {
                assertContains(path + "[" + i + "]", response.get(i), ours.get(i));
            }
        } else {
            assertThat(ours).as(path).isEqualTo(response);
        }
    }
}
