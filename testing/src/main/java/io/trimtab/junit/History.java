package io.trimtab.junit;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.simulate.Fields;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What has happened in a cluster, and why: each write knows the reconcile that made it, each reconcile the event that woke it,
 * each event the write that it tells of. Complete for the programs under test; of everybody else it knows writes and reconciles.
 * The same seed gives the same history, byte for byte. Keeps the last {@value #KEPT} entries. Safe for use by any thread.
 *
 * @since 0.1
 */
public final class History {
    static final int KEPT = 50_000;
    private static final int MAX_LINKS = 25;

    /** What a request was for. Strings are empty where they do not apply. */
    public record Target(String group, String resource, String subresource, String namespace, String name) {
        static Target of(RequestInfo info) {
            return new Target(info.group(), info.resource(), info.subresource(), info.namespace(), info.name());
        }

        Target named(String other) {
            return new Target(group, resource, subresource, namespace, other);
        }

        /** The object itself, when this is one of its subresources. */
        public Target object() {
            return subresource.isEmpty() ? this : new Target(group, resource, "", namespace, name);
        }

        /** {@code namespace/name}, as keys of reconcilers are written. */
        public String key() {
            return namespace.isEmpty() ? name : namespace + "/" + name;
        }

        @Override
        public String toString() {
            return resource
                    + (group.isEmpty() ? "" : "." + group)
                    + (subresource.isEmpty() ? "" : "/" + subresource)
                    + (name.isEmpty() ? namespace.isEmpty() ? "" : " in " + namespace : " " + key());
        }
    }

    /** One thing that happened. */
    public sealed interface Entry permits Call, Told, Reconcile, Note {
        /** From 1, in order. */
        int number();

        /** By the cluster's clock. */
        Instant at();

        /** Who did it: {@code test}, the name of a program, of a controller or of a node. */
        String actor();

        /** The number of the entry that led to this one; 0 if none is known. */
        int cause();

        /** What, in one line, without number and time. */
        String what();
    }

    /**
     * A request, and how it was answered.
     *
     * @param code HTTP's; 0 if there was no answer
     * @param revision of the object after it; 0 if there is none
     * @param changed whether the object is another than before
     * @param detail which fields changed, or why it was refused
     */
    public record Call(
            int number,
            Instant at,
            String actor,
            int cause,
            String verb,
            Target target,
            int code,
            long revision,
            boolean changed,
            String detail)
            implements Entry {
        public boolean isWrite() {
            return Gate.WRITES.contains(verb);
        }

        @Override
        public String what() {
            return verb + " " + target + " -> " + (code == 0 ? "no answer" : code)
                    + (revision > 0 && isWrite() ? ", revision " + revision : "")
                    + (isWrite() && code >= 200 && code < 300 && !changed ? ", nothing changed" : "")
                    + (detail.isEmpty() ? "" : ": " + detail);
        }
    }

    /** An event of a watch that has reached a program. */
    public record Told(
            int number, Instant at, String actor, int cause, String type, Target target, long revision, long generation)
            implements Entry {
        @Override
        public String what() {
            return "is told " + type + " " + target + ", revision " + revision;
        }
    }

    /** A reconcile has begun. */
    public record Reconcile(
            int number, Instant at, String actor, int cause, String controller, String key, List<Integer> wokenBy)
            implements Entry {
        @Override
        public String what() {
            return "reconciles " + key
                    + (wokenBy.isEmpty()
                            ? ""
                            : ", woken by " + wokenBy.stream().map(n -> "#" + n).collect(Collectors.joining(", ")));
        }
    }

    /** Anything else: a fault, the start or end of a program, how a reconcile ended. */
    public record Note(int number, Instant at, String actor, int cause, String what) implements Entry {}

    /** One state of an object, and the call that made it; null after its deletion. */
    record Version(long revision, @Nullable StoredObject object, int call, String actor) {}

    private record Telling(String actor, Target target, long revision) {}

    private final Supplier<Instant> clock;
    private final Instant began;
    private final ThreadLocal<Integer> current = ThreadLocal.withInitial(() -> 0);

    /** Guarded by this. */
    private final ArrayDeque<Entry> entries = new ArrayDeque<>();
    /** Guarded by this. */
    private int last;
    /** Guarded by this. */
    private final Map<Long, Integer> callByRevision = new HashMap<>();
    /** Guarded by this: versions by revision, of objects by group, resource, namespace and name. */
    private final Map<Target, TreeMap<Long, Version>> versions = new LinkedHashMap<>();
    /** Guarded by this. */
    private final Map<Telling, Integer> told = new HashMap<>();
    /** Guarded by this: the last write that concerns a key, be it of the object itself or of one that it owns. */
    private final Map<String, Integer> touched = new HashMap<>();

    History(Supplier<Instant> clock) {
        this.clock = clock;
        this.began = clock.get();
    }

    // ---- What is going on ------------------------------------------------------------------------------------------

    /** The entry on whose behalf this thread works; 0 for none. */
    int current() {
        return current.get();
    }

    /** Sets on whose behalf this thread works; returns what it was before. */
    int enter(int entry) {
        int before = current.get();
        current.set(entry);
        return before;
    }

    synchronized int note(String actor, String what) {
        return add(new Note(++last, clock.get(), actor, current(), what));
    }

    synchronized Told told(String actor, String type, Target target, long revision, long generation) {
        Told event = new Told(
                ++last,
                clock.get(),
                actor,
                callByRevision.getOrDefault(revision, 0),
                type,
                target,
                revision,
                generation);
        add(event);
        told.put(new Telling(actor, target, revision), event.number());
        return event;
    }

    /** The event by which somebody was told of a revision of an object; 0 if there is none. */
    synchronized int toldOf(String actor, Target target, long revision) {
        return told.getOrDefault(new Telling(actor, target, revision), 0);
    }

    synchronized int reconcile(String actor, String controller, String key, List<Integer> wokenBy) {
        int cause = wokenBy.isEmpty() ? 0 : wokenBy.get(wokenBy.size() - 1);
        return add(new Reconcile(++last, clock.get(), actor, cause, controller, key, List.copyOf(wokenBy)));
    }

    /** A reconcile of a controller whose events are not recorded: the last write that concerns its key is taken for its cause. */
    synchronized int reconcileUnseen(String controller, String key) {
        int cause = touched.getOrDefault(key, 0);
        return add(new Reconcile(
                ++last, clock.get(), controller, cause, controller, key, cause == 0 ? List.of() : List.of(cause)));
    }

    synchronized Call call(
            String actor,
            String verb,
            Target target,
            int code,
            @Nullable StoredObject before,
            @Nullable StoredObject after,
            boolean write,
            String why) {
        int number = ++last;
        long revision = after != null ? after.revision() : 0;
        boolean changed =
                write && (before == null ? after != null : after == null || after.revision() != before.revision());
        String detail = why.isEmpty() && changed ? Fields.changes(tree(before), tree(after)) : why;
        Call call = new Call(number, clock.get(), actor, current(), verb, target, code, revision, changed, detail);
        add(call);
        if (changed) {
            TreeMap<Long, Version> known = versions.computeIfAbsent(target.object(), t -> new TreeMap<>());
            if (before != null) {
                known.putIfAbsent(before.revision(), new Version(before.revision(), before, 0, ""));
            }
            if (after != null) {
                known.remove(Long.MAX_VALUE);
                known.put(revision, new Version(revision, after, number, actor));
                callByRevision.put(revision, number);
            } else {
                known.put(Long.MAX_VALUE, new Version(Long.MAX_VALUE, null, number, actor));
            }
            touch(target.object(), after != null ? after : before, number);
        }
        return call;
    }

    /** A deletion is told with a revision of its own, which its request does not show. */
    synchronized void deletedAt(long revision, Target target) {
        TreeMap<Long, Version> known = versions.get(target.object());
        Version gone = known == null ? null : known.remove(Long.MAX_VALUE);
        if (known != null && gone != null) {
            known.put(revision, new Version(revision, null, gone.call(), gone.actor()));
            callByRevision.put(revision, gone.call());
        }
    }

    /** The state of an object before a call changed it; null if it was not there. */
    synchronized @Nullable StoredObject before(Target object, int call) {
        TreeMap<Long, Version> known = versions.get(object);
        StoredObject last = null;
        if (known != null) {
            for (Version version : known.values()) {
                if (version.call() >= call) {
                    return last;
                }
                last = version.object();
            }
        }
        return last;
    }

    /** The first state of an object that somebody wrote. */
    synchronized Optional<StoredObject> firstBy(String actor, Target object) {
        return by(actor, object).findFirst();
    }

    /** The last state of an object that somebody wrote. */
    synchronized Optional<StoredObject> lastBy(String actor, Target object) {
        return by(actor, object).reduce((first, second) -> second);
    }

    private Stream<StoredObject> by(String actor, Target object) {
        TreeMap<Long, Version> known = versions.get(object);
        return known == null
                ? Stream.empty()
                : known.values().stream()
                        .filter(version -> version.actor().equals(actor))
                        .map(Version::object)
                        .filter(Objects::nonNull);
    }

    /** Whether somebody deleted the object while this history was written, and nobody made it anew. */
    synchronized boolean everDeleted(Target object) {
        TreeMap<Long, Version> known = versions.get(object);
        return known != null && known.lastEntry().getValue().object() == null;
    }

    private void touch(Target target, @Nullable StoredObject object, int number) {
        touched.put(target.key(), number);
        JsonNode tree = tree(object);
        if (tree != null) {
            for (JsonNode owner : tree.path("metadata").path("ownerReferences")) {
                String name = owner.path("name").asText();
                touched.put(target.namespace().isEmpty() ? name : target.namespace() + "/" + name, number);
            }
        }
    }

    private static @Nullable JsonNode tree(@Nullable StoredObject object) {
        return object == null ? null : object.tree();
    }

    private int add(Entry entry) {
        entries.addLast(entry);
        if (entries.size() > KEPT) {
            entries.removeFirst();
        }
        return entry.number();
    }

    /** The state of an object that was current at a revision, as far as it is known. */
    synchronized @Nullable Version versionAt(Target object, long revision) {
        TreeMap<Long, Version> known = versions.get(object);
        Map.Entry<Long, Version> found = known == null ? null : known.floorEntry(revision);
        return found == null ? null : found.getValue();
    }

    /** The states of an object after one revision, up to another. */
    synchronized List<Version> versionsBetween(Target object, long after, long upTo) {
        TreeMap<Long, Version> known = versions.get(object);
        return known == null || after >= upTo
                ? List.of()
                : List.copyOf(known.subMap(after, false, upTo, true).values());
    }

    // ---- Reading ---------------------------------------------------------------------------------------------------

    /** All entries that are kept, oldest first. */
    public synchronized List<Entry> entries() {
        return List.copyOf(entries);
    }

    /** The writes that a program made and that changed something, oldest first. */
    public List<Call> writesOf(String actor) {
        List<Call> calls = new ArrayList<>();
        for (Entry entry : entries()) {
            if (entry instanceof Call call && call.actor().equals(actor) && call.isWrite() && call.changed()) {
                calls.add(call);
            }
        }
        return calls;
    }

    synchronized int size() {
        return last;
    }

    private synchronized @Nullable Entry entry(int number) {
        if (entries.isEmpty()) {
            return null;
        }
        int first = entries.peekFirst().number();
        if (number < first || number > last) {
            return null;
        }
        for (var at = entries.descendingIterator(); at.hasNext(); ) {
            Entry entry = at.next();
            if (entry.number() == number) {
                return entry;
            }
        }
        return null;
    }

    /** Why an object is as it is: its last write, what led to that, and so on, the newest first. Empty if nobody wrote it. */
    public List<String> why(HasMetadata object) {
        String name = object.getMetadata().getName();
        String namespace = Objects.requireNonNullElse(object.getMetadata().getNamespace(), "");
        String resource = HasMetadata.getPlural(object.getClass());
        List<Entry> all = entries();
        for (int i = all.size() - 1; i >= 0; i--) {
            if (all.get(i) instanceof Call call
                    && call.changed()
                    && call.target().name().equals(name)
                    && (namespace.isEmpty() || call.target().namespace().equals(namespace))
                    && call.target().resource().equals(resource)) {
                return chain(call.number());
            }
        }
        return List.of();
    }

    /** An entry, what led to it, what led to that; the newest first. */
    List<String> chain(int number) {
        List<String> lines = new ArrayList<>();
        for (int at = number; at > 0 && lines.size() < MAX_LINKS; ) {
            Entry entry = entry(at);
            if (entry == null) {
                break;
            }
            lines.add(line(entry));
            at = entry.cause() < at ? entry.cause() : 0;
        }
        return lines;
    }

    /** {@code #12 +3.5s web-operator: create pods default/web-1 -> 201, revision 88}. */
    String line(Entry entry) {
        return "#" + entry.number() + " +" + seconds(Duration.between(began, entry.at())) + " " + entry.actor() + ": "
                + entry.what();
    }

    private static String seconds(Duration time) {
        long millis = time.toMillis();
        return millis % 1000 == 0
                ? millis / 1000 + "s"
                : String.format(java.util.Locale.ROOT, "%.3fs", millis / 1000.0);
    }

    /** When the first entry can have been. */
    Instant began() {
        return began;
    }

    /** The entry of this number, if it is kept. */
    public Optional<Entry> find(int number) {
        return Optional.ofNullable(entry(number));
    }

    /** The last entries, one a line. */
    List<String> tail(int count, java.util.function.Predicate<Entry> which) {
        List<String> lines = entries().stream().filter(which).map(this::line).toList();
        return lines.subList(Math.max(0, lines.size() - count), lines.size());
    }

    /** All of it, one entry a line: equal for equal runs. */
    @Override
    public String toString() {
        return entries().stream()
                .map(e -> line(e) + (e.cause() > 0 ? " <- #" + e.cause() : ""))
                .collect(Collectors.joining("\n"));
    }
}
