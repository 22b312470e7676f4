package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.protobuf.ProtobufEncoder;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Turns objects into answers of the form that was negotiated. Objects of the store go out as the bytes they are stored as, wherever
 * the form allows. Stateless.
 */
public final class ResponseWriter {
    /** Kubernetes compresses bodies from here on (endpoints/handlers/responsewriters). */
    private static final int GZIP_FROM_BYTES = 128 * 1024;
    /** Small objects of a list are joined into pieces of about this size, so that writing has few calls. */
    private static final int PIECE_BYTES = 64 * 1024;

    private ResponseWriter() {}

    /** A tree that is no object of the API that could become a table: a Status, a review, discovery. */
    public static ApiResponse tree(Representation form, int code, JsonNode tree) {
        byte[] body =
                switch (form.format()) {
                    case YAML -> Json.yaml(tree);
                    case PROTOBUF -> ProtobufEncoder.object((ObjectNode) tree);
                    case JSON -> form.pretty() ? Json.pretty(tree) : newline(Json.compact(tree));
                };
        return whole(form, code, body);
    }

    /** The answer to a request that was refused. */
    public static ApiResponse error(ApiRequest request, StatusException refusal) {
        ApiResponse.Whole response =
                (ApiResponse.Whole) tree(Representation.forErrors(request), refusal.code(), refusal.status());
        if (refusal.headers().isEmpty()) {
            return response;
        }
        Map<String, List<String>> headers = new LinkedHashMap<>(response.headers());
        refusal.headers().forEach((name, value) -> headers.put(name, List.of(value)));
        return new ApiResponse.Whole(response.code(), headers, response.body());
    }

    /** One object of the store. */
    static ApiResponse stored(Call call, Representation form, int code, StoredObject object) {
        if (form.as() == Representation.As.OBJECT
                && form.format() == Representation.Format.JSON
                && !form.pretty()
                && call.served.conversion() == null) {
            return whole(form, code, newline(object.json()));
        }
        return object(call, form, code, tree(call.served, object));
    }

    /** One object. */
    static ApiResponse object(Call call, Representation form, int code, ObjectNode object) {
        return switch (form.as()) {
            case OBJECT -> tree(form, code, object);
            case PARTIAL -> tree(form, code, partial(object, form.metaVersion()));
            case PARTIAL_LIST -> throw mismatch(call, form, false);
            case TABLE -> tree(form, code, table(call, form, List.of(object), listMetaOf(object), true));
        };
    }

    /** The tree of a stored object at the version that is served; not to be changed. */
    static ObjectNode tree(Served served, StoredObject object) {
        if (object instanceof Converted converted) {
            return converted.tree();
        }
        return served.conversion() == null
                ? object.tree()
                : Canonical.of(served.conversion().fromStorage(object.copy()), served.schema());
    }

    /** A list, streamed. */
    static ApiResponse list(Call call, Representation form, Storage.Listing listing, @Nullable String token) {
        long revision = listing.revision();
        if (form.as() == Representation.As.OBJECT && form.format() == Representation.Format.JSON && !form.pretty()) {
            return stream(form, new ListPieces(call.served, listing, token));
        }
        if (form.as() == Representation.As.OBJECT && form.format() == Representation.Format.PROTOBUF) {
            ApiResource resource = call.resource();
            return stream(
                    form,
                    ProtobufEncoder.list(
                            resource.apiVersion(),
                            resource.kind() + "List",
                            listMeta(false, revision, token, listing.remaining()),
                            listing.objects(),
                            object -> tree(call.served, object)));
        }
        List<ObjectNode> objects = new ArrayList<>();
        while (listing.objects().hasNext()) {
            objects.add(tree(call.served, listing.objects().next()));
        }
        boolean untyped = call.resource().custom() && form.as() == Representation.As.OBJECT;
        ObjectNode meta = listMeta(untyped, revision, token, listing.remaining());
        return switch (form.as()) {
            case TABLE -> tree(form, 200, table(call, form, objects, meta, true));
            case PARTIAL -> throw mismatch(call, form, true);
            case PARTIAL_LIST -> {
                ObjectNode list = Json.object()
                        .put("kind", "PartialObjectMetadataList")
                        .put("apiVersion", "meta.k8s.io/" + form.metaVersion());
                list.set("metadata", meta);
                ArrayNode items = list.putArray("items");
                for (ObjectNode object : objects) {
                    items.add(partial(object, form.metaVersion()));
                }
                yield tree(form, 200, list);
            }
            case OBJECT -> tree(form, 200, listTree(call.resource(), objects, meta));
        };
    }

