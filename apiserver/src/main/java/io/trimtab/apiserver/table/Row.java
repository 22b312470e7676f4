package io.trimtab.apiserver.table;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/** The cells of one row, as they are added, and its conditions. For one thread. */
final class Row {
    private final ArrayNode cells = JsonNodeFactory.instance.arrayNode();
    private @Nullable ArrayNode conditions;

    Row add(String cell) {
        cells.add(cell);
        return this;
    }

    Row add(long cell) {
        cells.add(cell);
        return this;
    }

    Row add(boolean cell) {
        cells.add(cell);
        return this;
    }

    /** What is done with its work stays out of lists that hide such. */
    Row completed(String reason, String message) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        all.addObject()
                .put("type", "Completed")
                .put("status", "True")
                .put("reason", reason)
                .put("message", message);
        conditions = all;
        return this;
    }

    ArrayNode cells() {
        return cells;
    }

    void writeTo(ObjectNode row) {
        row.set("cells", cells);
        if (conditions != null) {
            row.set("conditions", conditions);
        }
    }
}
