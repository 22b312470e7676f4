package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.protobuf.ProtobufEncoder;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.storage.EventSource;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Get, list and watch. Stateless. */
final class Reads {
    /** Unless the client says otherwise, a watch lasts this long and up to twice as long: reconnects spread out. */
    private static final int MIN_WATCH_SECONDS = 1800;

    private Reads() {}

    static ApiResponse get(Call call) {
        Representation form = Representation.negotiate(call, Representation.Endpoint.OBJECT);
        if (form.as() == Representation.As.TABLE) {
            ResponseWriter.include(call.request);
        }
        if (Boolean.TRUE.equals(Query.optional(call.request.queryParameter("export")))) {
            throw Statuses.badRequest("the export parameter, deprecated since v1.14, is no longer supported");
        }
        String version = WriteOptions.orEmpty(call.request.queryParameter("resourceVersion"));
        // Reads are always of the newest state, which is new enough for any version but one that lies ahead.
        long least = ListOptions.parseVersion(version, true);
        if (least > call.env.storage().revision()) {
            // The listing waits as long as Kubernetes does, and refuses in the same words.
            call.env
                    .storage()
                    .list(
                            call.served.storage(),
                            new Storage.ListQuery(
                                    call.namespace(),
                                    io.trimtab.selector.LabelSelectors.everything(),
                                    io.trimtab.selector.FieldSelector.everything(),
                                    least,
                                    false,
                                    1,
                                    null));
        }
        StoredObject object = find(call);
        return ResponseWriter.stored(call, form, 200, object);
    }

    /** The object that the path names. */
    static StoredObject find(Call call) {
        String name = call.name();
        return call.env
                .storage()
                .get(call.served.storage(), call.namespace(), name)
                .orElseThrow(() -> call.notFound(name));
    }

    static ApiResponse list(Call call) {
        Representation form = Representation.negotiate(call, Representation.Endpoint.LIST);
        if (form.as() == Representation.As.TABLE) {
            ResponseWriter.include(call.request);
        }
        ListOptions options = ListOptions.parse(call);
        Page page = page(call, options);
        return ResponseWriter.list(call, form, Converted.listing(call.served, page.listing()), page.token());
    }

    /**
     * A page of a list.
     *
     * @param token for the next page; null if this is the last
     */
    record Page(Storage.Listing listing, @Nullable String token) {}

    static Page page(Call call, ListOptions options) {
        long revision;
        boolean exact = false;
        int limit = options.limit();
        String start = null;
        if (!options.token().isEmpty()) {
            ListOptions.Token token = ListOptions.Token.decode(options.token());
            if (!options.version().isEmpty() && !options.version().equals("0")) {
                throw Statuses.badRequest("specifying resource version is not allowed when using continue");
            }
            if (options.version().equals("0")) {
                limit = 0; // from the watch cache, which does not page
            }
            start = token.startKey();
            revision = Math.max(0, token.revision());
            exact = token.revision() > 0;
        } else {
            revision = ListOptions.parseVersion(options.version(), false);
            if (options.version().equals("0") && options.match().equals("NotOlderThan")) {
                limit = 0;
            } else if (options.match().isEmpty()) {
                if (options.version().equals("0")) {
                    limit = 0; // served from the watch cache, which does not page
                } else {
                    exact = limit > 0 && revision > 0;
                }
            } else {
                exact = options.match().equals("Exact");
            }
        }
        Storage.Listing listing;
        try {
            listing = call.env
                    .storage()
                    .list(
                            call.served.storage(),
                            new Storage.ListQuery(
                                    call.namespace(),
                                    options.labels(),
                                    options.fields(),
                                    revision,
                                    exact,
                                    limit,
                                    start));
        } catch (StatusException e) {
            if (start != null && e.code() == 410) {
                throw expiredToken(start);
            }
            throw e;
        }
        String next = listing.nextKey();
        String token = next == null ? null : new ListOptions.Token(listing.revision(), next).encode();
        return new Page(listing, token);
    }

    /** The snapshot is gone; a client may go on at the same place in the newest one. */
    private static StatusException expiredToken(String start) {
        ObjectNode status = Statuses.status(
                410,
                "Expired",
                "The provided continue parameter is too old to display a consistent list result. You can start a new list"
                        + " without the continue parameter, or use the continue token in this response to retrieve the"
                        + " remainder of the results. Continuing with the provided token results in an inconsistent list"
                        + " - objects that were created, modified, or deleted between the time the first chunk was"
                        + " returned and now may show up in the list.",
                null);
        status.putObject("metadata").put("continue", new ListOptions.Token(-1, start).encode());
        return new StatusException(status);
    }

    static ApiResponse watch(Call call) {
        Representation form = Representation.negotiate(call, Representation.Endpoint.WATCH);
        TableConverter.IncludeObject include =
                form.as() == Representation.As.TABLE ? ResponseWriter.include(call.request) : null;
        ListOptions options = ListOptions.parse(call, true);
        long version = ListOptions.parseVersion(options.version(), true);
        // Unasked, a watch without a version begins with what there is; who says no begins with what comes next.
        boolean fromState = options.initialEvents() == null ? version == 0 : options.initialEvents();
        long after = fromState ? -1 : version == 0 ? call.env.storage().revision() : version;
        int seconds = options.timeoutSeconds() > 0
                ? options.timeoutSeconds()
                : MIN_WATCH_SECONDS + call.env.driver().random().nextInt(MIN_WATCH_SECONDS);
        EventSource events = call.env
                .storage()
                .watch(
                        call.served.storage(),
                        new Storage.WatchQuery(
                                call.namespace(),
                                options.labels(),
                                options.fields(),
                                after,
                                fromState && options.bookmarks(),
                                options.bookmarks(),
                                Duration.ofSeconds(seconds)));
        boolean protobuf = form.format() == Representation.Format.PROTOBUF;
        return new ApiResponse.Watch(
                200,
                Map.of("Content-Type", List.of(form.format().mediaType() + (protobuf ? ";stream=watch" : ""))),
                Converted.events(call.served, events, call.env.driver()),
                protobuf ? new ProtobufFraming(call, form) : new JsonFraming(call, form, include));
    }