    /** A list that was made up from objects at hand. */
    static ApiResponse list(Call call, Representation form, List<ObjectNode> objects, long revision) {
        return list(call, form, objects, listMeta(call.resource().custom(), revision, null, -1));
    }

    /** What was done to each object of a page. */
    static ApiResponse list(Call call, Representation form, List<ObjectNode> objects, Reads.Page page) {
        Storage.Listing listing = page.listing();
        ObjectNode meta = listMeta(call.resource().custom(), listing.revision(), page.token(), listing.remaining());
        return list(call, form, objects, meta);
    }

    private static ApiResponse list(Call call, Representation form, List<ObjectNode> objects, ObjectNode meta) {
        return switch (form.as()) {
            case TABLE -> tree(form, 200, table(call, form, objects, meta, true));
            default -> tree(form, 200, listTree(call.resource(), objects, meta));
        };
    }

    /** The refusal to make the metadata of one object of a list, or a list of one object; types have their Go names. */
    private static StatusException mismatch(Call call, Representation form, boolean list) {
        ApiResource resource = call.resource();
        String packageName = resource.group().isEmpty() || resource.group().equals("events.k8s.io")
                ? "core"
                : resource.group().split("\\.", 2)[0];
        String type = (resource.custom() ? "unstructured.Unstructured" : packageName + "." + resource.kind())
                + (list ? "List" : "");
        return Statuses.notAcceptable("you requested PartialObjectMetadata"
                + (form.as() == Representation.As.PARTIAL_LIST ? "List" : "")
                + ", but the requested object is " + (list ? "a list" : "not a list") + " (*" + type + ")");
    }

    private static ObjectNode listTree(ApiResource resource, List<ObjectNode> objects, ObjectNode meta) {
        ObjectNode list = Json.object();
        if (resource.custom()) {
            list.put("apiVersion", resource.apiVersion());
            list.putArray("items").addAll(objects);
            list.put("kind", resource.kind() + "List");
            list.set("metadata", meta);
            return list;
        }
        list.put("kind", resource.kind() + "List").put("apiVersion", resource.apiVersion());
        list.set("metadata", meta);
        ArrayNode items = list.putArray("items");
        for (ObjectNode object : objects) {
            items.add(withoutType(object));
        }
        return list;
    }

    private static ObjectNode withoutType(ObjectNode object) {
        ObjectNode bare = Json.object();
        object.fields().forEachRemaining(f -> {
            if (!f.getKey().equals("kind") && !f.getKey().equals("apiVersion")) {
                bare.set(f.getKey(), f.getValue());
            }
        });
        return bare;
    }

    private static ObjectNode listMeta(boolean custom, long revision, @Nullable String token, long remaining) {
        ObjectNode meta = Json.object();
        if (revision < 0) {
            return meta; // of something that has no versions
        }
        if (custom) {
            meta.put("continue", token == null ? "" : token);
            if (token != null && remaining > 0) {
                meta.put("remainingItemCount", remaining);
            }
            return meta.put("resourceVersion", Long.toString(revision));
        }
        meta.put("resourceVersion", Long.toString(revision));
        if (token != null) {
            meta.put("continue", token);
            if (remaining > 0) {
                meta.put("remainingItemCount", remaining);
            }
        }
        return meta;
    }

