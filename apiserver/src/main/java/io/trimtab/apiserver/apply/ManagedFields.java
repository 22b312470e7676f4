package io.trimtab.apiserver.apply;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The entries of {@code metadata.managedFields}, by who they are of. Mutable; lives for one request. */
final class ManagedFields {
    // As many writers other than appliers as an object remembers by name.
    private static final int MAX_UPDATERS = 10;
    private static final String ANCIENT = "ancient-changes";
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /**
     * Who an entry is of. Appliers are the same whatever version they apply at.
     *
     * @param apiVersion empty for appliers
     */
    record Identity(String manager, boolean applies, String apiVersion, String subresource)
            implements Comparable<Identity> {

        private static final Comparator<Identity> ORDER = Comparator.comparing(Identity::manager)
                .thenComparing(Identity::applies, Comparator.reverseOrder())
                .thenComparing(Identity::apiVersion)
                .thenComparing(Identity::subresource);

        static Identity of(String manager, boolean applies, String apiVersion, String subresource) {
            return new Identity(
                    manager.isEmpty() ? "unknown" : manager, applies, applies ? "" : apiVersion, subresource);
        }

        /** As conflicts name it. */
        String shown() {
            return FieldErrors.quote(manager)
                    + (subresource.isEmpty() ? "" : " with subresource " + FieldErrors.quote(subresource))
                    + (applies ? "" : " using " + apiVersion);
        }

        @Override
        public int compareTo(Identity other) {
            return ORDER.compare(this, other);
        }
    }

    /** What an entry says. Reads its fields when they are asked for: most writes touch those of few managers. */
    static final class Entry {
        private final String apiVersion;
        private final @Nullable String time;
        // Of the two, one at least is there.
        private @Nullable FieldSet fields;
        private final @Nullable ObjectNode json;

        /** @param time null if it has none */
        Entry(FieldSet fields, String apiVersion, @Nullable String time) {
            this.apiVersion = apiVersion;
            this.time = time;
            this.fields = fields;
            this.json = null;
        }

        private Entry(ObjectNode json) {
            this.apiVersion = json.path("apiVersion").asText("");
            this.time = json.path("time").asText(null);
            this.json = json;
        }

        String apiVersion() {
            return apiVersion;
        }

        @Nullable
        String time() {
            return time;
        }

        FieldSet fields() {
            if (fields == null) {
                fields = FieldSet.fromFieldsV1(fieldsV1());
            }
            return fields;
        }

        private JsonNode fieldsV1() {
            JsonNode recorded = json == null ? null : json.get("fieldsV1");
            return recorded == null || recorded.isNull() ? NODES.objectNode() : recorded;
        }

        boolean isEmpty() {
            return fields == null ? fieldsV1().isEmpty() : fields.isEmpty();
        }

        /** Without the members of a set. */
        Entry without(FieldSet gone) {
            if (json != null && !gone.touches(fieldsV1())) {
                return this;
            }
            FieldSet rest = fields().difference(gone);
            return rest == fields ? this : new Entry(rest, apiVersion, time);
        }

        /** With the members of a set, at a new time. */
        Entry with(FieldSet gained, String version, String now) {
            if (json != null && apiVersion.equals(version) && gained.isWithin(fieldsV1())) {
                return new Entry(((ObjectNode) NODES.objectNode().setAll(json)).put("time", now));
            }
            return new Entry(gained.union(fields()), version, now);
        }
    }

    final Map<Identity, Entry> entries = new LinkedHashMap<>();

    /** Whether a client asks for the entries to be forgotten: an empty list, or one empty entry. */
    static boolean isReset(@Nullable JsonNode list) {
        return list != null
                && list.isArray()
                && (list.isEmpty() || list.size() == 1 && list.get(0).isEmpty());
    }

