package io.trimtab.apiserver.admission.webhook;

import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.storage.ObjectFeed;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The webhooks that are configured, by name of their configuration, then as they stand in it. At least as new as any write that
 * was acknowledged before the question. Safe for use by any thread.
 */
final class WebhookSource implements AutoCloseable {
    private final ObjectFeed feed;
    /** Written with the feed's lock held. */
    private final Map<String, List<Webhook>> byConfiguration = new TreeMap<>();

    private volatile List<Webhook> all = List.of();

    WebhookSource(Storage storage, ApiResource configurations) {
        this.feed = new ObjectFeed(storage, configurations, new ObjectFeed.Sink() {
            @Override
            public void put(StoredObject object) {
                set(object.name(), Webhook.of(object.name(), object.tree()));
            }

            @Override
            public void remove(StoredObject object) {
                set(object.name(), List.of());
            }
        });
    }

    private void set(String configuration, List<Webhook> hooks) {
        if (hooks.isEmpty()) {
            byConfiguration.remove(configuration);
        } else {
            byConfiguration.put(configuration, hooks);
        }
        List<Webhook> joined = new ArrayList<>();
        byConfiguration.values().forEach(joined::addAll);
        all = List.copyOf(joined);
    }

    List<Webhook> webhooks() {
        feed.refresh();
        return all;
    }

    @Override
    public void close() {
        feed.close();
    }
}
