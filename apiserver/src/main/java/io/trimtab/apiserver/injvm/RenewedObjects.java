package io.trimtab.apiserver.injvm;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.NodeStatus;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PartialObjectMetadata;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.trimtab.apiserver.storage.StoredObject;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads leases and nodes that a heartbeat has renewed: most of what a large cluster writes differs from what was there before in
 * its times alone. Then the new object is the old one with other times, and shares all the rest with it; that takes a tenth of what
 * reading it takes. The same for the metadata of any object of which only other parts have changed. What differs in anything else is
 * not read here. Safe for use by any thread.
 */
abstract class RenewedObjects<T extends HasMetadata> {
    /** One for each node of the largest clusters, twice; they are small. */
    private static final int KNOWN = 20_000;

    private static final byte[] SPEC = ascii("},\"spec\":{");
    static final byte[] MANAGED = ascii("\"managedFields\":[");
    static final byte[] REVISION = ascii("\"resourceVersion\":\"");
    private static final byte[] HEARTBEAT = ascii("\"lastHeartbeatTime\":\"");
    private static final int LONGEST_VALUE = 40;

    /**
     * @param spec where the specification begins; negative if that is not known
     * @param managed where managedFields begin; negative if there are none
     */
    record Known<T>(byte[] json, T object, int spec, int managed, int revision) {}

    private final Map<String, Known<T>> known = new ConcurrentHashMap<>();

    private final String timeField;

    private RenewedObjects(String timeField) {
        this.timeField = timeField;
    }

