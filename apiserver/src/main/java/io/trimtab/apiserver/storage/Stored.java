package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Bytes with a place in them where the revision stands, and the header. Immutable but for what is made when first asked for:
 * threads that race there make equal things.
 */
final class Stored implements StoredObject {
    /** The member's name, and all but the last character of the time. */
    private static final int TIME_LOOK_BACK = "\"time\":\"2006-01-02T15:04:05".length();

    private static final byte[] NO_DIGITS = new byte[0];

    private final String key;
    private final String namespace;
    private final String name;
    private final String uid;
    private final long revision;
    private final Map<String, String> labels;

    /** JSON in which the {@code digits} bytes at {@code digitsAt} are some revision: this one's if {@code json} is set. */
    private final byte[] source;

    private final int digitsAt;
    private final int digits;

    private volatile byte @Nullable [] json;
    /**
     * Weak: most trees are asked for while the write that made them goes round, and never again; trees take ten times the room of
     * bytes, and soft ones would stay until the heap has reached its limit.
     */
    private volatile @Nullable WeakReference<ObjectNode> tree;

    private volatile @Nullable Map<String, String> fields;

    private Stored(
            String key,
            String namespace,
            String name,
            String uid,
            long revision,
            Map<String, String> labels,
            byte[] source,
            int digitsAt,
            int digits) {
        this.key = key;
        this.namespace = namespace;
        this.name = name;
        this.uid = uid;
        this.revision = revision;
        this.labels = labels;
        this.source = source;
        this.digitsAt = digitsAt;
        this.digits = digits;
        if (isAt(source, digitsAt, digits, revision)) {
            this.json = source;
        }
    }

    static Stored of(
            String key,
            String namespace,
            String name,
            String uid,
            long revision,
            Map<String, String> labels,
            byte[] source,
            int digitsAt,
            int digits) {
        return new Stored(key, namespace, name, uid, revision, labels, source, digitsAt, digits);
    }

    /** The same object with another revision, as in the last event of a deleted one. */
    Stored withRevision(long other) {
        return new Stored(key, namespace, name, uid, other, labels, source, digitsAt, digits);
    }

    /** The object after other values of equal length were written into its JSON, behind the revision. */
    Stored rewritten(byte[] now, long other) {
        byte[] spliced = spliced(now, digitsAt, digits, other);
        return new Stored(
                key,
                namespace,
                name,
                uid,
                other,
                labels,
                spliced,
                digitsAt,
                Long.toString(other).length());
    }

    /** Whether JSON is as long as this object's, and the same up to the end of the revision. */
    boolean beginsLike(byte[] now) {
        byte[] mine = json();
        int end = digitsAt + digits;
        return now.length == mine.length && Arrays.equals(mine, 0, end, now, 0, end);
    }

    /** The same object with equal labels, shared with another revision's. */
    Stored withLabels(Map<String, String> same) {
        Stored shared = new Stored(key, namespace, name, uid, revision, same, source, digitsAt, digits);
        shared.json = json;
        shared.tree = tree;
        shared.fields = fields;
        return shared;
    }

    @Override
    public String key() {
        return key;
    }

    @Override
    public String namespace() {
        return namespace;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String uid() {
        return uid;
    }

    @Override
    public long revision() {
        return revision;
    }

    @Override
    public Map<String, String> labels() {
        return labels;
    }

    @Override
    public byte[] json() {
        byte[] bytes = json;
        if (bytes == null) {
            bytes = spliced(source, digitsAt, digits, revision);
            json = bytes;
        }
        return bytes;
    }

    @Override
    public ObjectNode tree() {
        WeakReference<ObjectNode> reference = tree;
        ObjectNode node = reference == null ? null : reference.get();
        if (node == null) {
            node = ObjectCodec.parse(json());
            tree = new WeakReference<>(node);
        }
        return node;
    }

    /**
     * Spares the next reader the parsing.
     *
     * @param same what {@link #tree} would parse; not changed any more
     */
    void keepTree(ObjectNode same) {
        tree = new WeakReference<>(same);
    }

    /** The value of a field that selectors name; kept, because each watcher that selects by it asks again. */
    String field(String field, Map<String, Function<JsonNode, String>> selectable) {
        if (field.equals("metadata.name")) {
            return name;
        }
        if (field.equals("metadata.namespace")) {
            return namespace;
        }
        Map<String, String> known = fields;
        String value = known == null ? null : known.get(field);
        if (value == null) {
            Function<JsonNode, String> function = selectable.get(field);
            @Nullable String found = function == null ? null : function.apply(tree());
            value = found == null ? "" : found;
            Map<String, String> more = known == null ? new HashMap<>(2) : new HashMap<>(known);
            more.put(field, value);
            fields = more;
        }
        return value;
    }

    /** True if the two differ in nothing but their revisions. */
    boolean sameContent(Stored other) {
        return Arrays.equals(source, 0, digitsAt, other.source, 0, other.digitsAt)
                && Arrays.equals(
                        source,
                        digitsAt + digits,
                        source.length,
                        other.source,
                        other.digitsAt + other.digits,
                        other.source.length);
    }

    /** True if the first byte that differs is part of a time of {@code managedFields}, as it seems. */
    boolean differsFirstInTime(Stored other) {
        int at = Arrays.mismatch(source, 0, digitsAt, other.source, 0, other.digitsAt);
        if (at < 0) {
            at = Arrays.mismatch(
                    source,
                    digitsAt + digits,
                    source.length,
                    other.source,
                    other.digitsAt + other.digits,
                    other.source.length);
            at = at < 0 ? at : at + digitsAt + digits;
        }
        if (at < TIME_LOOK_BACK) {
            return false;
        }
        return new String(source, at - TIME_LOOK_BACK, TIME_LOOK_BACK, StandardCharsets.ISO_8859_1)
                .contains("\"time\":\"");
    }

    /** The length of the JSON without the revision's digits. */
    int contentLength() {
        return source.length - digits;
    }

    /** JSON with another revision; without digits for revision 0, which stands for one that is not known yet. */
    static byte[] spliced(byte[] source, int at, int length, long revision) {
        byte[] number = revision == 0 ? NO_DIGITS : Long.toString(revision).getBytes(StandardCharsets.ISO_8859_1);
        byte[] result = new byte[source.length - length + number.length];
        System.arraycopy(source, 0, result, 0, at);
        System.arraycopy(number, 0, result, at, number.length);
        System.arraycopy(source, at + length, result, at + number.length, source.length - at - length);
        return result;
    }

    private static boolean isAt(byte[] source, int at, int length, long revision) {
        if (length == 0) {
            return false;
        }
        long found = 0;
        for (int i = at; i < at + length; i++) {
            int digit = source[i] - '0';
            if (digit < 0 || digit > 9) {
                return false;
            }
            found = found * 10 + digit;
        }
        return found == revision;
    }

    @Override
    public String toString() {
        return key + "@" + revision;
    }
}
