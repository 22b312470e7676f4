package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.storage.Objects;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import org.jspecify.annotations.Nullable;

/** Chooses the default among classes. Stateless. */
final class Newest {
    private Newest() {}

    /** The newest object with one of the annotations set to true; by name if several are as new. Null if there is none. */
    static @Nullable StoredObject annotated(Storage storage, ApiResource resource, String... annotations) {
        StoredObject newest = null;
        for (StoredObject one : Objects.list(storage, resource, null)) {
            JsonNode found = one.tree().path("metadata").path("annotations");
            boolean marked = false;
            for (String annotation : annotations) {
                marked |= found.path(annotation).asText("").equals("true");
            }
            if (marked && (newest == null || created(one).compareTo(created(newest)) > 0)) {
                newest = one; // lists are sorted by name, so the first of equals stays
            }
        }
        return newest;
    }

    private static String created(StoredObject object) {
        return object.tree().path("metadata").path("creationTimestamp").asText("");
    }
}
