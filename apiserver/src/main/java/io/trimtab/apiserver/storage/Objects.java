package io.trimtab.apiserver.storage;

import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelectors;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Whole lists and plain watches of a {@link Storage}, for the parts of the server that read it. Stateless. */
public final class Objects {
    private Objects() {}

    /**
     * All objects of a resource, as they are now, in key order.
     *
     * @param namespace null for all
     */
    public static List<StoredObject> list(Storage storage, ApiResource resource, @Nullable String namespace) {
        List<StoredObject> all = new ArrayList<>();
        storage.list(resource, everything(namespace)).objects().forEachRemaining(all::add);
        return all;
    }

    /**
     * The objects of a namespace that have all these labels, as they are now.
     *
     * @param labels by key
     */
    public static List<StoredObject> labelled(
            Storage storage, ApiResource resource, String namespace, Map<String, String> labels) {
        List<StoredObject> all = new ArrayList<>();
        Storage.ListQuery query = new Storage.ListQuery(
                namespace, LabelSelectors.of(labels), FieldSelector.everything(), 0, false, 0, null);
        storage.list(resource, query).objects().forEachRemaining(all::add);
        return all;
    }

    /** Everything there is, now. */
    static Storage.ListQuery everything(@Nullable String namespace) {
        return new Storage.ListQuery(
                namespace, LabelSelectors.everything(), FieldSelector.everything(), 0, false, 0, null);
    }

    /** Every change after a revision. */
    static EventSource watchFrom(Storage storage, ApiResource resource, long after) {
        return storage.watch(
                resource,
                new Storage.WatchQuery(
                        null,
                        LabelSelectors.everything(),
                        FieldSelector.everything(),
                        after,
                        false,
                        false,
                        Duration.ZERO));
    }
}
