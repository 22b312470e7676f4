package io.trimtab.apiserver.table;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.rest.TableConverter;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Tables of all kinds: the built-in ones have columns of their own, the others name and time of creation. Immutable. */
public final class Tables implements TableConverter {
    private static final List<Column> DEFAULT_COLUMNS =
            List.of(new Column("Name", "string", "name", "", 0), new Column("Created At", "date", "", "", 0));
    private static final List<Column> SCALE_COLUMNS = List.of(
            new Column("Name", "string", "", "", 0),
            new Column("Desired", "integer", "", "", 0),
            new Column("Available", "integer", "", "", 0),
            new Column("Age", "string", "", "", 0));
    private static final Column NAME = DEFAULT_COLUMNS.get(0);
    private static final Column AGE = new Column("Age", "date", "", "", 0);

    private final Supplier<Instant> now;
    private final CustomColumns custom;
    private final Map<String, List<Column>> columns;
    private final Map<String, RowFunction> rows;

    /**
     * All tables.
     *
     * @param now the moment that ages count to: {@code driver::now}
     */
    public Tables(Supplier<Instant> now, CustomColumns custom) {
        this.now = now;
        this.custom = custom;
        this.columns = load();
        Map<String, RowFunction> all = new HashMap<>();
        CoreCells.register(all);
        WorkloadCells.register(all);
        AutoscalingCells.register(all);
        NetworkCells.register(all);
        AccessCells.register(all);
        ClusterCells.register(all);
        this.rows = Map.copyOf(all);
    }

    @Override
    public ObjectNode table(
            ApiResource resource,
            List<ObjectNode> objects,
            IncludeObject include,
            String tableVersion,
            ObjectNode listMeta,
            boolean withColumns) {
        Instant at = now.get();
        boolean scale = !objects.isEmpty() && isScale(resource, objects.get(0));
        List<CustomColumns.CustomColumn> additional = resource.custom() && !scale ? custom.of(resource) : List.of();
        List<Column> head = scale ? SCALE_COLUMNS : resource.custom() ? head(additional) : columnsOf(resource);
        RowFunction function = rowFunction(resource, scale, additional);

        ObjectNode table = JsonNodeFactory.instance.objectNode();
        table.put("kind", "Table").put("apiVersion", "meta.k8s.io/" + tableVersion);
        table.set("metadata", listMeta);
        if (withColumns) {
            ArrayNode definitions = table.putArray("columnDefinitions");
            for (Column column : head) {
                definitions
                        .addObject()
                        .put("name", column.name())
                        .put("type", column.type())
                        .put("format", column.format())
                        .put("description", column.description())
                        .put("priority", column.priority());
            }
        } else {
            table.putNull("columnDefinitions");
        }
        ArrayNode lines = table.putArray("rows");
        for (ObjectNode object : inOrder(resource, objects)) {
            ObjectNode line = lines.addObject();
            function.row(object, at).writeTo(line);
            line.set("object", included(object, include, tableVersion));
        }
        return table;
    }

    /** Flow schemas are shown in the order in which they are tried, all else as it is listed. */
    private static List<ObjectNode> inOrder(ApiResource resource, List<ObjectNode> objects) {
        if (!resource.plural().equals("flowschemas") || objects.size() < 2) {
            return objects;
        }
        List<ObjectNode> sorted = new ArrayList<>(objects);
        sorted.sort(Comparator.<ObjectNode>comparingLong(
                        o -> o.path("spec").path("matchingPrecedence").asLong())
                .thenComparing(Texts::name));
        return sorted;
    }

    private static boolean isScale(ApiResource resource, ObjectNode object) {
        return object.path("kind").asText("").equals("Scale")
                && !resource.kind().equals("Scale");
    }

    private List<Column> columnsOf(ApiResource resource) {
        return columns.getOrDefault(resource.qualifiedName(), DEFAULT_COLUMNS);
    }

    private static List<Column> head(List<CustomColumns.CustomColumn> additional) {
        List<Column> head = new ArrayList<>();
        head.add(NAME);
        if (additional.isEmpty()) {
            head.add(AGE);
        }
        additional.forEach(c -> head.add(c.column()));
        return head;
    }

