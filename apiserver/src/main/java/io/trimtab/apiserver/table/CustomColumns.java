package io.trimtab.apiserver.table;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.resource.ApiResource;
import java.util.List;
import java.util.function.Function;

/** Knows the columns that custom resource definitions ask for. Safe for use by any thread. */
@FunctionalInterface
public interface CustomColumns {
    /** Nobody asks for any: name and age it is. */
    CustomColumns NONE = resource -> List.of();

    /** The columns of a custom resource besides its name; empty if its definition names none. */
    List<CustomColumn> of(ApiResource resource);

    /**
     * One such column.
     *
     * @param value finds the value in an object; a missing node if there is none. {@link JsonPath} is such a function
     */
    record CustomColumn(Column column, Function<JsonNode, JsonNode> value) {
        /**
         * A column as a definition has it.
         *
         * @param description may be empty: the path stands in for it then
         * @throws IllegalArgumentException if the path is malformed
         */
        public static CustomColumn of(
                String name, String type, String format, String description, int priority, String jsonPath) {
            String text = description.isEmpty()
                    ? "Custom resource definition column (in JSONPath format): " + jsonPath
                    : description;
            return new CustomColumn(new Column(name, type, format, text, priority), JsonPath.parse(jsonPath));
        }
    }
}