    /** Null for types that no heartbeat renews. */
    @SuppressWarnings("unchecked") // each reads its own type
    static <T extends HasMetadata> @Nullable RenewedObjects<T> of(Class<T> type) {
        if (type == Lease.class) {
            return (RenewedObjects<T>) new Leases();
        }
        if (type == PartialObjectMetadata.class) {
            return (RenewedObjects<T>) new Metadata();
        }
        return type == Node.class ? (RenewedObjects<T>) new Nodes() : null;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** The object, if it is the newest that was kept under its key; null for others. */
    @Nullable
    T newest(StoredObject stored) {
        Known<T> before = known.get(stored.key());
        return before != null && before.json() == stored.json() ? before.object() : null;
    }

    /** Who reads older revisions later than others must not put them in the place of newer ones for long: the next one does. */
    void keep(StoredObject stored, T object) {
        byte[] json = stored.json();
        Known<T> before = known.get(stored.key());
        if (before != null && before.object() == object) {
            return;
        }
        if (before == null && known.size() >= KNOWN) {
            known.clear(); // all are read as a whole once
        }
        // What is as long as before mostly has everything where it was before.
        Known<T> same = before != null && before.json().length == json.length ? before : null;
        known.put(
                stored.key(),
                new Known<>(
                        json,
                        object,
                        place(json, SPEC, same == null ? -1 : same.spec()),
                        place(json, MANAGED, same == null ? -1 : same.managed()),
                        place(json, REVISION, same == null ? -1 : same.revision())));
    }

    /** Deleted objects are not kept: with their bytes they would take memory for ever. */
    void forget(StoredObject stored) {
        known.remove(stored.key());
    }

    /** Where something stands that stood at a place before. */
    static int place(byte[] json, byte[] what, int before) {
        return before >= 0 && Arrays.equals(json, before, before + what.length, what, 0, what.length)
                ? before
                : indexOf(json, what, 0);
    }

    @Nullable
    Known<T> before(StoredObject stored) {
        return known.get(stored.key());
    }

    /** The object; null if it must be read as a whole. */
    @Nullable
    T read(StoredObject stored) {
        Known<T> before = before(stored);
        byte[] json = stored.json();
        if (before == null || before.json().length != json.length) {
            return null;
        }
        byte[] old = before.json();
        int spec = before.spec();
        if (spec < 0) {
            return null;
        }
        int at = Arrays.mismatch(old, json);
        while (at >= 0) {
            int end = differingValue(before, json, at);
            if (end < 0) {
                return null;
            }
            int next = Arrays.mismatch(old, end, old.length, json, end, json.length);
            at = next < 0 ? -1 : end + next;
        }
        ObjectMeta metadata = metadata(before.object().getMetadata(), Long.toString(stored.revision()));
        return metadata == null ? null : renewed(before.object(), metadata, json, spec);
    }

    /** Where the text ends in which both differ at a place; negative if it is none that a heartbeat renews. */
    private int differingValue(Known<T> before, byte[] json, int at) {
        int quote = at - 1;
        while (quote > at - LONGEST_VALUE && quote > 3 && isOfTime(json[quote])) {
            quote--;
        }
        if (json[quote] != '"' || json[quote - 1] != ':' || json[quote - 2] != '"') {
            return -1;
        }
        int name = quote - 3;
        while (name > 0 && json[name] != '"') {
            name--;
        }
        String field = new String(json, name + 1, quote - 3 - name, StandardCharsets.ISO_8859_1);
        boolean right =
                switch (field) {
                    case "resourceVersion" -> name == before.revision();
                    case "time" -> before.managed() >= 0 && at > before.managed() && at < before.spec();
                    default -> field.equals(timeField) && at > before.spec();
                };
        if (!right) {
            return -1;
        }
        int end = quote + 1;
        while (end < json.length && isOfTime(json[end])) {
            end++;
        }
        return end < json.length && json[end] == '"' && before.json()[end] == '"' ? end : -1;
    }

    private static boolean isOfTime(byte c) {
        return c >= '0' && c <= '9' || c == '-' || c == ':' || c == '.' || c == 'T' || c == 'Z';
    }

    static int indexOf(byte[] json, byte[] what, int from) {
        for (int i = from; i <= json.length - what.length; i++) {
            if (json[i] == what[0] && Arrays.equals(json, i, i + what.length, what, 0, what.length)) {
                return i;
            }
        }
        return -1;
    }

    static @Nullable ObjectMeta metadata(ObjectMeta old, String revision) {
        return old.getAdditionalProperties().isEmpty()
                ? new ObjectMeta(
                        old.getAnnotations(),
                        old.getCreationTimestamp(),
                        old.getDeletionGracePeriodSeconds(),
                        old.getDeletionTimestamp(),
                        old.getFinalizers(),
                        old.getGenerateName(),
                        old.getGeneration(),
                        old.getLabels(),
                        old.getManagedFields(),
                        old.getName(),
                        old.getNamespace(),
                        old.getOwnerReferences(),
                        revision,
                        old.getSelfLink(),
                        old.getUid())
                : null;
    }

    abstract @Nullable T renewed(T old, ObjectMeta metadata, byte[] json, int spec);

    /** Who reads metadata only sees nothing of most changes but the revision. */
    private static final class Metadata extends RenewedObjects<PartialObjectMetadata> {
        Metadata() {
            super("");
        }

        @Override
        @Nullable
        PartialObjectMetadata read(StoredObject stored) {
            Known<PartialObjectMetadata> before = before(stored);
            if (before == null) {
                return null;
            }
            byte[] old = before.json();
            byte[] json = stored.json();
            // Behind the revision come the fields that users write, and at last managedFields, which this type has not.
            int revision = before.revision();
            int managed = old.length == json.length && before.managed() >= 0
                    ? place(json, MANAGED, before.managed())
                    : indexOf(json, MANAGED, 0);
            int start = revision + REVISION.length;
            if (revision < 0
                    || managed < start
                    || old.length < start
                    || !Arrays.equals(old, 0, start, json, 0, start)) {
                return null;
            }
            int oldManaged = before.managed();
            int end = endOfValue(json, start);
            int oldEnd = endOfValue(old, start);
            if (oldManaged < 0 || !Arrays.equals(old, oldEnd, oldManaged, json, end, managed)) {
                return null;
            }
            ObjectMeta metadata = metadata(before.object().getMetadata(), Long.toString(stored.revision()));
            if (metadata == null) {
                return null;
            }
            PartialObjectMetadata renewed = new PartialObjectMetadata();
            renewed.setApiVersion(before.object().getApiVersion());
            renewed.setKind(before.object().getKind());
            renewed.setMetadata(metadata);
            return renewed;
        }

        private static int endOfValue(byte[] json, int at) {
            int end = at;
            while (end < json.length && json[end] != '"') {
                end++;
            }
            return end;
        }

        @Override
        PartialObjectMetadata renewed(PartialObjectMetadata old, ObjectMeta metadata, byte[] json, int spec) {
            throw new IllegalStateException("read otherwise");
        }
    }

    private static final class Leases extends RenewedObjects<Lease> {
        private static final byte[] RENEWED = ascii("\"renewTime\":\"");
        private static final int LENGTH = "2006-01-02T15:04:05.000000Z".length();

        Leases() {
            super("renewTime");
        }

        @Override
        @Nullable
        Lease renewed(Lease old, ObjectMeta metadata, byte[] json, int spec) {
            LeaseSpec before = old.getSpec();
            int at = indexOf(json, RENEWED, spec) + RENEWED.length;
            if (before == null
                    || before.getRenewTime() == null
                    || at < RENEWED.length
                    || at + LENGTH >= json.length
                    || json[at + LENGTH] != '"'
                    || !before.getAdditionalProperties().isEmpty()
                    || !old.getAdditionalProperties().isEmpty()) {
                return null;
            }
            LocalDateTime time = LocalDateTime.of(
                    number(json, at, 4),
                    number(json, at + 5, 2),
                    number(json, at + 8, 2),
                    number(json, at + 11, 2),
                    number(json, at + 14, 2),
                    number(json, at + 17, 2),
                    number(json, at + 20, 6) * 1000);
            return new Lease(
                    old.getApiVersion(),
                    old.getKind(),
                    metadata,
                    new LeaseSpec(
                            before.getAcquireTime(),
                            before.getHolderIdentity(),
                            before.getLeaseDurationSeconds(),
                            before.getLeaseTransitions(),
                            before.getPreferredHolder(),
                            ZonedDateTime.of(time, before.getRenewTime().getZone()),
                            before.getStrategy()));
        }

        private static int number(byte[] json, int at, int digits) {
            int number = 0;
            for (int i = at; i < at + digits; i++) {
                number = number * 10 + json[i] - '0';
            }
            return number;
        }
    }

    private static final class Nodes extends RenewedObjects<Node> {
        Nodes() {
            super("lastHeartbeatTime");
        }

        @Override
        @Nullable
        Node renewed(Node old, ObjectMeta metadata, byte[] json, int spec) {
            NodeStatus before = old.getStatus();
            if (before == null
                    || !before.getAdditionalProperties().isEmpty()
                    || !old.getAdditionalProperties().isEmpty()) {
                return null;
            }
            List<NodeCondition> conditions =
                    new ArrayList<>(before.getConditions().size());
            int at = spec;
            for (NodeCondition condition : before.getConditions()) {
                if (condition.getLastHeartbeatTime() == null) {
                    conditions.add(condition);
                    continue;
                }
                at = indexOf(json, HEARTBEAT, at) + HEARTBEAT.length;
                if (at < HEARTBEAT.length
                        || !condition.getAdditionalProperties().isEmpty()) {
                    return null;
                }
                int end = at;
                while (isOfTime(json[end])) {
                    end++;
                }
                conditions.add(new NodeCondition(
                        new String(json, at, end - at, StandardCharsets.ISO_8859_1),
                        condition.getLastTransitionTime(),
                        condition.getMessage(),
                        condition.getReason(),
                        condition.getStatus(),
                        condition.getType()));
            }
            return new Node(
                    old.getApiVersion(),
                    old.getKind(),
                    metadata,
                    old.getSpec(),
                    new NodeStatus(
                            before.getAddresses(),
                            before.getAllocatable(),
                            before.getCapacity(),
                            conditions,
                            before.getConfig(),
                            before.getDaemonEndpoints(),
                            before.getDeclaredFeatures(),
                            before.getFeatures(),
                            before.getImages(),
                            before.getNodeInfo(),
                            before.getPhase(),
                            before.getRuntimeHandlers(),
                            before.getVolumesAttached(),
                            before.getVolumesInUse()));
        }
    }
}
