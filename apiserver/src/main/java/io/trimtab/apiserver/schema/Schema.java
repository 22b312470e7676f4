package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The type of a value, as OpenAPI with Kubernetes' extensions describes it. A graph: types refer to each other, so it may be
 * cyclic. Immutable after load; shared by all threads.
 */
public interface Schema {

    /** What sort of value this is. */
    enum Type {
        OBJECT,
        ARRAY,
        STRING,
        INTEGER,
        NUMBER,
        BOOLEAN,
        INT_OR_STRING,
        ANY
    }

    /** How a list merges under apply. */
    enum ListType {
        ATOMIC,
        SET,
        MAP
    }

    Type type();

    /** The definition's name, such as {@code io.k8s.api.core.v1.PodSpec}; empty for inline types. */
    String name();

    /** For numbers and strings: {@code int32}, {@code int64}, {@code date-time}, {@code byte}...; empty if there is none. */
    String format();

    /** Declared fields of an object, in the order in which they are written. */
    Map<String, Schema> properties();

    /** The type of a declared field; null if there is none of the name. */
    default @Nullable Schema property(String property) {
        return properties().get(property);
    }

    /** The type of the values of a map; null if this is no map. */
    @Nullable
    Schema additionalProperties();

    /** The type of an array's items; null if this is no array. */
    @Nullable
    Schema items();

    Set<String> required();

    /** The value that stands for an absent one under the schema (used for the keys of list-maps); null for none. */
    @Nullable
    JsonNode defaultValue();

    /** For arrays. */
    ListType listType();

    /** For arrays of list type MAP. */
    List<String> listMapKeys();

    /** True for objects and maps that apply treats as one value. */
    boolean isAtomicMap();

    /** The key by which strategic merge merges an array's items; null if it does not. */
    @Nullable
    String patchMergeKey();

    /** Strategic merge's strategies: {@code merge}, {@code replace}, {@code retainKeys}; empty if none is declared. */
    Set<String> patchStrategies();

    /** True if fields that are not declared are kept. */
    boolean preservesUnknownFields();
}
