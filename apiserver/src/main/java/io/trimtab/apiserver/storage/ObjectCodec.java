package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.trimtab.apiserver.protobuf.ProtobufBodies;
import io.trimtab.apiserver.protobuf.ProtobufEncoder;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.schema.CompactJson;
import io.trimtab.apiserver.schema.StoredJson;
import io.trimtab.apiserver.store.Store;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Between trees, bytes and {@link Stored}. Stateless. */
final class ObjectCodec {
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(Integer.MAX_VALUE)
                            .maxNestingDepth(10_000)
                            .build())
                    .build())
            .build();

    private static final JsonFactory FACTORY = MAPPER.getFactory();

    /** What comes before resourceVersion in Kubernetes' ObjectMeta; custom resources have their fields sorted instead. */
    private static final Set<String> BEFORE_REVISION = Set.of("name", "generateName", "namespace", "selfLink", "uid");

    private ObjectCodec() {}

    /**
     * JSON with an empty resourceVersion, and where its digits belong.
     *
     * @param same whether reading the JSON gives the tree that it was made of
     */
    record Encoded(
            byte[] json,
            int digitsAt,
            String namespace,
            String name,
            String uid,
            Map<String, String> labels,
            boolean same) {
        Stored at(String key, long revision) {
            return Stored.of(
                    key,
                    namespace,
                    name,
                    uid,
                    revision,
                    labels,
                    Stored.spliced(json, digitsAt, 0, revision),
                    digitsAt,
                    revision == 0 ? 0 : Long.toString(revision).length());
        }

        /** For comparing contents; has no revision yet. */
        Stored unwritten(String key) {
            return Stored.of(key, namespace, name, uid, 0, labels, json, digitsAt, 0);
        }
    }

    /** The tree that reading the JSON would give, made from the one that was written, of which it shares the most part. */
    static ObjectNode atRevision(ApiResource resource, ObjectNode object, long revision) {
        if (!(object.get("metadata") instanceof ObjectNode old)) {
            throw new IllegalArgumentException("an object without metadata cannot be stored");
        }
        boolean sorted = resource.custom();
        TextNode number = TextNode.valueOf(Long.toString(revision));
        ObjectNode metadata = JsonNodeFactory.instance.objectNode();
        for (Iterator<Map.Entry<String, JsonNode>> fields = old.fields(); fields.hasNext(); ) {
            Map.Entry<String, JsonNode> field = fields.next();
            if (!field.getKey().equals("resourceVersion")) {
                if (!metadata.has("resourceVersion") && !isBeforeRevision(sorted, field.getKey())) {
                    metadata.set("resourceVersion", number);
                }
                metadata.set(field.getKey(), field.getValue());
            }
        }
        if (!metadata.has("resourceVersion")) {
            metadata.set("resourceVersion", number);
        }
        ObjectNode tree = JsonNodeFactory.instance.objectNode();
        tree.setAll(object);
        tree.set("metadata", metadata);
        return tree;
    }

    private static boolean isBeforeRevision(boolean sorted, String field) {
        return sorted ? field.compareTo("resourceVersion") < 0 : BEFORE_REVISION.contains(field);
    }

    static ObjectNode parse(byte[] json) {
        ObjectNode known = StoredJson.object(json);
        if (known != null) {
            return known;
        }
        try {
            return (ObjectNode) MAPPER.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Encoded encode(ApiResource resource, ObjectNode object) {
        return encode(resource.custom(), object, 2048);
    }

    /** @param expected how many bytes it may become */
    static Encoded encode(ApiResource resource, ObjectNode object, int expected) {
        return encode(resource.custom(), object, expected);
    }

    private static Encoded encode(boolean sorted, ObjectNode object, int expected) {
        CompactJson json = new CompactJson(expected);
        Place place = new Place();
        boolean same = true;
        char before = '{';
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            json.ascii(before);
            before = ',';
            json.name(field.getKey());
            same &= field.getKey().equals("metadata") && field.getValue() instanceof ObjectNode metadata
                    ? writeMetadata(sorted, metadata, json, place)
                    : json.value(field.getValue());
        }
        json.ascii('}');
        if (place.digitsAt < 0) {
            throw new IllegalArgumentException("an object without metadata cannot be stored");
        }
        JsonNode metadata = object.path("metadata");
        return new Encoded(
                json.toBytes(),
                place.digitsAt,
                Labels.share(metadata.path("namespace").asText("")),
                metadata.path("name").asText(""),
                metadata.path("uid").asText(""),
                labels(metadata.path("labels")),
                same);
    }

    /** Where the revision's digits belong. */
    private static final class Place {
        int digitsAt = -1;
    }

    private static boolean writeMetadata(boolean sorted, ObjectNode metadata, CompactJson json, Place place) {
        boolean same = true;
        char before = '{';
        for (Map.Entry<String, JsonNode> field : metadata.properties()) {
            String name = field.getKey();
            if (name.equals("resourceVersion")) {
                continue;
            }
            if (place.digitsAt < 0 && !isBeforeRevision(sorted, name)) {
                writeEmptyRevision(before, json, place);
                before = ',';
            }
            json.ascii(before);
            before = ',';
            json.name(name);
            same &= json.value(field.getValue());
        }
        if (place.digitsAt < 0) {
            writeEmptyRevision(before, json, place);
        }
        json.ascii('}');
        return same;
    }

    private static void writeEmptyRevision(char before, CompactJson json, Place place) {
        json.ascii(before);
        json.name("resourceVersion");
        json.string("");
        place.digitsAt = json.length() - 1;
    }

    private static Map<String, String> labels(JsonNode labels) {
        if (labels.isEmpty() || !labels.isObject()) {
            return Labels.NONE;
        }
        String[] pairs = new String[labels.size() * 2];
        int i = 0;
        for (Iterator<Map.Entry<String, JsonNode>> fields = labels.fields(); fields.hasNext(); ) {
            Map.Entry<String, JsonNode> field = fields.next();
            pairs[i++] = field.getKey();
            pairs[i++] = field.getValue().asText();
        }
        return Labels.of(pairs);
    }

    /** Reads the header of what a store holds. */
    static Stored decode(ApiResource resource, Store.Entry entry) {
        return decode(entry);
    }

    /**
     * What a store holds that other programs write to as well, as JSON with its revision.
     *
     * @param stored JSON or protobuf; anything else is given back as it is
     */
    static byte[] fromForeign(String key, byte[] stored, long revision) {
        if (ProtobufBodies.isProtobuf(stored)) {
            return encode(false, StoredForms.ours(ProtobufBodies.read(stored, "", "")), stored.length * 2)
                    .at(key, revision)
                    .json();
        }
        if (stored.length == 0 || stored[0] != '{') {
            return stored;
        }
        return decode(new Store.Entry(key, stored, revision, revision)).json();
    }

    private static Stored decode(Store.Entry entry) {
        byte[] value = entry.value();
        if (ProtobufBodies.isProtobuf(value)) {
            return encode(false, StoredForms.ours(ProtobufBodies.read(value, "", "")), value.length * 2)
                    .at(entry.key(), entry.revision());
        }
        String namespace = "";
        String name = "";
        String uid = "";
        Map<String, String> labels = Labels.NONE;
        int digitsAt = -1;
        int digits = 0;
        try (JsonParser json = FACTORY.createParser(value)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean metadata = json.currentName().equals("metadata");
                JsonToken token = json.nextToken();
                if (!metadata || token != JsonToken.START_OBJECT) {
                    json.skipChildren();
                    continue;
                }
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String field = json.currentName();
                    json.nextToken();
                    switch (field) {
                        case "namespace" -> namespace = Labels.share(json.getText());
                        case "name" -> name = json.getText();
                        case "uid" -> uid = json.getText();
                        case "labels" -> labels = labels(json);
                        case "resourceVersion" -> {
                            digitsAt = (int) json.currentTokenLocation().getByteOffset() + 1;
                            digits = json.getText().length();
                        }
                        default -> json.skipChildren();
                    }
                }
                break;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the value of " + entry.key() + " is not JSON", e);
        }
        if (digitsAt < 0) {
            // Written by another program, which kept the revision out of the value, as Kubernetes itself does.
            ObjectNode object = StoredForms.ours(parse(value));
            boolean custom = !ProtobufEncoder.knows(
                    object.path("apiVersion").asText(""), object.path("kind").asText(""));
            return encode(custom, object, value.length + 128).at(entry.key(), entry.revision());
        }
        return Stored.of(entry.key(), namespace, name, uid, entry.revision(), labels, value, digitsAt, digits);
    }

    private static Map<String, String> labels(JsonParser json) throws IOException {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            json.skipChildren();
            return Labels.NONE;
        }
        List<String> pairs = new ArrayList<>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            pairs.add(json.currentName());
            json.nextToken();
            pairs.add(json.getText());
        }
        return Labels.of(pairs.toArray(String[]::new));
    }

    /** True if the two differ at most in the times of managedFields: Kubernetes does not store such a change. */
    static boolean sameButManagedTimes(Stored a, Encoded b) {
        // The times all have one length, and so have the objects then.
        if (a.contentLength() != b.json().length || !a.differsFirstInTime(b.unwritten(a.key()))) {
            return false;
        }
        ObjectNode x = a.tree();
        if (!x.path("metadata").has("managedFields")) {
            return false;
        }
        return withoutTimes(x.deepCopy()).equals(withoutTimes(parse(b.json())));
    }

    private static ObjectNode withoutTimes(ObjectNode object) {
        ObjectNode metadata = (ObjectNode) object.get("metadata");
        metadata.remove("resourceVersion");
        for (JsonNode manager : metadata.path("managedFields")) {
            ((ObjectNode) manager).remove("time");
        }
        return object;
    }
}
