package io.trimtab.standalone;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.node.Heartbeats;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Writes heartbeats into the stored bytes: a lease's {@code renewTime}, the {@code lastHeartbeatTime}s of a node's conditions, and
 * the time of the kubelet's entry in {@code managedFields}. Each is a commit of its own with a revision of its own, and watchers are
 * told of it, as after a request; admission and authorization are left out. Where the times stand in the bytes is looked up once,
 * and again when somebody else has written the object. Safe for use by any thread.
 */
final class DirectHeartbeats implements Heartbeats {
    private static final JsonFactory JSON = new JsonFactory();
    private static final String LEASE_NAMESPACE = "kube-node-lease";
    private static final String SECONDS = "2006-01-02T15:04:05Z";
    private static final String MICROS = "2006-01-02T15:04:05.000000Z";

    /** Nobody's fields are tracked: so it is with objects that were stored without. */
    private static final int UNTRACKED = -1;
    /** Fields are tracked, but not these of this manager: a request must say so first. */
    private static final int UNKNOWN = -2;

    private final DefaultStorage storage;
    private final ApiResource leases;
    private final ApiResource nodes;
    private final Map<String, Places> leasePlaces = new ConcurrentHashMap<>();
    private final Map<String, Places> nodePlaces = new ConcurrentHashMap<>();

    /** The last text that was made of a moment: a wheel of nodes asks for the same again and again. */
    private volatile Texts texts = Texts.of(Instant.EPOCH);

    private record Texts(Instant moment, byte[] seconds, byte[] micros) {
        static Texts of(Instant moment) {
            String whole = moment.truncatedTo(ChronoUnit.SECONDS).toString();
            int micros = moment.getNano() / 1000;
            StringBuilder digits = new StringBuilder(Integer.toString(1_000_000 + micros)).deleteCharAt(0);
            String fraction = whole.substring(0, whole.length() - 1) + "." + digits + "Z";
            return new Texts(
                    moment,
                    whole.getBytes(StandardCharsets.ISO_8859_1),
                    fraction.getBytes(StandardCharsets.ISO_8859_1));
        }
    }

    /**
     * Where times stand in an object's JSON.
     *
     * @param revision of the object that was looked at
     * @param length of its JSON: a revision with more digits moves them
     */
    private record Places(long revision, int length, int[] seconds, int[] micros) {
        Places at(StoredObject now) {
            int moved = now.json().length - length;
            return new Places(now.revision(), now.json().length, moved(seconds, moved), moved(micros, moved));
        }

        private static int[] moved(int[] places, int by) {
            if (by == 0) {
                return places;
            }
            int[] moved = places.clone();
            for (int i = 0; i < moved.length; i++) {
                moved[i] += by;
            }
            return moved;
        }
    }

    DirectHeartbeats(DefaultStorage storage, ResourceRegistry resources) {
        this.storage = storage;
        this.leases = stored(resources, "coordination.k8s.io", "leases");
        this.nodes = stored(resources, "", "nodes");
    }

    private static ApiResource stored(ResourceRegistry resources, String group, String plural) {
        Served served = Objects.requireNonNull(resources.find(group, "v1", plural));
        return served.storage();
    }

    @Override
    public boolean renew(String node, Instant now) {
        Optional<StoredObject> lease = storage.get(leases, LEASE_NAMESPACE, node);
        return lease.isPresent() && write(leases, lease.get(), leasePlaces, node, now, true);
    }

    @Override
    public boolean confirm(String node, Instant now) {
        Optional<StoredObject> object = storage.get(nodes, "", node);
        return object.isPresent() && write(nodes, object.get(), nodePlaces, node, now, false);
    }

    private boolean write(
            ApiResource resource,
            StoredObject object,
            Map<String, Places> known,
            String node,
            Instant now,
            boolean lease) {
        Places places = known.get(node);
        if (places == null || places.revision() != object.revision()) {
            places = lease ? inLease(object, node) : inNode(object);
            if (places == null) {
                return false;
            }
        }
        Texts text = texts;
        if (!text.moment().equals(now)) {
            text = Texts.of(now);
            texts = text;
        }
        byte[] json = object.json().clone();
        for (int place : places.seconds()) {
            System.arraycopy(text.seconds(), 0, json, place, text.seconds().length);
        }
        for (int place : places.micros()) {
            System.arraycopy(text.micros(), 0, json, place, text.micros().length);
        }
        Optional<StoredObject> written = storage.rewrite(resource, object, json);
        if (written.isEmpty()) {
            return false;
        }
        known.put(node, places.at(written.get()));
        return true;
    }

    // ---- where times stand

