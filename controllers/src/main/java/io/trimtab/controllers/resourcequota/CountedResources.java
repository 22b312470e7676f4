package io.trimtab.controllers.resourcequota;

import io.fabric8.kubernetes.api.model.PartialObjectMetadata;
import io.trimtab.client.Client;
import io.trimtab.client.Discovery;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Manager;
import io.trimtab.informer.EventHandler;
import io.trimtab.informer.InformerFactory;
import io.trimtab.informer.SharedInformer;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Counts objects of kinds that quotas name. A kind is watched, its metadata only, from when the first quota names it. Safe for use
 * by several threads.
 */
final class CountedResources {
    private static final Duration ASK_AGAIN = Duration.ofSeconds(30);

    private final Client client;
    private final Driver driver;
    private final InformerFactory informers;
    private final Consumer<String> deletedIn;
    private final Consumer<String> addedIn;
    /** Guarded by this: by qualified name. */
    private final Map<String, ResourceType<PartialObjectMetadata>> served = new HashMap<>();
    /** Guarded by this. */
    private final Map<String, SharedInformer<PartialObjectMetadata>> watched = new HashMap<>();
    /** Guarded by this. */
    private @Nullable Instant asked;

    /**
     * @param deletedIn hears the namespace in which something counted was deleted
     * @param addedIn hears the namespace in which something counted is new
     */
    CountedResources(Manager manager, Client client, Consumer<String> deletedIn, Consumer<String> addedIn) {
        this.client = client;
        this.driver = manager.driver();
        this.informers = manager.informers();
        this.deletedIn = deletedIn;
        this.addedIn = addedIn;
    }

    /** The qualified name of what a key of a quota counts; null if it is no count of objects. */
    static @Nullable String resourceOf(String key) {
        if (key.startsWith("count/")) {
            return key.substring("count/".length());
        }
        return switch (key) {
            case "configmaps", "secrets", "replicationcontrollers", "resourcequotas" -> key;
            default -> null;
        };
    }

    /**
     * What came of a count.
     *
     * @param known false if nobody serves such a resource
     * @param count null if it cannot be told yet
     */
    record Count(boolean known, @Nullable Integer count) {}

    synchronized Count count(String qualifiedName, String namespace) {
        SharedInformer<PartialObjectMetadata> informer = watched.get(qualifiedName);
        if (informer == null) {
            ResourceType<PartialObjectMetadata> type = typeOf(qualifiedName).orElse(null);
            if (type == null) {
                return new Count(false, null);
            }
            informer = informers.informer(type, WatchScope.ALL);
            informer.addHandler(new Changes());
            watched.put(qualifiedName, informer);
        }
        return new Count(
                true, informer.isSynced() ? informer.lister().list(namespace).size() : null);
    }

    private Optional<ResourceType<PartialObjectMetadata>> typeOf(String qualifiedName) {
        Instant now = driver.now();
        if (!served.containsKey(qualifiedName)
                && (asked == null || !asked.plus(ASK_AGAIN).isAfter(now))) {
            asked = now;
            for (Discovery.Served found : Discovery.preferredResources(client).resources()) {
                ResourceType<?> type = found.type();
                if (found.can("create", "list", "watch", "delete") && type.namespaced()) {
                    served.put(
                            type.qualifiedName(),
                            new ResourceType<>(
                                    type.group(),
                                    type.version(),
                                    type.plural(),
                                    type.kind(),
                                    true,
                                    PartialObjectMetadata.class));
                }
            }
        }
        return Optional.ofNullable(served.get(qualifiedName));
    }

    private final class Changes implements EventHandler<PartialObjectMetadata> {
        @Override
        public void onAdd(PartialObjectMetadata object, boolean initial) {
            if (!initial) {
                addedIn.accept(object.getMetadata().getNamespace());
            }
        }

        @Override
        public void onUpdate(PartialObjectMetadata old, PartialObjectMetadata object) {
            // It is still one.
        }

        @Override
        public void onDelete(PartialObjectMetadata object, boolean finalStateUnknown) {
            deletedIn.accept(object.getMetadata().getNamespace());
        }
    }
}
