package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An object that many trees have in them, and that knows its JSON: what managers own of the objects they make from one template is
 * the same in all of them. Nobody may change it, nor what is in it; copies can be changed. Safe for use by any thread.
 */
public class SharedNode extends ObjectNode {
    private static final long serialVersionUID = 1L;

    /** Made when first asked for; threads that race make equal ones. */
    private transient volatile byte @Nullable [] json;

    /** @param content the fields, in order; not changed any more */
    public SharedNode(Map<String, JsonNode> content) {
        super(JsonNodeFactory.instance, Collections.unmodifiableMap(content));
    }

    byte[] json() {
        byte[] known = json;
        if (known == null) {
            CompactJson made = new CompactJson(512);
            made.plain(this);
            known = made.toBytes();
            json = known;
        }
        return known;
    }
}