    /** The object of an event that carries only a revision. */
    private static ObjectNode bookmark(Call call, EventSource.Event event) {
        ApiResource resource = call.resource();
        ObjectNode object = Json.object();
        if (resource.custom()) {
            object.put("apiVersion", resource.apiVersion()).put("kind", resource.kind());
        } else {
            object.put("kind", resource.kind()).put("apiVersion", resource.apiVersion());
        }
        ObjectNode metadata = object.putObject("metadata");
        metadata.put("resourceVersion", Long.toString(event.revision()));
        if (event.initialEventsEnd()) {
            metadata.putObject("annotations").put("k8s.io/initial-events-end", "true");
        }
        // Kubernetes sends an object of the kind that is empty but for its version; its zero fields show.
        return resource.custom() ? object : io.trimtab.apiserver.schema.Canonical.of(object, call.served.schema());
    }

    /** True for events of stored objects that all watchers of a form see alike. */
    private static boolean isShared(Call call, EventSource.Event event) {
        return event.object() != null && call.served.conversion() == null;
    }

    /** Messages with their lengths before them. */
    private record ProtobufFraming(Call call, Representation form) implements ApiResponse.Framing {
        @Override
        public byte[] frame(EventSource.Event event) {
            return isShared(call, event) ? event.frame(form, this::encoded) : encoded(event);
        }

        private byte[] encoded(EventSource.Event event) {
            return ProtobufEncoder.watchFrame(event.type().name(), object(event));
        }

        private ObjectNode object(EventSource.Event event) {
            ObjectNode error = event.error();
            if (event.type() == EventSource.Type.ERROR && error != null) {
                return error;
            }
            StoredObject stored = event.object();
            ObjectNode tree = stored == null ? bookmark(call, event) : ResponseWriter.tree(call.served, stored);
            return form.as() == Representation.As.OBJECT ? tree : ResponseWriter.partial(tree, form.metaVersion());
        }
    }

    /** One JSON document a line. */
    private static final class JsonFraming implements ApiResponse.Framing {
        private static final byte[] END = "}\n".getBytes(StandardCharsets.UTF_8);
        private static final Map<EventSource.Type, byte[]> BEGIN = Map.of(
                EventSource.Type.ADDED, begin("ADDED"),
                EventSource.Type.MODIFIED, begin("MODIFIED"),
                EventSource.Type.DELETED, begin("DELETED"),
                EventSource.Type.BOOKMARK, begin("BOOKMARK"),
                EventSource.Type.ERROR, begin("ERROR"));

        private final Call call;
        private final Representation form;
        private final TableConverter.@Nullable IncludeObject include;
        private boolean columns = true;

        JsonFraming(Call call, Representation form, TableConverter.@Nullable IncludeObject include) {
            this.call = call;
            this.form = form;
            this.include = include;
        }

        private static byte[] begin(String type) {
            return ("{\"type\":\"" + type + "\",\"object\":").getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public byte @Nullable [] frame(EventSource.Event event) {
            // A table's first row brings the columns, so each watcher has frames of its own.
            return form.as() != Representation.As.TABLE && isShared(call, event)
                    ? event.frame(form, this::encoded)
                    : encoded(event);
        }

        private byte[] encoded(EventSource.Event event) {
            byte[] object = object(event);
            byte[] begin = Objects.requireNonNull(BEGIN.get(event.type()));
            byte[] frame = new byte[begin.length + object.length + END.length];
            System.arraycopy(begin, 0, frame, 0, begin.length);
            System.arraycopy(object, 0, frame, begin.length, object.length);
            System.arraycopy(END, 0, frame, begin.length + object.length, END.length);
            return frame;
        }

        private byte[] object(EventSource.Event event) {
            StoredObject stored = event.object();
            if (event.type() == EventSource.Type.ERROR) {
                ObjectNode error = event.error();
                return Json.compact(error == null ? Json.object() : error);
            }
            if (stored != null && form.as() == Representation.As.OBJECT && call.served.conversion() == null) {
                return stored.json();
            }
            ObjectNode tree = stored == null ? bookmark(call, event) : ResponseWriter.tree(call.served, stored);
            return Json.compact(
                    switch (form.as()) {
                        case OBJECT -> tree;
                        case PARTIAL, PARTIAL_LIST -> ResponseWriter.partial(tree, form.metaVersion());
                        case TABLE -> table(tree);
                    });
        }

        /** One row, also for a bookmark: what it says stands in the row's metadata. */
        private ObjectNode table(ObjectNode tree) {
            ObjectNode meta = Json.object();
            meta.set("resourceVersion", tree.path("metadata").path("resourceVersion"));
            ObjectNode table = call.env
                    .tables()
                    .table(
                            call.resource(),
                            List.of(tree),
                            include == null ? TableConverter.IncludeObject.METADATA : include,
                            form.metaVersion(),
                            meta,
                            columns);
            columns = false;
            return table;
        }
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
