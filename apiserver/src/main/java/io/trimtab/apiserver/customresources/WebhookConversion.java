package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.SlowConversion;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The strategy Webhook: another server converts. What was converted is remembered for a while, by revision, so that reads do not
 * ask again. Safe for use by any thread; the webhook is asked with no lock held.
 */
final class WebhookConversion implements SlowConversion {
    /** Some pages of a list; each holds a tree. */
    private static final int REMEMBERED = 4096;

    private final ConversionWebhooks webhooks;
    private final ConversionWebhooks.Webhook webhook;
    private final ApiResource served;
    private final VersionRewrite rewrite;
    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by lock; least recently used first. */
    private final Map<String, ObjectNode> known = new LinkedHashMap<>(16, 0.75f, true);

    WebhookConversion(
            ConversionWebhooks webhooks,
            ConversionWebhooks.Webhook webhook,
            ApiResource served,
            VersionRewrite rewrite) {
        this.webhooks = webhooks;
        this.webhook = webhook;
        this.served = served;
        this.rewrite = rewrite;
    }

    @Override
    public ApiResource storage() {
        return rewrite.storage();
    }

    @Override
    public ObjectNode toStorage(ObjectNode object) {
        return webhooks.convert(webhook, List.of(object), storage().apiVersion())
                .get(0);
    }

    @Override
    public ObjectNode fromStorage(ObjectNode object) {
        return fromStorage(List.of(object)).get(0);
    }

    @Override
    public List<ObjectNode> fromStorage(List<ObjectNode> objects) {
        List<@Nullable ObjectNode> converted = new ArrayList<>(objects.size());
        List<ObjectNode> missing = new ArrayList<>();
        for (ObjectNode object : objects) {
            ObjectNode remembered = recall(object);
            converted.add(remembered);
            if (remembered == null) {
                missing.add(object);
            }
        }
        Iterator<ObjectNode> fresh = missing.isEmpty()
                ? missing.iterator()
                : webhooks.convert(webhook, missing, served.apiVersion()).iterator();
        List<ObjectNode> result = new ArrayList<>(objects.size());
        for (int i = 0; i < objects.size(); i++) {
            ObjectNode tree = converted.get(i);
            if (tree == null) {
                tree = fresh.next();
                remember(objects.get(i), tree);
            }
            result.add(rewrite.fromStorage(tree.deepCopy()));
        }
        return result;
    }

    private static String key(ObjectNode object) {
        JsonNode metadata = object.path("metadata");
        return metadata.path("uid").asText() + "@"
                + metadata.path("resourceVersion").asText();
    }

    private @Nullable ObjectNode recall(ObjectNode object) {
        lock.lock();
        try {
            return known.get(key(object));
        } finally {
            lock.unlock();
        }
    }

    private void remember(ObjectNode object, ObjectNode converted) {
        if (!object.path("metadata").has("resourceVersion")) {
            return;
        }
        lock.lock();
        try {
            known.put(key(object), converted);
            for (Iterator<ObjectNode> oldest = known.values().iterator(); known.size() > REMEMBERED; ) {
                oldest.next();
                oldest.remove();
            }
        } finally {
            lock.unlock();
        }
    }
}
