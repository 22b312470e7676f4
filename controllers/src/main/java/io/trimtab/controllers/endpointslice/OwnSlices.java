package io.trimtab.controllers.endpointslice;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.trimtab.controller.Change;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Remembers what a controller wrote to its slices, so that it does not take its own changes for another's. Safe for use by any
 * thread.
 */
public final class OwnSlices {
    /** By uid, the newest generation that we wrote. */
    private final Map<String, Long> written = new ConcurrentHashMap<>();

    private final Set<String> deleted = ConcurrentHashMap.newKeySet();

    public void wrote(EndpointSlice slice) {
        written.merge(slice.getMetadata().getUid(), generation(slice), Math::max);
    }

    public void deletes(EndpointSlice slice) {
        deleted.add(slice.getMetadata().getUid());
    }

    /** True if somebody else has made this change. */
    public boolean isForeign(Change<EndpointSlice> change) {
        EndpointSlice slice = change.latest();
        String uid = slice.getMetadata().getUid();
        if (change.isDeleted()) {
            written.remove(uid);
            return !deleted.remove(uid);
        }
        return generation(slice) > written.getOrDefault(uid, -1L);
    }

    private static long generation(EndpointSlice slice) {
        Long generation = slice.getMetadata().getGeneration();
        return generation == null ? 0 : generation;
    }
}
