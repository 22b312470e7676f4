package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.KubernetesJson;
import io.trimtab.informer.EventHandler;
import io.trimtab.informer.SharedInformer;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/** Finds edits of cached objects, by comparing them with what they said when they came. For the thread that drives the cluster. */
final class CacheGuard {
    /** More objects than this are looked at now and then only: the check is linear in them. */
    private static final int ALWAYS = 150;

    private static final int NOW_AND_THEN = 50;

    private final Cluster cluster;
    private final Instance instance;
    private final Set<Object> informers = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<HasMetadata, String> texts = new IdentityHashMap<>();
    private int checks;

    CacheGuard(Cluster cluster, Instance instance) {
        this.cluster = cluster;
        this.instance = instance;
    }

    <T extends HasMetadata> void watch(SharedInformer<T> informer) {
        if (!informers.add(informer)) {
            return;
        }
        informer.addHandler(new EventHandler<T>() {
            @Override
            public void onAdd(T object, boolean initial) {
                texts.put(object, KubernetesJson.write(object));
            }

            @Override
            public void onUpdate(T old, T object) {
                if (old != object) {
                    texts.remove(old);
                    texts.put(object, KubernetesJson.write(object));
                }
            }

            @Override
            public void onDelete(T object, boolean finalStateUnknown) {
                texts.remove(object);
            }
        });
    }

    void check(String when) {
        if (texts.size() > ALWAYS && ++checks % NOW_AND_THEN != 0) {
            return;
        }
        for (Map.Entry<HasMetadata, String> entry : texts.entrySet()) {
            String now = KubernetesJson.write(entry.getKey());
            if (!now.equals(entry.getValue())) {
                String was = entry.getValue();
                entry.setValue(now);
                cluster.oracles().cachedObjectEdited(instance, entry.getKey(), was, now, when);
            }
        }
    }
}
