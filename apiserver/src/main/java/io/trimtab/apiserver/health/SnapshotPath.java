package io.trimtab.apiserver.health;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.PathHandler;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.store.Snapshot;
import io.trimtab.apiserver.store.Store;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Serves {@code /trimtab/snapshot}: all that is stored, Secrets too. No role of Kubernetes' own names the path, so that only
 * administrators may ask, and who was given the verb {@code get} on this very path. Immutable.
 */
public final class SnapshotPath implements PathHandler {
    /** The path. */
    public static final String PATH = "/trimtab/snapshot";

    private final Store store;

    public SnapshotPath(Store store) {
        this.store = store;
    }

    @Override
    public Optional<ApiResponse> handle(ApiRequest request, UserInfo user) {
        if (!request.path().equals(PATH)) {
            return Optional.empty();
        }
        if (!request.method().equals("GET")) {
            throw Statuses.methodNotAllowed();
        }
        return Optional.of(new ApiResponse.Pieces(
                200, Map.of("Content-Type", List.of("application/octet-stream")), Snapshot.pieces(store)));
    }
}
