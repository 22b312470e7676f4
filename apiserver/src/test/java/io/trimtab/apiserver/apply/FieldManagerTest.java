package io.trimtab.apiserver.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.Decoder.Target;
import io.trimtab.apiserver.schema.SchemaRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class FieldManagerTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05.678Z");
    private final FieldManager configMaps = manager("", "v1", "ConfigMap", "");
    private final FieldManager deployments = manager("apps", "v1", "Deployment", "");

    static FieldManager manager(String group, String version, String kind, String subresource) {
        Target target = new Target(
                group,
                version,
                kind,
                SchemaRegistry.builtin().forKind(group, version, kind).orElseThrow(),
                false);
        return new FieldManager(
                target, subresource, ResetFields.of("things", subresource, !kind.equals("ConfigMap")), v -> true);
    }

    static ObjectNode json(String text) {
        try {
            return (ObjectNode) MAPPER.readTree(text.replace('\'', '"'));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static String fields(ObjectNode object, int entry) {
        return object.at("/metadata/managedFields/" + entry + "/fieldsV1")
                .toString()
                .replace('"', '\'');
    }

    private static ObjectNode configMap(String data) {
        return json("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c','uid':'u'},'data':" + data + "}");
    }

    @Test
    void givenNewObject_whenTracked_thenTheWriterOwnsWhatItSet() {
        ObjectNode object = configMap("{'a':'1'}");
        configMaps.track(null, object, "me", NOW);
        assertThat(object.at("/metadata/managedFields/0").toString().replace('"', '\''))
                .isEqualTo("{'manager':'me','operation':'Update','apiVersion':'v1','time':'2026-01-02T03:04:05Z',"
                        + "'fieldsType':'FieldsV1','fieldsV1':{'f:data':{'.':{},'f:a':{}}}}");
    }

    @Test
    void givenNothingChanged_whenTracked_thenTheEntriesStayAsTheyAre() {
        ObjectNode live = configMap("{'a':'1'}");
        configMaps.track(null, live, "me", NOW);
        ObjectNode same = live.deepCopy();
        configMaps.track(live, same, "you", NOW.plusSeconds(60));
        assertThat(same).isEqualTo(live);
    }

    @Test
    void givenClearedEntries_whenTracked_thenNothingIsTrackedUntilSomebodyApplies() {
        ObjectNode live = configMap("{'a':'1'}");
        ObjectNode updated = configMap("{'a':'2'}");
        configMaps.track(live, updated, "me", NOW);
        assertThat(updated.at("/metadata").has("managedFields")).isFalse();

        ObjectNode applied = configMaps.apply(updated, configMap("{'b':'1'}"), "me", false, NOW);
        assertThat(applied.at("/metadata/managedFields/1/manager").asText()).isEqualTo("before-first-apply");
        assertThat(fields(applied, 1)).isEqualTo("{'f:data':{'.':{},'f:a':{}}}");
    }

    @Test
    void givenAppliedField_whenNoLongerApplied_thenItGoesUnlessSharedAndTheRestStays() {
        ObjectNode live = configMaps.apply(null, configMap("{'a':'1','b':'1'}"), "one", false, NOW);
        live = configMaps.apply(live, configMap("{'b':'1','c':'1'}"), "two", false, NOW);
        live = configMaps.apply(live, configMap("{}"), "one", false, NOW);
        assertThat(live.get("data")).isEqualTo(json("{'b':'1','c':'1'}"));
    }

    @Test
    void givenConflict_whenAppliedByForce_thenTheOtherLosesTheField() {
        ObjectNode live = configMaps.apply(null, configMap("{'a':'1','b':'1'}"), "one", false, NOW);
        assertThatThrownBy(() -> configMaps.apply(live, configMap("{'a':'2'}"), "two", false, NOW))
                .isInstanceOfSatisfying(
                        StatusException.class, e -> assertThat(e.code()).isEqualTo(409))
                .hasMessage("Apply failed with 1 conflict: conflict with \"one\": .data.a");
        ObjectNode forced = configMaps.apply(live, configMap("{'a':'2'}"), "two", true, NOW);
        assertThat(forced.at("/data/a").asText()).isEqualTo("2");
        assertThat(fields(forced, 0)).isEqualTo("{'f:data':{'f:b':{}}}");
        assertThat(fields(forced, 1)).isEqualTo("{'f:data':{'f:a':{}}}");
    }

    @Test
    void givenKeyWithDefault_whenApplied_thenTheItemIsNamedByTheDefault() {
        ObjectNode body =
                json("{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'d'},'spec':{'template':{'spec':"
                        + "{'containers':[{'name':'c','ports':[{'containerPort':80}]}]}}}}");
        ObjectNode live = deployments.apply(null, body, "me", false, NOW);
        assertThat(fields(live, 0)).contains("k:{\\'containerPort\\':80,\\'protocol\\':\\'TCP\\'}");
    }

    @Test
    void givenTooManyUpdaters_whenTracked_thenTheOldestMerge() {
        ObjectNode live = configMap("{}");
        configMaps.track(null, live, "nobody", NOW);
        live = configMaps.apply(null, configMap("{'x':'1'}"), "applier", false, NOW);
        for (int i = 0; i < 12; i++) {
            ObjectNode next = live.deepCopy();
            next.withObject("/data").put("k" + i, "v");
            configMaps.track(live, next, "w" + i, NOW.plusSeconds(i));
            live = next;
        }
        assertThat(live.at("/metadata/managedFields")).hasSize(11);
        assertThat(live.at("/metadata/managedFields/1/manager").asText()).isEqualTo("ancient-changes");
        assertThat(fields(live, 1)).isEqualTo("{'f:data':{'f:k0':{},'f:k1':{},'f:k2':{}}}");
    }

    @Test
    void givenJsonIndentedWithTabs_whenRead_thenItIsYamlAsForGo() {
        String body = "\n{\n\t\"a\": {\n\t\t\"b\": \"x\ty \\\" \tz\",\t'c'\t:\t[1,\t2]\n\t}\n}\n";

        assertThat(FieldManager.read(body.getBytes(StandardCharsets.UTF_8))
                        .object()
                        .toString())
                .isEqualTo("{\"a\":{\"b\":\"x\\ty \\\" \\tz\",\"c\":[1,2]}}");
        assertThatThrownBy(() -> FieldManager.read("a:\n\tb: 1".getBytes(StandardCharsets.UTF_8)))
                .hasMessageContaining("found character that cannot start any token");
    }

    @Test
    void givenMalformedBody_whenRead_thenItIsABadRequest() {
        assertThatThrownBy(() -> FieldManager.read("a: b: c".getBytes(StandardCharsets.UTF_8)))
                .hasMessage(
                        "error decoding YAML: error converting YAML to JSON: yaml: mapping values are not allowed in"
                                + " this context");
        assertThat(FieldManager.read("a: 1\na: 2\n".getBytes(StandardCharsets.UTF_8))
                        .strictErrors())
                .containsExactly(
                        "error converting YAML to JSON: yaml: unmarshal errors:\n  line 2: key \"a\" already set in map");
    }

    @Test
    void givenStatusEndpoint_whenTracked_thenOnlyStatusIsBooked() {
        ObjectNode live =
                json("{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'d'},'spec':{'replicas':1}}");
        deployments.track(null, live, "me", NOW);
        ((ObjectNode) live.get("metadata")).put("uid", "u");
        live = Canonical.of(
                live,
                SchemaRegistry.builtin().forKind("apps", "v1", "Deployment").orElseThrow());
        ObjectNode updated = live.deepCopy();
        updated.putObject("status").put("replicas", 1);
        updated.withObject("/spec").put("replicas", 9);
        manager("apps", "v1", "Deployment", "status").track(live, updated, "ctl", NOW);
        assertThat(fields(updated, 0)).isEqualTo("{'f:status':{'f:replicas':{}}}");
        assertThat(updated.at("/metadata/managedFields/0/subresource").asText()).isEqualTo("status");
    }
}
