package io.trimtab.apiserver.apply;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.schema.SharedNode;
import java.util.Map;

/** A set of fields as it is written, that knows what it was made of. Safe for use by any thread. */
final class SharedFields extends SharedNode {
    private static final long serialVersionUID = 1L;

    private final transient FieldSet set;

    SharedFields(FieldSet set, Map<String, JsonNode> content) {
        super(content);
        this.set = set;
    }

    FieldSet set() {
        return set;
    }
}
