package io.trimtab.apiserver.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.schema.Decoder.Syntax;
import io.trimtab.apiserver.schema.Decoder.Target;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecoderTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private final SchemaRegistry registry = SchemaRegistry.builtin();
    private final Decoder decoder = new Decoder(registry);

    private Target target(String group, String version, String kind) {
        return new Target(
                group, version, kind, registry.forKind(group, version, kind).orElseThrow(), false);
    }

    private Decoded pod(String json) {
        return decoder.decode(json.getBytes(StandardCharsets.UTF_8), Syntax.JSON, target("", "v1", "Pod"));
    }

    private Decoded yaml(String yaml, String kind) {
        return decoder.decode(yaml.getBytes(StandardCharsets.UTF_8), Syntax.YAML, target("", "v1", kind));
    }

    private String canonical(String group, String version, String kind, String json) {
        Target target = target(group, version, kind);
        ObjectNode object = decoder.decode(json.getBytes(StandardCharsets.UTF_8), Syntax.JSON, target)
                .object();
        ObjectNode once = Canonical.of(object, target.schema());
        assertThat(Canonical.of(once, target.schema()).toString()).isEqualTo(once.toString());
        return once.toString();
    }

    @Test
    void givenPod_whenEncoded_thenFieldsStandInDeclaredOrder() {
        assertThat(
                        canonical(
                                "",
                                "v1",
                                "Pod",
                                "{\"spec\":{\"containers\":[{\"image\":\"i\",\"name\":\"c\",\"resources\":{\"limits\":{\"cpu\":\"0.5\"}}}]},"
                                        + "\"metadata\":{\"labels\":{\"b\":\"1\",\"a\":\"2\"},\"name\":\"p\",\"creationTimestamp\":null}}"))
                .isEqualTo(
                        "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\",\"labels\":{\"a\":\"2\",\"b\":\"1\"}},"
                                + "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":{\"limits\":{\"cpu\":\"500m\"}}}]},"
                                + "\"status\":{}}");
    }

    @Test
    void givenStatefulSet_whenEncoded_thenZeroRequiredFieldsAreWritten() {
        assertThat(canonical(
                        "apps", "v1", "StatefulSet", "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"serviceName\":\"\"}}"))
                .isEqualTo(
                        "{\"kind\":\"StatefulSet\",\"apiVersion\":\"apps/v1\",\"metadata\":{\"name\":\"s\"},\"spec\":"
                                + "{\"selector\":null,\"template\":{\"metadata\":{},\"spec\":{\"containers\":null}},\"serviceName\":\"\","
                                + "\"updateStrategy\":{}},\"status\":{\"replicas\":0,\"availableReplicas\":0}}");
    }

    @Test
    void givenConfigMapWithEmptyData_whenEncoded_thenItIsLeftOut() {
        assertThat(canonical("", "v1", "ConfigMap", "{\"data\":{},\"immutable\":false}"))
                .isEqualTo("{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{},\"immutable\":false}");
    }

    @Test
    void givenUnknownAndDuplicateFields_whenDecoded_thenTheyAreReportedByPath() {
        Decoded decoded = pod(
                "{\"kind\":\"Pod\",\"foo\":1,\"spec\":{\"containers\":[{\"name\":\"a\",\"foo\":{\"x\":1}}],"
                        + "\"hostNetwork\":true,\"hostNetwork\":false},\"metadata\":{\"labels\":{\"a\":\"1\",\"a\":\"2\"}}}");
        assertThat(decoded.strictErrors())
                .containsExactly(
                        "unknown field \"foo\"",
                        "unknown field \"spec.containers[0].foo\"",
                        "duplicate field \"spec.hostNetwork\"",
                        "duplicate field \"metadata.labels.a\"");
        assertThat(decoded.object().at("/metadata/labels/a").asText()).isEqualTo("2");
        assertThat(decoded.object().has("foo")).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"spec\":{\"containers\":\"x\"}}|json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container",
                "{\"spec\":{\"containers\":[{\"name\":5}]}}|json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string",
                "{\"metadata\":{\"labels\":{\"a\":1}}}|json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
                "{\"metadata\":{\"labels\":[]}}|json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
                "{\"spec\":{\"priority\":1.5}}|json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32",
                "{\"spec\":{\"priority\":3000000000}}|json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32",
                "{\"spec\":{\"hostNetwork\":\"yes\"}}|json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool",
                "{\"spec\":5}|json: cannot unmarshal number into Go struct field Pod.spec of type v1.PodSpec",
                "{\"spec\":{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"abc\"}}}]}}|quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
                "{\"metadata\":{\"creationTimestamp\":\"foo\"}}|parsing time \"foo\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"foo\" as \"2006\"",
                "{\"metadata\":{\"creationTimestamp\":5}}|json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string",
            })
    void givenWrongType_whenDecoded_thenTheCauseIsInGosWords(String json, String cause) {
        assertThatThrownBy(() -> pod(json)).hasMessage("Pod in version \"v1\" cannot be handled as a Pod: " + cause);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "``|unexpected end of JSON input (<empty>)",
                "{\"a\":|unexpected end of JSON input ({\"a\":)",
                "{\"a\" 1}|invalid character '1' after object key ({\"a\" 1})",
                "{\"a\":1,}|invalid character '}' looking for beginning of object key string ({\"a\":1,})",
                "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",}|invalid character '}' looking for beginning of object key string ({\"kind\":\"Pod\",\"apiVersion\":\"v1 ...)",
                "foo|invalid character 'o' in literal false (expecting 'a') (666f6f)",
                "{} x|invalid character 'x' after top-level value ({} x)",
            })
    void givenMalformedText_whenDecoded_thenGosScannerSpeaks(String json, String cause) {
        assertThatThrownBy(() -> pod(json))
                .hasMessage(
                        "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: "
                                + cause);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"kind\":\"Service\",\"apiVersion\":\"v1\"}|Service in version \"v1\" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion",
                "{\"kind\":\"Foo\",\"apiVersion\":\"v1\"}|Foo in version \"v1\" cannot be handled as a Pod: no kind \"Foo\" is registered for version \"v1\" in scheme \"pkg/runtime/scheme.go:110\"",
            })
    void givenAnotherKind_whenDecoded_thenItIsRefused(String json, String message) {
        assertThatThrownBy(() -> pod(json)).hasMessage(message);
    }

    @Test
    void givenYaml_whenDecoded_thenItReadsLikeJson() {
        Decoded decoded = yaml(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: 'yes'\n  a: \"2\"\n  b: |\n    x\n",
                "ConfigMap");
        assertThat(decoded.object().toString())
                .isEqualTo(
                        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"},\"data\":{\"a\":\"2\",\"b\":\"x\\n\"}}");
        assertThat(decoded.strictErrors())
                .containsExactly("yaml: unmarshal errors:\n  line 6: key \"a\" already set in map");
    }

    @Test
    void givenYamlWords_whenDecoded_thenTheyAreBooleansAndNumbers() throws Exception {
        var tree = YamlTree.read(
                "a: yes\nb: 0x10\nc: 1e3\nd: ~\ne: 010\nf: \"yes\"\ng: 1.5\nh: n\n".getBytes(StandardCharsets.UTF_8),
                new java.util.ArrayList<>());
        assertThat(tree.toString())
                .isEqualTo("{\"a\":true,\"b\":16,\"c\":1000,\"d\":null,\"e\":8,\"f\":\"yes\",\"g\":1.5,\"h\":false}");
    }

    @Test
    void givenTimes_whenDecoded_thenTheyAreNormalised() throws Exception {
        assertThat(GoTime.seconds("2024-01-02T03:04:05.999+02:00")).isEqualTo("2024-01-02T01:04:05Z");
        assertThat(GoTime.micros("2024-01-02T03:04:05.123456Z")).isEqualTo("2024-01-02T03:04:05.123456Z");
        assertThatThrownBy(() -> GoTime.seconds("2024-13-02T03:04:05Z"))
                .hasMessage("parsing time \"2024-13-02T03:04:05Z\": month out of range");
        assertThatThrownBy(() -> GoTime.seconds("2023-02-29T03:04:05Z"))
                .hasMessage("parsing time \"2023-02-29T03:04:05Z\": day out of range");
    }

    @Test
    void givenCustomResource_whenDecoded_thenUnknownFieldsArePrunedAndReported() throws Exception {
        Schema schema = registry.fromOpenApi((ObjectNode) MAPPER.readTree(
                "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},"
                        + "\"free\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}}}}}"));
        Target target = new Target("ex.io", "v1", "Widget", schema, true);
        Decoded decoded = decoder.decode(
                "{\"kind\":\"Widget\",\"apiVersion\":\"ex.io/v1\",\"metadata\":{\"name\":\"w\",\"foo\":1},\"spec\":{\"b\":1,\"a\":\"x\",\"free\":{\"z\":1,\"y\":[1]}},\"bar\":{}}"
                        .getBytes(StandardCharsets.UTF_8),
                Syntax.JSON,
                target);
        assertThat(Canonical.of(decoded.object(), schema).toString())
                .isEqualTo(
                        "{\"apiVersion\":\"ex.io/v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"w\"},\"spec\":{\"a\":\"x\",\"free\":{\"y\":[1],\"z\":1}}}");
        assertThat(decoded.strictErrors())
                .contains("unknown field \"bar\"", "unknown field \"spec.b\"", "unknown field \"metadata.foo\"");
        assertThatThrownBy(
                        () -> decoder.decode("{\"metadata\":{}}".getBytes(StandardCharsets.UTF_8), Syntax.JSON, target))
                .hasMessage(
                        "the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing in '{\"metadata\":{}}' ({\"metadata\":{}})");
    }

    @Test
    void givenEveryDefinition_whenLoaded_thenItResolves() {
        for (String name : registry.names()) {
            TypeNode node = registry.definition(name);
            node.fields().values().forEach(f -> f.type().resolved());
            // Fields that only one of the two data files knows would be lost.
            assertThat(node.fields().keySet())
                    .as(name)
                    .containsExactlyInAnyOrderElementsOf(
                            declared(registry.openApi(name).orElseThrow()));
        }
        assertThat(registry.definition("io.k8s.api.core.v1.PodSpec")
                        .properties()
                        .keySet())
                .startsWith("volumes", "initContainers", "containers");
    }

    private static java.util.List<String> declared(String openApi) {
        try {
            java.util.List<String> names = new java.util.ArrayList<>();
            MAPPER.readTree(openApi).path("properties").fieldNames().forEachRemaining(names::add);
            return names;
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void givenBadBase64_whenDecoded_thenTheByteIsNamed() {
        assertThatThrownBy(() -> decoder.decode(
                        "{\"data\":{\"a\":\"ab!d\"}}".getBytes(StandardCharsets.UTF_8),
                        Syntax.JSON,
                        target("", "v1", "Secret")))
                .hasMessage(
                        "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at input byte 2");
    }
}