    /**
     * @param check false for what the server has written itself
     * @throws IllegalArgumentException if an entry is not valid
     */
    static ManagedFields read(@Nullable JsonNode list, boolean check) {
        ManagedFields result = new ManagedFields();
        if (list == null) {
            return result;
        }
        for (JsonNode entry : list) {
            String operation = entry.path("operation").asText();
            if (!operation.equals("Apply") && !operation.equals("Update")) {
                throw new IllegalArgumentException("operation must be `Apply` or `Update`");
            }
            String apiVersion = entry.path("apiVersion").asText("");
            if (apiVersion.isEmpty()) {
                throw new IllegalArgumentException("apiVersion must not be empty");
            }
            if (!entry.path("fieldsType").asText("").equals("FieldsV1")) {
                throw new IllegalArgumentException("missing or invalid fieldsType");
            }
            boolean applies = operation.equals("Apply");
            Identity identity = new Identity(
                    entry.path("manager").asText(""),
                    applies,
                    applies ? "" : apiVersion,
                    entry.path("subresource").asText(""));
            Entry read = new Entry((ObjectNode) entry);
            if (check) {
                read.fields();
            }
            result.entries.put(identity, read);
        }
        return result;
    }

    static ManagedFields readOrEmpty(@Nullable JsonNode list, boolean check) {
        try {
            return read(list, check);
        } catch (IllegalArgumentException e) {
            return new ManagedFields();
        }
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    /** Merges the oldest updaters into one per version until few enough are left. */
    void cap() {
        List<Identity> updaters = new ArrayList<>();
        entries.keySet().forEach(i -> {
            if (!i.applies()) {
                updaters.add(i);
            }
        });
        int count = updaters.size();
        if (count <= MAX_UPDATERS) {
            return;
        }
        updaters.sort(Comparator.comparing(this::time).thenComparing(Comparator.naturalOrder()));
        Map<String, Identity> first = new HashMap<>();
        for (Identity updater : updaters) {
            if (count <= MAX_UPDATERS) {
                return;
            }
            Entry entry = Objects.requireNonNull(entries.get(updater));
            String version = entry.apiVersion();
            Identity earlier = first.putIfAbsent(version, updater);
            if (earlier == null) {
                continue;
            }
            Identity bucket = new Identity(ANCIENT, false, version, "");
            if (!entries.containsKey(bucket)) {
                Entry moved = entries.remove(earlier);
                entries.put(bucket, new Entry(moved.fields(), version, moved.time()));
            }
            FieldSet all = entry.fields().union(entries.get(bucket).fields());
            entries.remove(updater);
            entries.put(bucket, new Entry(all, version, entry.time()));
            count--;
        }
    }

    private String time(Identity identity) {
        Entry entry = Objects.requireNonNull(entries.get(identity));
        return entry == null || entry.time() == null ? "" : entry.time();
    }

    /** The list in its order; null for none. */
    @Nullable
    ArrayNode write() {
        if (entries.isEmpty()) {
            return null;
        }
        List<Identity> order = new ArrayList<>(entries.keySet());
        order.sort(Comparator.comparing(Identity::applies, Comparator.reverseOrder())
                .thenComparing(this::time)
                .thenComparing(Identity::manager)
                .thenComparing(i -> Objects.requireNonNull(entries.get(i)).apiVersion())
                .thenComparing(Identity::subresource));
        ArrayNode list = JsonNodeFactory.instance.arrayNode(order.size());
        for (Identity identity : order) {
            Entry entry = Objects.requireNonNull(entries.get(identity));
            list.add(entry.json != null ? entry.json : write(identity, entry));
        }
        return list;
    }

    private static ObjectNode write(Identity identity, Entry entry) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        if (!identity.manager().isEmpty()) {
            json.put("manager", identity.manager());
        }
        json.put("operation", identity.applies() ? "Apply" : "Update").put("apiVersion", entry.apiVersion());
        if (entry.time() != null) {
            json.put("time", entry.time());
        }
        json.put("fieldsType", "FieldsV1").set("fieldsV1", entry.fields().toFieldsV1());
        if (!identity.subresource().isEmpty()) {
            json.put("subresource", identity.subresource());
        }
        return json;
    }
}
