package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/** What Go's JSON library calls a value when it complains of its type. */
final class GoKinds {
    private GoKinds() {}

    static String of(@Nullable JsonNode value) {
        if (value == null || value.isNull()) {
            return "null";
        }
        return value.isObject()
                ? "object"
                : value.isArray() ? "array" : value.isTextual() ? "string" : value.isBoolean() ? "bool" : "number";
    }
}
