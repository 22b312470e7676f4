package io.trimtab.apiserver.table;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;

/** Makes the row of an object. Pure. */
@FunctionalInterface
interface RowFunction {
    Row row(JsonNode object, Instant now);
}
