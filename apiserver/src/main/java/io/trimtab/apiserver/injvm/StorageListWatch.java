package io.trimtab.apiserver.injvm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Status;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.storage.EventSource;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ListWatch;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchEvent;
import io.trimtab.client.WatchScope;
import io.trimtab.runtime.Driver;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The list and watch of one resource, out of the storage: what it hands out are the store's revisions, typed. */
final class StorageListWatch<T extends HasMetadata> implements ListWatch<T> {
    private static final Logger log = LoggerFactory.getLogger(StorageListWatch.class);
    /** So that a source with a thousand events waiting lets others run. */
    private static final int EVENTS_A_STEP = 512;

    private final StorageListWatchSource source;
    private final ApiResource resource;
    private final ResourceType<T> type;
    private final WatchScope scope;
    private final LabelSelector labels;
    private final FieldSelector fields;

    StorageListWatch(StorageListWatchSource source, ApiResource resource, ResourceType<T> type, WatchScope scope) {
        this.source = source;
        this.resource = resource;
        this.type = type;
        this.scope = scope;
        this.labels = scope.labelSelector() == null
                ? LabelSelectors.everything()
                : LabelSelectors.parse(scope.labelSelector());
        this.fields =
                scope.fieldSelector() == null ? FieldSelector.everything() : FieldSelector.parse(scope.fieldSelector());
    }

    @Override
    public Client.Page<T> list(@Nullable String resourceVersion, int limit, @Nullable String continueToken) {
        try {
            source.check("list", resource, scope);
            long revision = revision(resourceVersion);
            boolean exact = false;
            String start = null;
            if (continueToken != null) {
                int colon = continueToken.indexOf(':');
                revision = revision(continueToken.substring(0, colon));
                exact = true;
                start = continueToken.substring(colon + 1);
            }
            Storage.Listing listing = source.storage()
                    .list(
                            resource,
                            new Storage.ListQuery(scope.namespace(), labels, fields, revision, exact, limit, start));
            List<T> items = new ArrayList<>();
            while (listing.objects().hasNext()) {
                T item = typed(listing.objects().next());
                if (item != null) {
                    items.add(item);
                }
            }
            String next = listing.nextKey();
            return new Client.Page<>(
                    Collections.unmodifiableList(items),
                    Long.toString(listing.revision()),
                    next == null ? null : listing.revision() + ":" + next);
        } catch (StatusException e) {
            throw refusal(e.status());
        }
    }

    @Override
    public AutoCloseable watch(
            @Nullable String resourceVersion,
            boolean sendInitialEvents,
            Duration timeout,
            Consumer<WatchEvent<T>> events) {
        Stream stream = new Stream(events);
        try {
            source.check("watch", resource, scope);
            long after = revision(resourceVersion);
            stream.open(source.storage()
                    .watch(
                            resource,
                            new Storage.WatchQuery(
                                    scope.namespace(),
                                    labels,
                                    fields,
                                    sendInitialEvents || after == 0 ? -1 : after,
                                    sendInitialEvents,
                                    true,
                                    timeout)));
        } catch (StatusException e) {
            ApiException refusal = refusal(e.status());
            stream.lane.execute(() -> stream.end(refusal));
        }
        return stream;
    }

    private static long revision(@Nullable String text) {
        if (text == null || text.isEmpty()) {
            return 0;
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw Statuses.badRequest("invalid resource version \"" + text + "\": " + e.getMessage());
        }
    }

    /** Null, and a word in the log, for an object that does not fit its Java type: others are not to suffer for it. */
    private @Nullable T typed(StoredObject object) {
        try {
            return source.typed().read(object, type.javaType());
        } catch (UncheckedIOException e) {
            log.warn(
                    "Object skipped, it cannot be read: resource={} namespace={} name={} revision={} javaType={}",
                    type,
                    object.namespace(),
                    object.name(),
                    object.revision(),
                    type.javaType().getName(),
                    e);
            return null;
        }
    }

    private static ApiException refusal(ObjectNode status) {
        try {
            return new ApiException(KubernetesJson.mapper().treeToValue(status, Status.class));
        } catch (JsonProcessingException e) {
            return new ApiException(status.path("message").asText(), e);
        }
    }

    /** One watch. Events are taken and delivered on a lane. */
    private final class Stream implements AutoCloseable {
        private final Consumer<WatchEvent<T>> receiver;
        private final Driver.Lane lane = source.driver().lane("watch " + type);
        private final AtomicBoolean scheduled = new AtomicBoolean();
        private volatile boolean closed;
        private volatile @Nullable EventSource events;
        /** Lane only. */
        private boolean ended;

        Stream(Consumer<WatchEvent<T>> receiver) {
            this.receiver = receiver;
        }

        void open(EventSource opened) {
            events = opened;
            opened.onReady(this::schedule);
        }

        private void schedule() {
            if (!closed && scheduled.compareAndSet(false, true)) {
                lane.execute(this::step);
            }
        }

        private void step() {
            scheduled.set(false);
            EventSource from = events;
            if (from == null) {
                return;
            }
            for (int i = 0; i < EVENTS_A_STEP && !closed; i++) {
                EventSource.Event event = from.poll();
                if (event == null) {
                    if (from.isEnded()) {
                        end(null);
                    }
                    return;
                }
                deliver(event);
            }
            schedule();
        }

        private void deliver(EventSource.Event event) {
            ObjectNode error = event.error();
            if (event.type() == EventSource.Type.ERROR) {
                end(error == null ? null : refusal(error));
                return;
            }
            StoredObject object = event.object();
            T item = object == null ? null : typed(object);
            if (object != null && event.type() == EventSource.Type.DELETED) {
                source.typed().forget(object, type.javaType());
            }
            if (item == null) {
                receiver.accept(new WatchEvent.Bookmark<>(Long.toString(event.revision()), event.initialEventsEnd()));
                return;
            }
            receiver.accept(
                    switch (event.type()) {
                        case ADDED -> new WatchEvent.Added<>(item);
                        case MODIFIED -> new WatchEvent.Modified<>(item);
                        case DELETED -> new WatchEvent.Deleted<>(item);
                        case BOOKMARK, ERROR -> throw new IllegalStateException(event + " carries no object");
                    });
        }

        void end(@Nullable ApiException cause) {
            if (ended || closed) {
                return;
            }
            ended = true;
            close();
            receiver.accept(new WatchEvent.Closed<>(cause));
        }

        @Override
        public void close() {
            closed = true;
            EventSource open = events;
            if (open != null) {
                open.close();
            }
        }
    }
}
