package io.trimtab.controllers.garbagecollector;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PartialObjectMetadata;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Discovery;
import io.trimtab.client.Discovery.Served;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Periodic;
import io.trimtab.controllers.garbagecollector.OwnerGraph.Identity;
import io.trimtab.informer.EventHandler;
import io.trimtab.informer.InformerFactory;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the metadata of every resource that can be deleted, listed and watched, and tells the graph. Asks every 30 seconds what
 * is served; a resource that came is watched from then on. Written on its lane only; {@link #typeOf} is for any thread.
 */
final class MonitoredResources implements Manager.Component {
    private static final Logger LOG = LoggerFactory.getLogger(MonitoredResources.class);
    private static final Duration PERIOD = Duration.ofSeconds(30);

    private final Client client;
    private final Periodic discovery;
    private final InformerFactory informers;
    private final OwnerGraph graph;
    private final Map<String, ResourceType<PartialObjectMetadata>> byKind = new ConcurrentHashMap<>();
    private final Set<ResourceType<?>> watched = new HashSet<>();
    private final Discovery.Answers answers = new Discovery.Answers();
    private Discovery.@Nullable Found known;

    MonitoredResources(Manager manager, Client client, OwnerGraph graph) {
        this.client = client;
        this.discovery = Periodic.of("garbage-collector-discovery", manager.driver(), PERIOD, this::pass);
        this.informers = manager.informers();
        this.graph = graph;
    }

    @Override
    public String name() {
        return GarbageCollector.NAME;
    }

    @Override
    public void start() {
        discovery.start();
    }

    @Override
    public void close() {
        discovery.close();
    }

    private void pass() {
        try {
            Discovery.Found found = Discovery.preferredResources(client, answers);
            if (found == known) {
                return; // nothing has changed
            }
            known = found;
            // A group that does not answer keeps its monitors: nothing is concluded from silence.
            for (Served served : found.resources()) {
                add(served);
            }
        } catch (ApiException e) {
            LOG.atWarn().setCause(e).log("What the server serves could not be found out; it is asked again");
        }
    }

    private void add(Served served) {
        var dynamic = served.type();
        ResourceType<PartialObjectMetadata> type = new ResourceType<>(
                dynamic.group(),
                dynamic.version(),
                dynamic.plural(),
                dynamic.kind(),
                dynamic.namespaced(),
                PartialObjectMetadata.class);
        byKind.put(key(type.group(), type.kind()), type);
        boolean isEvent = type.plural().equals("events")
                && (type.group().isEmpty() || type.group().equals("events.k8s.io"));
        if (isEvent || !served.can("delete", "list", "watch") || !watched.add(type)) {
            return;
        }
        informers.informer(type, WatchScope.ALL).addHandler(new EventHandler<PartialObjectMetadata>() {
            @Override
            public void onAdd(PartialObjectMetadata object, boolean initial) {
                graph.observed(type.apiVersion(), type.kind(), object);
            }

            @Override
            public void onUpdate(PartialObjectMetadata old, PartialObjectMetadata object) {
                if (old != object && isSame(old.getMetadata(), object.getMetadata())) {
                    return; // a heartbeat, or a status
                }
                graph.observed(type.apiVersion(), type.kind(), object);
            }

            @Override
            public void onDelete(PartialObjectMetadata object, boolean finalStateUnknown) {
                graph.deleted(object.getMetadata().getUid());
            }
        });
    }

    /** True if the new one certainly shares with the old one what the graph looks at. */
    private static boolean isSame(ObjectMeta old, ObjectMeta now) {
        return old.getOwnerReferences() == now.getOwnerReferences()
                && old.getFinalizers() == now.getFinalizers()
                && Objects.equals(old.getDeletionTimestamp(), now.getDeletionTimestamp())
                && Objects.equals(old.getUid(), now.getUid());
    }

    /** The resource of a kind, at whatever version it is monitored; null if none is served. */
    @Nullable
    ResourceType<PartialObjectMetadata> typeOf(Identity identity) {
        int slash = identity.apiVersion().indexOf('/');
        String group = slash < 0 ? "" : identity.apiVersion().substring(0, slash);
        return byKind.get(key(group, identity.kind()));
    }

    private static String key(String group, String kind) {
        return group + "/" + kind;
    }
}
