package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.Statuses;

/** Keeps book of who manages which field. Stateless. */
final class FieldManagement {
    private FieldManagement() {}

    /** Books a create or an update in {@code metadata.managedFields} of {@code next}. */
    static void recordUpdate(Call call, ObjectNode live, ObjectNode next, String manager, String subresource) {}

    static ObjectWriter.Change apply(Call call, byte[] body, WriteOptions options, String subresource) {
        throw Statuses.of(415, "UnsupportedMediaType", "415: Unsupported Media Type", Json.object());
    }

    static ObjectNode applyScale(Call call, byte[] body, ObjectNode live) {
        throw Statuses.of(415, "UnsupportedMediaType", "415: Unsupported Media Type", Json.object());
    }
}
