package io.trimtab.apiserver.resource;

import io.trimtab.apiserver.schema.Schema;
import org.jspecify.annotations.Nullable;

/**
 * A resource at one version together with all that is needed to serve it. Immutable.
 *
 * @param schema of the kind at this version
 * @param conversion null if this version is the one that is stored
 */
public record Served(
        ApiResource resource,
        Kind kind,
        Schema schema,
        @Nullable VersionConversion conversion) {

    /** What objects are stored as. */
    public ApiResource storage() {
        return conversion == null ? resource : conversion.storage();
    }
}