    private RowFunction rowFunction(ApiResource resource, boolean scale, List<CustomColumns.CustomColumn> additional) {
        if (scale) {
            return rows.getOrDefault("Scale", Tables::defaultRow);
        }
        if (!resource.custom()) {
            return rows.getOrDefault(resource.qualifiedName(), Tables::defaultRow);
        }
        if (additional.isEmpty()) {
            return (o, at) -> new Row().add(Texts.name(o)).add(Ages.of(o, at));
        }
        return (o, at) -> {
            Row row = new Row().add(Texts.name(o));
            for (CustomColumns.CustomColumn column : additional) {
                addValue(row, column, o, at);
            }
            return row;
        };
    }

    /** A value that does not have the column's type shows as nothing. */
    private static void addValue(Row row, CustomColumns.CustomColumn column, JsonNode object, Instant at) {
        JsonNode value = column.value().apply(object);
        if (value.isMissingNode() || value.isNull()) {
            row.cells().addNull();
            return;
        }
        switch (column.column().type()) {
            case "integer" -> {
                if (value.isIntegralNumber()) {
                    row.add(value.asLong());
                } else if (value.isNumber()) {
                    row.add((long) value.asDouble());
                } else {
                    row.cells().addNull();
                }
            }
            case "number" -> {
                if (value.isNumber()) {
                    row.cells().add(value);
                } else {
                    row.cells().addNull();
                }
            }
            case "boolean" -> {
                if (value.isBoolean()) {
                    row.add(value.booleanValue());
                } else {
                    row.cells().addNull();
                }
            }
            case "date" -> {
                Instant time = Ages.instant(value);
                row.add(time == null ? "<invalid>" : Ages.human(Duration.between(time, at)));
            }
            default ->
                row.add(value.isTextual() ? value.asText() : sorted(value).toString());
        }
    }

    /** Values that are no text are shown as JSON with sorted keys. */
    private static JsonNode sorted(JsonNode value) {
        if (value.isObject()) {
            ObjectNode object = JsonNodeFactory.instance.objectNode();
            value.properties().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .forEach(f -> object.set(f.getKey(), sorted(f.getValue())));
            return object;
        }
        if (value.isArray()) {
            ArrayNode array = JsonNodeFactory.instance.arrayNode();
            value.forEach(e -> array.add(sorted(e)));
            return array;
        }
        return value;
    }

    private static Row defaultRow(JsonNode object, Instant at) {
        return new Row()
                .add(Texts.name(object))
                .add(object.path("metadata").path("creationTimestamp").asText(""));
    }

    private static JsonNode included(ObjectNode object, IncludeObject include, String version) {
        switch (include) {
            case NONE -> {
                return JsonNodeFactory.instance.nullNode();
            }
            case OBJECT -> {
                return object;
            }
            default -> {
                ObjectNode partial = JsonNodeFactory.instance.objectNode();
                partial.put("kind", "PartialObjectMetadata").put("apiVersion", "meta.k8s.io/" + version);
                partial.set("metadata", object.path("metadata"));
                return partial;
            }
        }
    }

    private static Map<String, List<Column>> load() {
        try (InputStream in = Tables.class.getResourceAsStream("/io/trimtab/apiserver/printer-columns.json")) {
            if (in == null) {
                throw new IllegalStateException("printer-columns.json is missing from the class path");
            }
            Map<String, List<Column>> all = new HashMap<>();
            for (JsonNode resource : new ObjectMapper().readTree(in)) {
                String group = resource.path("group").asText();
                String plural = resource.path("resource").asText();
                List<Column> columns = new ArrayList<>();
                for (JsonNode column : resource.path("columns")) {
                    columns.add(new Column(
                            column.path("name").asText(),
                            column.path("type").asText(),
                            column.path("format").asText(),
                            column.path("description").asText(""),
                            column.path("priority").asInt()));
                }
                all.put(group.isEmpty() ? plural : plural + "." + group, List.copyOf(columns));
            }
            return Map.copyOf(all);
        } catch (IOException e) {
            throw new UncheckedIOException("printer-columns.json cannot be read", e);
        }
    }
}
