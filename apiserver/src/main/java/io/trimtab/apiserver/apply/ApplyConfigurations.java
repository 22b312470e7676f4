package io.trimtab.apiserver.apply;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.schema.Schema;
import java.util.ArrayList;
import java.util.List;

/** Lays configurations over objects where nobody's ownership of fields is kept: as mutating policies do. Stateless. */
public final class ApplyConfigurations {
    private ApplyConfigurations() {}

    /** A configuration that cannot be laid over an object; the message says why. */
    public static final class RefusedException extends Exception {
        private static final long serialVersionUID = 1L;

        RefusedException(String message) {
            super(message, null, false, false);
        }
    }

    /**
     * The object with the configuration laid over it.
     *
     * @param object not changed
     * @param configuration of the same kind and version; not changed
     * @throws RefusedException if it does not fit the type, or sets what can only be replaced as a whole
     */
    public static ObjectNode merge(ObjectNode object, ObjectNode configuration, Schema schema) throws RefusedException {
        String wrong = Typed.validate(configuration, schema);
        if (!wrong.isEmpty()) {
            throw new RefusedException("failed to convert patch object to typed object: " + wrong);
        }
        List<String> atomics = new ArrayList<>();
        findAtomics(configuration, schema, "", atomics);
        if (!atomics.isEmpty()) {
            throw new RefusedException("invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: "
                    + String.join(", ", atomics));
        }
        return (ObjectNode) Typed.merge(object, configuration, schema).deepCopy();
    }

    private static void findAtomics(JsonNode value, Schema schema, String path, List<String> found) {
        Typed.View view = Typed.View.of(schema);
        if (value.isObject() && schema.type() == Schema.Type.OBJECT) {
            if (view.isAtomicMap()) {
                found.add(path);
            }
            value.properties().forEach(field -> {
                Schema declared = schema.properties().get(field.getKey());
                if (declared != null) {
                    findAtomics(field.getValue(), declared, path + "." + field.getKey(), found);
                }
            });
        } else if (value.isArray() && schema.type() == Schema.Type.ARRAY) {
            if (view.isAtomicList()) {
                found.add(path);
            }
            Schema items = schema.items();
            for (int i = 0; items != null && i < value.size(); i++) {
                findAtomics(value.get(i), items, path + "[" + i + "]", found);
            }
        }
    }
}
