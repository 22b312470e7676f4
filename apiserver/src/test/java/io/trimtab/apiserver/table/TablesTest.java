package io.trimtab.apiserver.table;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.KindRegistry;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.rest.TableConverter.IncludeObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the tables against those that Kubernetes 1.34 made of the same objects at the same moment. */
class TablesTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final ResourceRegistry REGISTRY = ResourceRegistry.builtIn(new KindRegistry(Map.of()));
    private static final CustomColumns WIDGETS = resource -> resource.version().equals("v2")
            ? List.of()
            : List.of(
                    column("Size", "integer", "how big", 0, ".spec.size"),
                    column("On", "boolean", "", 1, ".spec.on"),
                    column("Since", "date", "", 0, ".spec.since"),
                    column("Tags", "string", "", 0, ".spec.tags"),
                    column("Tag0", "string", "", 0, ".spec.tags[0]"),
                    column("Names", "string", "", 0, ".spec.items[*].name"),
                    column("Ready", "string", "", 0, ".spec.items[?(@.type==\"Ready\")].name"),
                    column("Ratio", "number", "", 0, ".spec.ratio"),
                    column("Anno", "string", "", 0, ".metadata.annotations.a\\.b/c"),
                    column("Obj", "string", "", 0, ".spec.obj"));

    private static CustomColumns.CustomColumn column(
            String name, String type, String description, int priority, String path) {
        return CustomColumns.CustomColumn.of(name, type, "", description, priority, path);
    }

    static Stream<Path> tables() throws Exception {
        Path folder = Path.of(TablesTest.class.getResource("/golden/tables").toURI());
        return Files.list(folder).sorted();
    }

    private static ApiResource resource(JsonNode golden) {
        JsonNode resource = golden.path("resource");
        String group = resource.path("group").asText();
        String version = resource.path("version").asText();
        return group.equals("example.com")
                ? new ApiResource(
                        group, version, "widgets", "widget", "Widget", true, Set.of(), List.of(), List.of(), Map.of(),
                        true)
                : REGISTRY.find(group, version, resource.path("resource").asText())
                        .resource();
    }

    @ParameterizedTest
    @MethodSource("tables")
    void givenObjects_whenMadeATable_thenItIsKubernetes(Path file) throws IOException {
        JsonNode golden;
        try (InputStream in = Files.newInputStream(file)) {
            golden = JSON.readTree(in);
        }
        Instant now = ZonedDateTime.parse(golden.path("now").asText(), DateTimeFormatter.RFC_1123_DATE_TIME)
                .toInstant();
        List<ObjectNode> objects = new ArrayList<>();
        golden.path("items").forEach(o -> objects.add((ObjectNode) o));

        ObjectNode table = new Tables(() -> now, WIDGETS)
                .table(resource(golden), objects, IncludeObject.NONE, "v1", JSON.createObjectNode(), true);

        assertThat(lines(table.path("columnDefinitions"))).isEqualTo(lines(golden.path("columnDefinitions")));
        ArrayNode rows = (ArrayNode) table.path("rows");
        rows.forEach(r -> assertThat(((ObjectNode) r).remove("object").isNull()).isTrue());
        assertThat(lines(rows)).isEqualTo(lines(golden.path("rows")));
    }

    private static String lines(JsonNode array) {
        StringBuilder lines = new StringBuilder();
        array.forEach(e -> lines.append(e).append('\n'));
        return lines.toString();
    }

    private static ObjectNode configMap() {
        ObjectNode object = JSON.createObjectNode().put("kind", "ConfigMap").put("apiVersion", "v1");
        object.putObject("metadata").put("name", "a").put("resourceVersion", "5");
        return object;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "NONE|null",
                "OBJECT|{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"5\"}}",
                "METADATA|{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"5\"}}"
            })
    void givenIncludeObject_whenMadeATable_thenRowsCarryThatMuch(IncludeObject include, String object) {
        ObjectNode table = new Tables(() -> Instant.EPOCH, CustomColumns.NONE)
                .table(
                        REGISTRY.find("", "v1", "configmaps").resource(),
                        List.of(configMap()),
                        include,
                        "v1",
                        JSON.createObjectNode().put("resourceVersion", "9"),
                        false);

        assertThat(table.toString())
                .isEqualTo(
                        "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{\"resourceVersion\":\"9\"},"
                                + "\"columnDefinitions\":null,\"rows\":[{\"cells\":[\"a\",0,\"<unknown>\"],\"object\":"
                                + object
                                + "}]}");
    }

    @Test
    void givenAScale_whenMadeATable_thenItHasColumnsOfItsOwn() {
        ObjectNode scale = JSON.createObjectNode().put("kind", "Scale").put("apiVersion", "autoscaling/v1");
        scale.putObject("metadata").put("name", "d");
        scale.putObject("spec").put("replicas", 3);
        scale.putObject("status").put("replicas", 2);

        ObjectNode table = new Tables(() -> Instant.EPOCH, CustomColumns.NONE)
                .table(
                        REGISTRY.find("apps", "v1", "deployments").resource(),
                        List.of(scale),
                        IncludeObject.NONE,
                        "v1",
                        JSON.createObjectNode(),
                        true);

        assertThat(table.path("rows").get(0).path("cells").toString()).isEqualTo("[\"d\",3,2,\"<unknown>\"]");
        assertThat(table.path("columnDefinitions").findValuesAsText("name"))
                .containsExactly("Name", "Desired", "Available", "Age");
    }

    @ParameterizedTest
    @CsvSource({
        "-5,<invalid>",
        "-1,0s",
        "0,0s",
        "119,119s",
        "120,2m",
        "150,2m30s",
        "599,9m59s",
        "600,10m",
        "10799,179m",
        "10800,3h",
        "12000,3h20m",
        "28800,8h",
        "172799,47h",
        "172800,2d",
        "180000,2d2h",
        "691200,8d",
        "63071999,729d",
        "63072000,2y",
        "63158400,2y1d",
        "252288000,8y"
    })
    void givenASpan_whenPrinted_thenTheOlderTheRougher(long seconds, String text) {
        assertThat(Ages.human(Duration.ofSeconds(seconds))).isEqualTo(text);
    }
}