    /** Null unless the lease is the node's, has its owner, and was renewed before. */
    private static @Nullable Places inLease(StoredObject lease, String node) {
        List<Integer> micros = new ArrayList<>();
        int[] managed = {UNTRACKED};
        boolean[] right = new boolean[2];
        walk(
                lease,
                (path, value, at) -> {
                    switch (path) {
                        case "spec.renewTime" -> {
                            if (value.length() == MICROS.length()) {
                                micros.add(at);
                            }
                        }
                        case "spec.holderIdentity" -> right[0] = value.equals(node);
                        case "metadata.ownerReferences[].uid" -> right[1] = true;
                        default -> {}
                    }
                },
                managed,
                "");
        return micros.size() == 1 && managed[0] != UNKNOWN && right[0] && right[1]
                ? places(lease, managed[0] == UNTRACKED ? List.of() : List.of(managed[0]), micros)
                : null;
    }

    /** Null unless the node is ready, and its kubelet has confirmed its conditions before. */
    private static @Nullable Places inNode(StoredObject node) {
        List<Integer> seconds = new ArrayList<>();
        int[] managed = {UNTRACKED};
        boolean[] ready = new boolean[1];
        String[] type = {""};
        String[] status = {""};
        int[] beat = {-1};
        walk(
                node,
                (path, value, at) -> {
                    switch (path) {
                        // The fields of a condition stand in this order.
                        case "status.conditions[].type" -> type[0] = value;
                        case "status.conditions[].status" -> status[0] = value;
                        case "status.conditions[].lastHeartbeatTime" ->
                            beat[0] = value.length() == SECONDS.length() ? at : -1;
                        case "status.conditions[].reason" -> {
                            if (beat[0] >= 0 && isKubelets(type[0]) && !status[0].equals("Unknown")) {
                                seconds.add(beat[0]);
                            }
                            ready[0] |= type[0].equals("Ready") && status[0].equals("True");
                            beat[0] = -1;
                        }
                        default -> {}
                    }
                },
                managed,
                "status");
        if (!ready[0] || managed[0] == UNKNOWN || seconds.size() != 4) {
            return null;
        }
        if (managed[0] != UNTRACKED) {
            seconds.add(managed[0]);
        }
        return places(node, seconds, List.of());
    }

    private static boolean isKubelets(String condition) {
        return switch (condition) {
            case "MemoryPressure", "DiskPressure", "PIDPressure", "Ready" -> true;
            default -> false;
        };
    }

    private static Places places(StoredObject object, List<Integer> seconds, List<Integer> micros) {
        return new Places(
                object.revision(),
                object.json().length,
                seconds.stream().mapToInt(Integer::intValue).toArray(),
                micros.stream().mapToInt(Integer::intValue).toArray());
    }

    private interface Visitor {
        void text(String path, String value, int at);
    }

    /**
     * Tells of all texts with their places.
     *
     * @param managed is set to where the time of the kubelet's entry of this subresource stands
     */
    private static void walk(StoredObject object, Visitor visitor, int[] managed, String subresource) {
        byte[] json = object.json();
        try (JsonParser parser = JSON.createParser(json)) {
            parser.nextToken();
            object(parser, "", visitor, managed, subresource);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void object(JsonParser parser, String path, Visitor visitor, int[] managed, String subresource)
            throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            String inner = path.isEmpty() ? name : path + "." + name;
            parser.nextToken();
            if (inner.equals("metadata.managedFields")) {
                managers(parser, managed, subresource);
            } else {
                value(parser, inner, visitor, managed, subresource);
            }
        }
    }

    private static void value(JsonParser parser, String path, Visitor visitor, int[] managed, String subresource)
            throws IOException {
        switch (parser.currentToken()) {
            case START_OBJECT -> object(parser, path, visitor, managed, subresource);
            case START_ARRAY -> {
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    value(parser, path + "[]", visitor, managed, subresource);
                }
            }
            case VALUE_STRING ->
                visitor.text(
                        path,
                        parser.getText(),
                        (int) parser.currentTokenLocation().getByteOffset() + 1);
            default -> {}
        }
    }

    private static void managers(JsonParser parser, int[] managed, String subresource) throws IOException {
        managed[0] = UNKNOWN;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            String manager = "";
            String operation = "";
            String of = "";
            int time = UNKNOWN;
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String field = parser.currentName();
                parser.nextToken();
                switch (field) {
                    case "manager" -> manager = parser.getText();
                    case "operation" -> operation = parser.getText();
                    case "subresource" -> of = parser.getText();
                    case "time" ->
                        time = parser.getText().length() == SECONDS.length()
                                ? (int) parser.currentTokenLocation().getByteOffset() + 1
                                : UNKNOWN;
                    default -> parser.skipChildren();
                }
            }
            if (manager.equals("kubelet") && operation.equals("Update") && of.equals(subresource)) {
                managed[0] = time;
            }
        }
    }
}
