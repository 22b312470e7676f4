package io.trimtab.apiserver;

import io.trimtab.apiserver.auth.UserInfo;
import java.util.Optional;

/**
 * Serves paths that are no resources: discovery, OpenAPI, version, health, metrics. Asked after authentication and
 * authorization, in the order of registration; the first answer counts, and if there is none the path is unknown. Refuses with
 * {@link io.trimtab.apiserver.errors.StatusException}s. Safe for use by any thread.
 */
@FunctionalInterface
public interface PathHandler {

    /**
     * The answer, or empty if the path is not one of this handler's.
     *
     * @param user who asks, as authorized
     */
    Optional<ApiResponse> handle(ApiRequest request, UserInfo user);
}
