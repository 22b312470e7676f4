package io.trimtab.informer;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.Client;
import io.trimtab.client.ListWatch;
import io.trimtab.client.WatchEvent;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A source whose objects are changed on their way into a cache. */
record TransformedListWatch<T extends HasMetadata>(ListWatch<T> source, UnaryOperator<T> transform)
        implements ListWatch<T> {
    private static final Logger log = LoggerFactory.getLogger(TransformedListWatch.class);

    private T transformed(T object) {
        try {
            T result = transform.apply(object);
            if (result != null
                    && object.getMetadata()
                            .getName()
                            .equals(result.getMetadata().getName())) {
                return result;
            }
            log.error("Transform lost the object's name, keeping it as it came: object={}", nameOf(object));
        } catch (RuntimeException e) {
            log.error("Transform failed, keeping the object as it came: object={}", nameOf(object), e);
        }
        return object;
    }

    private static String nameOf(HasMetadata object) {
        return object.getKind() + " " + ObjectKey.of(object);
    }

    @Override
    public Client.Page<T> list(@Nullable String resourceVersion, int limit, @Nullable String continueToken) {
        Client.Page<T> page = source.list(resourceVersion, limit, continueToken);
        return new Client.Page<>(
                page.items().stream().map(this::transformed).toList(), page.resourceVersion(), page.continueToken());
    }

    @Override
    public AutoCloseable watch(
            @Nullable String resourceVersion,
            boolean sendInitialEvents,
            Duration timeout,
            Consumer<WatchEvent<T>> events) {
        return source.watch(resourceVersion, sendInitialEvents, timeout, event -> events.accept(transformed(event)));
    }

    private WatchEvent<T> transformed(WatchEvent<T> event) {
        if (event instanceof WatchEvent.Added<T> added) {
            return new WatchEvent.Added<>(transformed(added.object()));
        }
        if (event instanceof WatchEvent.Modified<T> modified) {
            return new WatchEvent.Modified<>(transformed(modified.object()));
        }
        if (event instanceof WatchEvent.Deleted<T> deleted) {
            return new WatchEvent.Deleted<>(transformed(deleted.object()));
        }
        return event;
    }
}
