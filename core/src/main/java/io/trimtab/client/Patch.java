package io.trimtab.client;

import org.jspecify.annotations.Nullable;

/**
 * A change to one object.
 *
 * @param kind how the body is to be read
 * @param body the JSON (or, for apply, YAML) document
 * @param subresource null for the object itself, else for instance {@code status}
 * @param fieldManager null for the default, the user agent's first word; needed for apply
 * @param force for apply: take fields from other managers
 */
public record Patch(
        Kind kind,
        String body,
        @Nullable String subresource,
        @Nullable String fieldManager,
        boolean force) {

    /** The four patch formats of the API. */
    public enum Kind {
        JSON("application/json-patch+json"),
        MERGE("application/merge-patch+json"),
        STRATEGIC("application/strategic-merge-patch+json"),
        APPLY("application/apply-patch+yaml");

        private final String contentType;

        Kind(String contentType) {
            this.contentType = contentType;
        }

        public String contentType() {
            return contentType;
        }
    }

    public static Patch json(String body) {
        return new Patch(Kind.JSON, body, null, null, false);
    }

    public static Patch merge(String body) {
        return new Patch(Kind.MERGE, body, null, null, false);
    }

    public static Patch strategic(String body) {
        return new Patch(Kind.STRATEGIC, body, null, null, false);
    }

    public static Patch apply(String body, String fieldManager, boolean force) {
        return new Patch(Kind.APPLY, body, null, fieldManager, force);
    }

    /** The same change to a subresource. */
    public Patch on(String subresource) {
        return new Patch(kind, body, subresource, fieldManager, force);
    }
}
