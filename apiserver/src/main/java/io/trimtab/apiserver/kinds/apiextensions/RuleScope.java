package io.trimtab.apiserver.kinds.apiextensions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.cel.DeclType;
import io.trimtab.apiserver.cel.SchemaTypes;
import io.trimtab.apiserver.kinds.Trees;
import org.jspecify.annotations.Nullable;

/** What rules at one place of a schema see, and how often the place can occur in one object. Belongs to one validation. */
final class RuleScope {
    /** There may be any number. */
    static final long UNBOUNDED = -1;

    private final JsonNode schema;
    private final boolean root;
    private final long cardinality;
    private final @Nullable RuleScope parent;
    private final @Nullable String property;
    private @Nullable DeclType type;

    private RuleScope(
            JsonNode schema, boolean root, long cardinality, @Nullable RuleScope parent, @Nullable String property) {
        this.schema = schema;
        this.root = root;
        this.cardinality = cardinality;
        this.parent = parent;
        this.property = property;
    }

    static RuleScope root(JsonNode schema) {
        return new RuleScope(schema, true, 1, null, null);
    }

    RuleScope property(String name, JsonNode field) {
        return below(field, name);
    }

    RuleScope values(JsonNode values) {
        return below(values, null);
    }

    RuleScope items(JsonNode items) {
        return below(items, null);
    }

    private RuleScope below(JsonNode child, @Nullable String name) {
        long most = maxElements();
        long next =
                cardinality == UNBOUNDED || most == UNBOUNDED ? UNBOUNDED : ExpressionCosts.multiply(cardinality, most);
        return new RuleScope(child, Trees.flag(child, "x-kubernetes-embedded-resource"), next, this, name);
    }

    private long maxElements() {
        return switch (Trees.text(schema, "type")) {
            case "object" -> schema.hasNonNull("additionalProperties") ? limit("maxProperties") : 1;
            case "array" -> limit("maxItems");
            default -> 1;
        };
    }

    private long limit(String field) {
        return schema.hasNonNull(field) ? Math.max(0, schema.get(field).asLong()) : UNBOUNDED;
    }

    /** How many there can be; {@link #UNBOUNDED} if only the size of a request limits it. */
    long cardinality() {
        return cardinality;
    }

    /** What {@code self} is; null if expressions cannot see it. */
    @Nullable
    DeclType type() {
        if (type == null) {
            // The type around it has it already, where that is known: types of large schemas are made once.
            DeclType around = parent == null ? null : parent.type;
            if (around != null) {
                type = property != null ? around.property(property) : around.element();
            }
            if (type == null && schema instanceof ObjectNode) {
                type = SchemaTypes.of(schema, root);
            }
        }
        return type;
    }
}