    private static ObjectNode listMetaOf(ObjectNode object) {
        ObjectNode meta = Json.object();
        JsonNode version = object.path("metadata").get("resourceVersion");
        if (version != null) {
            meta.set("resourceVersion", version);
        }
        return meta;
    }

    /** The metadata and nothing else; shares it with the object. */
    static ObjectNode partial(ObjectNode object, String metaVersion) {
        ObjectNode partial =
                Json.object().put("kind", "PartialObjectMetadata").put("apiVersion", "meta.k8s.io/" + metaVersion);
        partial.set("metadata", object.path("metadata"));
        return partial;
    }

    static ObjectNode table(
            Call call, Representation form, List<ObjectNode> objects, ObjectNode meta, boolean columns) {
        return call.env
                .tables()
                .table(call.resource(), objects, include(call.request), form.metaVersion(), meta, columns);
    }

    /** Checks and reads {@code includeObject}. */
    static TableConverter.IncludeObject include(ApiRequest request) {
        String value = request.queryParameter("includeObject");
        return switch (value == null ? "" : value) {
            case "", "Metadata" -> TableConverter.IncludeObject.METADATA;
            case "Object" -> TableConverter.IncludeObject.OBJECT;
            case "None" -> TableConverter.IncludeObject.NONE;
            default ->
                throw Statuses.badRequest("Unable to convert to Table as requested: includeObject: Invalid value: \""
                        + value
                        + "\": must be 'Metadata', 'Object', 'None', or empty");
        };
    }

    private static ApiResponse whole(Representation form, int code, byte[] body) {
        Map<String, List<String>> headers = new LinkedHashMap<>(4);
        headers.put("Content-Type", List.of(form.format().mediaType()));
        if (form.gzip() && body.length >= GZIP_FROM_BYTES) {
            headers.put("Content-Encoding", List.of("gzip"));
            headers.put("Vary", List.of("Accept-Encoding"));
            return new ApiResponse.Whole(code, headers, gzip(body));
        }
        return new ApiResponse.Whole(code, headers, body);
    }

    private static ApiResponse stream(Representation form, Iterator<byte[]> pieces) {
        // A list that fits into one piece goes out whole, with its length; only large ones are streamed.
        byte[] first = pieces.next();
        if (!pieces.hasNext()) {
            return whole(form, 200, first);
        }
        Map<String, List<String>> headers = new LinkedHashMap<>(4);
        headers.put("Content-Type", List.of(form.format().mediaType()));
        if (!form.gzip()) {
            return new ApiResponse.Pieces(200, headers, new Rejoined(List.of(first), pieces));
        }
        List<byte[]> begin = new ArrayList<>();
        begin.add(first);
        int size = first.length;
        while (size < GZIP_FROM_BYTES && pieces.hasNext()) {
            byte[] piece = pieces.next();
            begin.add(piece);
            size += piece.length;
        }
        if (size < GZIP_FROM_BYTES) {
            return new ApiResponse.Pieces(200, headers, begin.iterator());
        }
        headers.put("Content-Encoding", List.of("gzip"));
        headers.put("Vary", List.of("Accept-Encoding"));
        return new ApiResponse.Pieces(200, headers, new GzipPieces(new Rejoined(begin, pieces)));
    }

