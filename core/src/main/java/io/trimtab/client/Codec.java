package io.trimtab.client;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Status;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads objects, pages and watch events of one resource from JSON. Safe for use by any thread. */
final class Codec<T extends HasMetadata> {
    private static final Logger log = LoggerFactory.getLogger(Codec.class);
    private static final String INITIAL_EVENTS_END = "k8s.io/initial-events-end";

    private final ResourceType<T> type;
    private final ObjectMapper mapper;
    private final ObjectReader reader;
    private final LongAdder unreadable;
    private final boolean compact;

    /**
     * A codec.
     *
     * @param unreadable counts objects that were skipped because they could not be read
     */
    Codec(ResourceType<T> type, ObjectMapper mapper, LongAdder unreadable) {
        this(type, mapper, unreadable, false);
    }

    /** @param compact make objects small, and their collections immutable: for caches */
    Codec(ResourceType<T> type, ObjectMapper mapper, LongAdder unreadable, boolean compact) {
        this.compact = compact;
        this.type = type;
        this.mapper = mapper;
        this.reader = mapper.readerFor(type.javaType());
        this.unreadable = unreadable;
    }

    T readObject(byte[] body) {
        try {
            return named(reader.readValue(body));
        } catch (IOException e) {
            throw new ApiException("cannot read the answer as " + type.kind() + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads a list.
     *
     * @param lenient skip objects that cannot be read, rather than fail
     */
    Client.Page<T> readPage(byte[] body, boolean lenient) {
        try {
            return readPageInOnePass(body);
        } catch (IOException | RuntimeException e) {
            if (!lenient) {
                throw new ApiException("cannot read the answer as a list of " + type + ": " + e.getMessage(), e);
            }
        }
        // One object is not what we think it is. Reading twice is slow, but only those who have such objects pay.
        try {
            JsonNode list = mapper.readTree(body);
            List<T> items = new ArrayList<>();
            for (JsonNode item : list.path("items")) {
                try {
                    items.add(named(reader.readValue(item)));
                } catch (IOException | RuntimeException e) {
                    skipped(item.path("metadata"), e);
                }
            }
            return page(items, list.path("metadata"));
        } catch (IOException e) {
            throw new ApiException("cannot read the answer as a list of " + type + ": " + e.getMessage(), e);
        }
    }

    private Client.Page<T> readPageInOnePass(byte[] body) throws IOException {
        List<T> items = new ArrayList<>();
        JsonNode metadata = null;
        try (JsonParser parser = mapper.getFactory().createParser(body)) {
            expect(parser, parser.nextToken(), JsonToken.START_OBJECT);
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String field = parser.currentName();
                JsonToken value = parser.nextToken();
                if (field.equals("metadata")) {
                    metadata = mapper.readTree(parser);
                } else if (field.equals("items") && value == JsonToken.START_ARRAY) {
                    while (parser.nextToken() != JsonToken.END_ARRAY) {
                        items.add(named(reader.readValue(parser)));
                    }
                } else {
                    parser.skipChildren();
                }
            }
        }
        return page(items, metadata == null ? mapper.createObjectNode() : metadata);
    }

    private static void expect(JsonParser parser, @Nullable JsonToken found, JsonToken expected) throws IOException {
        if (found != expected) {
            throw new IOException("expected " + expected + " at " + parser.currentLocation() + ", found " + found);
        }
    }

    private Client.Page<T> page(List<T> items, JsonNode metadata) {
        String token = metadata.path("continue").asText("");
        return new Client.Page<>(
                Collections.unmodifiableList(items),
                metadata.path("resourceVersion").asText(""),
                token.isEmpty() ? null : token);
    }

    /**
     * Reads one event of a watch.
     *
     * @return null for an event that says nothing to us
     */
    @Nullable
    WatchEvent<T> readEvent(byte[] bytes, int offset, int length) {
        try {
            return readEventInOnePass(bytes, offset, length);
        } catch (IOException | RuntimeException e) {
            return readOddEvent(bytes, offset, length, e);
        }
    }

    private @Nullable WatchEvent<T> readEventInOnePass(byte[] bytes, int offset, int length) throws IOException {
        try (JsonParser parser = mapper.getFactory().createParser(bytes, offset, length)) {
            expect(parser, parser.nextToken(), JsonToken.START_OBJECT);
            String kind = "";
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String field = parser.currentName();
                parser.nextToken();
                if (field.equals("type")) {
                    kind = parser.getText();
                } else if (field.equals("object")) {
                    switch (kind) {
                        case "ADDED":
                            return new WatchEvent.Added<>(named(reader.readValue(parser)));
                        case "MODIFIED":
                            return new WatchEvent.Modified<>(named(reader.readValue(parser)));
                        case "DELETED":
                            return new WatchEvent.Deleted<>(named(reader.readValue(parser)));
                        default:
                            return special(kind, mapper.readTree(parser));
                    }
                } else {
                    parser.skipChildren();
                }
            }
            return null;
        }
    }

    private @Nullable WatchEvent<T> special(String kind, JsonNode object) throws IOException {
        switch (kind) {
            case "BOOKMARK" -> {
                JsonNode metadata = object.path("metadata");
                boolean end = "true"
                        .equals(metadata.path("annotations")
                                .path(INITIAL_EVENTS_END)
                                .asText());
                return new WatchEvent.Bookmark<>(
                        metadata.path("resourceVersion").asText(""), end);
            }
            case "ERROR" -> {
                return new WatchEvent.Closed<>(new ApiException(mapper.treeToValue(object, Status.class)));
            }
            case "" -> throw new IOException("the event's object comes before its type");
            default -> {
                log.warn("Watch event of unknown type skipped: resource={} type={}", type, kind);
                return null;
            }
        }
    }

    /** An event the quick way could not read. An object of ours that we cannot read still moves the revision. */
    private @Nullable WatchEvent<T> readOddEvent(byte[] bytes, int offset, int length, Exception first) {
        JsonNode event;
        try {
            event = mapper.readTree(bytes, offset, length);
        } catch (IOException e) {
            // Half an event: the stream is broken, and what follows cannot be trusted either.
            return new WatchEvent.Closed<>(
                    new ApiException("cannot read a watch event of " + type + ": " + e.getMessage(), e));
        }
        JsonNode object = event.path("object");
        String kind = event.path("type").asText();
        try {
            switch (kind) {
                case "ADDED":
                    return new WatchEvent.Added<>(named(reader.readValue(object)));
                case "MODIFIED":
                    return new WatchEvent.Modified<>(named(reader.readValue(object)));
                case "DELETED":
                    return new WatchEvent.Deleted<>(named(reader.readValue(object)));
                default:
                    return kind.isEmpty() ? null : special(kind, object);
            }
        } catch (IOException | RuntimeException e) {
            JsonNode metadata = object.path("metadata");
            skipped(metadata, first);
            if (kind.equals("DELETED")) {
                T nameOnly = nameOnly(object);
                if (nameOnly != null) {
                    return new WatchEvent.Deleted<>(nameOnly);
                }
            }
            String revision = metadata.path("resourceVersion").asText("");
            return revision.isEmpty() ? null : new WatchEvent.Bookmark<>(revision, false);
        }
    }

    /** Enough to take an object out of a cache that may hold an earlier, readable state of it. */
    private @Nullable T nameOnly(JsonNode object) {
        try {
            return named(
                    reader.readValue((JsonNode) mapper.createObjectNode().set("metadata", object.path("metadata"))));
        } catch (IOException | RuntimeException e) {
            return null;
        }
    }

    private void skipped(JsonNode metadata, Exception e) {
        unreadable.increment();
        log.warn(
                "Object skipped, it cannot be read: resource={} namespace={} name={} revision={} javaType={}",
                type,
                metadata.path("namespace").asText(""),
                metadata.path("name").asText(""),
                metadata.path("resourceVersion").asText(""),
                type.javaType().getName(),
                e);
    }

    /** Items of a list come without kind and version; readers rely on both. */
    private T named(T object) throws IOException {
        if (object == null || object.getMetadata() == null) {
            throw new IOException("expected an object with metadata");
        }
        if (object instanceof GenericKubernetesResource tree && tree.getKind() == null) {
            tree.setKind(type.kind()); // typed classes know their own
        }
        if (object.getApiVersion() == null || object.getApiVersion().isEmpty()) {
            object.setApiVersion(type.apiVersion());
        }
        return compact ? Compactor.compact(object) : object;
    }
}
