package io.trimtab.apiserver.injvm;

import com.fasterxml.jackson.databind.ObjectReader;
import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.client.KubernetesJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Stored objects as typed ones, parsed once per revision and shared by all who hold them. Keeps nothing alive: an entry lives as
 * long as the store has the revision and somebody has the typed object. Safe for use by any thread.
 */
final class TypedObjects {
    private final Map<Class<?>, Typed<?>> byType = new ConcurrentHashMap<>();

    /** The object; not to be changed. */
    <T extends HasMetadata> T read(StoredObject object, Class<T> type) {
        @SuppressWarnings("unchecked") // keyed by the class
        Typed<T> typed = (Typed<T>) byType.computeIfAbsent(type, t -> new Typed<>(type));
        return typed.read(object);
    }

    /** The object is gone, or at least for somebody: what was kept to read its next revision quickly is let go. */
    void forget(StoredObject object, Class<?> type) {
        Typed<?> typed = byType.get(type);
        if (typed != null && typed.renewed != null) {
            typed.renewed.forget(object);
        }
    }

    private static final class Typed<T extends HasMetadata> {
        private final Class<T> type;
        private final ObjectReader reader;
        private final @Nullable RenewedObjects<T> renewed;
        // Keys compare by identity: the store hands out one object for one revision.
        private final Cache<StoredObject, T> objects = CacheBuilder.newBuilder()
                .weakKeys()
                .weakValues()
                .concurrencyLevel(2)
                .build();

        Typed(Class<T> type) {
            this.type = type;
            this.reader = KubernetesJson.cacheMapper().readerFor(type);
            this.renewed = RenewedObjects.of(type);
        }

        T read(StoredObject object) {
            if (renewed != null) {
                T newest = renewed.newest(object);
                if (newest != null) {
                    return newest;
                }
                T after = renewed.read(object);
                if (after != null) {
                    // The newest one is found above; that of a heartbeat ago is hardly ever asked for.
                    renewed.keep(object, after);
                    return after;
                }
            }
            T known = objects.getIfPresent(object);
            if (known != null) {
                return known;
            }
            T parsed;
            try {
                parsed = reader.readValue(ManagedFields.cut(object.json()));
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + object.key() + " as " + type.getName(), e);
            }
            if (renewed != null) {
                renewed.keep(object, parsed);
            }
            T first = objects.asMap().putIfAbsent(object, parsed);
            return first == null ? parsed : first;
        }
    }
}