    private static byte[] gzip(byte[] body) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(body.length / 4);
        try (GZIPOutputStream gzip = new FastGzip(out)) {
            gzip.write(body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static byte[] newline(byte[] json) {
        byte[] body = Arrays.copyOf(json, json.length + 1);
        body[json.length] = '\n';
        return body;
    }

    /** Level 1, as Kubernetes: lists of objects are so repetitive that more work gains little. */
    private static final class FastGzip extends GZIPOutputStream {
        FastGzip(ByteArrayOutputStream out) throws IOException {
            super(out, 8192);
            def.setLevel(1);
        }
    }

    private static final class Rejoined implements Iterator<byte[]> {
        private final Iterator<byte[]> first;
        private final Iterator<byte[]> rest;

        Rejoined(List<byte[]> first, Iterator<byte[]> rest) {
            this.first = first.iterator();
            this.rest = rest;
        }

        @Override
        public boolean hasNext() {
            return first.hasNext() || rest.hasNext();
        }

        @Override
        public byte[] next() {
            return first.hasNext() ? first.next() : rest.next();
        }
    }

    private static final class GzipPieces implements Iterator<byte[]> {
        private final Iterator<byte[]> plain;
        private final ByteArrayOutputStream out = new ByteArrayOutputStream(PIECE_BYTES);
        private final GZIPOutputStream gzip;
        private boolean done;

        GzipPieces(Iterator<byte[]> plain) {
            this.plain = plain;
            try {
                this.gzip = new FastGzip(out);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public boolean hasNext() {
            return !done;
        }

        @Override
        public byte[] next() {
            if (done) {
                throw new NoSuchElementException();
            }
            try {
                while (out.size() < PIECE_BYTES / 2 && plain.hasNext()) {
                    gzip.write(plain.next());
                }
                if (!plain.hasNext()) {
                    gzip.close();
                    done = true;
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            byte[] piece = out.toByteArray();
            out.reset();
            return piece;
        }
    }

    /** The JSON of a list, its items being the bytes that are stored. */
    private static final class ListPieces implements Iterator<byte[]> {
        private final Served served;
        private final Iterator<StoredObject> objects;
        private final byte[] typePrefix;
        private final byte[] end;
        private final ByteArrayOutputStream out = new ByteArrayOutputStream(1024);
        private boolean first = true;
        private boolean done;

        ListPieces(Served served, Storage.Listing listing, @Nullable String token) {
            this.served = served;
            this.objects = listing.objects();
            ApiResource resource = served.resource();
            String meta = new String(
                    Json.compact(listMeta(resource.custom(), listing.revision(), token, listing.remaining())),
                    StandardCharsets.UTF_8);
            String begin;
            if (resource.custom()) {
                typePrefix = new byte[0];
                begin = "{\"apiVersion\":\"" + resource.apiVersion() + "\",\"items\":[";
                end = utf8("],\"kind\":\"" + resource.kind() + "List\",\"metadata\":" + meta + "}\n");
            } else {
                typePrefix =
                        utf8("{\"kind\":\"" + resource.kind() + "\",\"apiVersion\":\"" + resource.apiVersion() + "\",");
                begin = "{\"kind\":\"" + resource.kind() + "List\",\"apiVersion\":\"" + resource.apiVersion()
                        + "\",\"metadata\":" + meta + ",\"items\":[";
                end = utf8("]}\n");
            }
            out.writeBytes(utf8(begin));
        }

        @Override
        public boolean hasNext() {
            return !done;
        }

        @Override
        public byte[] next() {
            if (done) {
                throw new NoSuchElementException();
            }
            while (out.size() < PIECE_BYTES && objects.hasNext()) {
                if (first) {
                    first = false;
                } else {
                    out.write(',');
                }
                write(objects.next());
            }
            if (!objects.hasNext()) {
                out.writeBytes(end);
                done = true;
            }
            byte[] piece = out.toByteArray();
            out.reset();
            return piece;
        }

        private void write(StoredObject object) {
            if (served.conversion() != null) {
                ObjectNode converted = tree(served, object);
                // Items of a custom resource's list say their type, those of built-in lists do not.
                out.writeBytes(Json.compact(served.resource().custom() ? converted : withoutType(converted)));
                return;
            }
            byte[] json = object.json();
            int skip = typePrefix.length;
            if (skip == 0) {
                out.writeBytes(json);
            } else if (json.length > skip && Arrays.equals(json, 0, skip, typePrefix, 0, skip)) {
                out.write('{');
                out.write(json, skip, json.length - skip);
            } else {
                out.writeBytes(Json.compact(withoutType(object.tree())));
            }
        }

        private static byte[] utf8(String text) {
            return text.getBytes(StandardCharsets.UTF_8);
        }
    }
}
