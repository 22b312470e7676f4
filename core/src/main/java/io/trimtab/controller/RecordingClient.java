package io.trimtab.controller;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ListWatch;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.client.WriteMode;
import io.trimtab.client.Written;
import io.trimtab.informer.InformerFactory;
import io.trimtab.informer.SharedInformer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A client that notes, for the reconcile that uses it, what was written: so that the next one can wait until it shows. */
final class RecordingClient implements Client {
    private final Client client;
    private final InformerFactory informers;

    RecordingClient(Client client, InformerFactory informers) {
        this.client = client;
        this.informers = informers;
    }

    @Override
    public <T extends HasMetadata> Optional<T> get(ResourceType<T> type, @Nullable String namespace, String name) {
        return client.get(type, namespace, name);
    }

    @Override
    public <T extends HasMetadata> Page<T> list(ResourceType<T> type, @Nullable String namespace, ListOptions options) {
        return client.list(type, namespace, options);
    }

    @Override
    public <T extends HasMetadata> T create(ResourceType<T> type, T object) {
        return wrote(type, client.create(type, object));
    }

    @Override
    public <T extends HasMetadata> Written createOnly(ResourceType<T> type, T object) {
        return wrote(type, client.createOnly(type, object));
    }

    @Override
    public <T extends HasMetadata> Written updateStatusOnly(ResourceType<T> type, T object) {
        return wrote(type, client.updateStatusOnly(type, object));
    }

    @Override
    public <T extends HasMetadata> Written patchOnly(
            ResourceType<T> type, @Nullable String namespace, String name, Patch patch) {
        return wrote(type, client.patchOnly(type, namespace, name, patch));
    }

    private Written wrote(ResourceType<?> type, Written written) {
        ReconcileScope scope = ReconcileScope.current();
        if (scope != null && client.writes() == WriteMode.STORED) {
            long revision = OwnWrites.revisionOf(written.resourceVersion());
            if (revision > 0) {
                scope.wrote(informers, type, written.namespace().isEmpty() ? null : written.namespace(), revision);
            }
        }
        return written;
    }

    @Override
    public <T extends HasMetadata> T update(ResourceType<T> type, T object) {
        return wrote(type, client.update(type, object));
    }

    @Override
    public <T extends HasMetadata> T updateStatus(ResourceType<T> type, T object) {
        return wrote(type, client.updateStatus(type, object));
    }

    @Override
    public <T extends HasMetadata> T patch(ResourceType<T> type, @Nullable String namespace, String name, Patch patch) {
        return wrote(type, client.patch(type, namespace, name, patch));
    }

    private <R> R wrote(ResourceType<?> type, R stored) {
        ReconcileScope scope = ReconcileScope.current();
        if (scope != null
                && client.writes() == WriteMode.STORED
                && stored instanceof HasMetadata object
                && object.getMetadata() != null) {
            long revision = OwnWrites.revisionOf(object);
            if (revision > 0) {
                scope.wrote(informers, type, object.getMetadata().getNamespace(), revision);
            }
        }
        return stored;
    }

    @Override
    public void delete(ResourceType<?> type, @Nullable String namespace, String name, DeleteOptions options) {
        boolean dryRun = options.getDryRun() != null && !options.getDryRun().isEmpty();
        Runnable note = dryRun ? () -> {} : noteOfDeletion(type, namespace, name, options);
        try {
            client.delete(type, namespace, name, options);
        } catch (ApiException e) {
            if (e.isNotFound()) {
                note.run(); // gone already: the cache is what lags behind
            }
            throw e;
        }
        note.run();
    }

    /** Prepared before the request, while the cache still shows which object is meant. */
    private Runnable noteOfDeletion(
            ResourceType<?> type, @Nullable String namespace, String name, @Nullable DeleteOptions options) {
        ReconcileScope scope = ReconcileScope.current();
        if (scope == null || client.writes() != WriteMode.STORED) {
            return () -> {};
        }
        String asked = options == null || options.getPreconditions() == null
                ? null
                : options.getPreconditions().getUid();
        String uid = asked != null ? asked : cachedUid(type, namespace, name);
        if (uid == null) {
            return () -> {};
        }
        var deletion = new ReconcileScope.Deletion(informers, type, namespace == null ? "" : namespace, name, uid);
        return () -> scope.deleted(deletion);
    }

    private @Nullable String cachedUid(ResourceType<?> type, @Nullable String namespace, String name) {
        Optional<? extends HasMetadata> cached = Optional.empty();
        if (namespace != null && !namespace.isEmpty()) {
            cached = cached(type, WatchScope.namespace(namespace), namespace, name);
        }
        if (cached.isEmpty()) {
            cached = cached(type, WatchScope.ALL, namespace, name);
        }
        return cached.map(o -> o.getMetadata().getUid()).orElse(null);
    }

    private <T extends HasMetadata> Optional<T> cached(
            ResourceType<T> type, WatchScope scope, @Nullable String namespace, String name) {
        Optional<SharedInformer<T>> informer = informers.existing(type, scope);
        return informer.flatMap(i -> i.lister().get(namespace, name));
    }

    @Override
    public void deleteCollection(
            ResourceType<?> type, @Nullable String namespace, DeleteOptions options, ListOptions list) {
        client.deleteCollection(type, namespace, options, list);
    }

    @Override
    public <R> R createSubresource(
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer) {
        Runnable note = subresource.equals("eviction") ? noteOfDeletion(type, namespace, name, null) : () -> {};
        R stored = wrote(type, client.createSubresource(type, namespace, name, subresource, body, answer));
        note.run();
        return stored;
    }

    @Override
    public <R> R updateSubresource(
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer) {
        return wrote(type, client.updateSubresource(type, namespace, name, subresource, body, answer));
    }

    @Override
    public WriteMode writes() {
        return client.writes();
    }

    @Override
    public byte[] raw(String method, String pathAndQuery, byte @Nullable [] body) {
        return client.raw(method, pathAndQuery, body);
    }

    @Override
    public <T extends HasMetadata> ListWatch<T> listWatch(ResourceType<T> type, WatchScope scope) {
        return client.listWatch(type, scope);
    }
}
