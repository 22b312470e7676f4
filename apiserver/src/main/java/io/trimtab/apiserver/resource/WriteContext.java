package io.trimtab.apiserver.resource;

import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.runtime.Driver;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What surrounds a write.
 *
 * @param resource what is written
 * @param subresource empty for the object itself
 * @param namespace empty for cluster-scoped objects
 * @param name of the object; empty before a name is generated
 * @param dryRun nothing will be stored: allocate nothing
 * @param user who writes
 * @param storage to read other objects
 * @param driver time and randomness
 * @param warnings sent to the client as Warning headers; may be added to
 * @param trail of the request: audit annotations and the time that is left
 */
public record WriteContext(
        ApiResource resource,
        String subresource,
        String namespace,
        String name,
        boolean dryRun,
        @Nullable UserInfo user,
        Storage storage,
        Driver driver,
        List<String> warnings,
        RequestTrail trail) {

    /** Of a write that no request asked for. */
    public WriteContext(
            ApiResource resource,
            String subresource,
            String namespace,
            String name,
            boolean dryRun,
            @Nullable UserInfo user,
            Storage storage,
            Driver driver,
            List<String> warnings) {
        this(resource, subresource, namespace, name, dryRun, user, storage, driver, warnings, RequestTrail.none());
    }
}
