package io.trimtab.apiserver.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The behaviour of one kind, where it differs from that of an object with a spec and nothing else: its "strategy", in the words
 * of Kubernetes' registries. Trees handed in belong to the caller and may be changed only where a method says so. Stateless, or
 * guarded by itself; called on any thread.
 *
 * <p>The order of a create: decode, {@link #defaults}, mutating admission, {@link #prepareCreate}, {@link #validateCreate},
 * validating admission, {@link #allocate}, store. Of an update: the same with the update methods; metadata bookkeeping,
 * generation and status isolation are the caller's.
 */
public interface Kind {

    /** A kind without behaviour of its own. */
    Kind PLAIN = new Kind() {};

    /** Fills in defaults, in place. Runs after every decode, and must be idempotent. */
    default void defaults(ObjectNode object) {}

    /**
     * Takes out of an object, in place, what belongs to features that are off. Runs before {@link #prepareCreate} and the other
     * steps that prepare.
     */
    default void dropDisabled(ObjectNode object) {}

    /** Clears and computes fields before a create, in place. Status was emptied before if the kind has that subresource. */
    default void prepareCreate(ObjectNode object, WriteContext context) {}

    /** Clears and computes fields before an update of the main resource, in place. Status was restored before. */
    default void prepareUpdate(ObjectNode object, ObjectNode old, WriteContext context) {}

    /** Clears and computes fields before an update of the status, in place. Spec was restored before. */
    default void prepareStatusUpdate(ObjectNode object, ObjectNode old, WriteContext context) {}

    /** Says what is wrong with a new object; metadata is checked by the caller. */
    default void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {}

    /** Says what is wrong with a changed object; metadata is checked by the caller. */
    default void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {}

    /**
     * Whether Kubernetes looks at a changed object first as if it were new: what is wrong with both then stands twice among the
     * causes.
     */
    default boolean isValidatedAsNewToo() {
        return false;
    }

    /** Says what is wrong with a changed status. */
    default void validateStatusUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {}

    /**
     * Takes what the object needs from the cluster's pools (addresses, ports), in place.
     *
     * @param old null on create
     * @param object null on delete
     * @return what to do once the write has been stored, or has failed
     */
    default Allocation allocate(@Nullable ObjectNode object, @Nullable ObjectNode old, WriteContext context) {
        return Allocation.NONE;
    }

    /** Which rule names follow. */
    default NameRule nameRule() {
        return NameRule.SUBDOMAIN;
    }

    /** Whether the server counts {@code metadata.generation}. */
    default boolean managesGeneration() {
        return false;
    }

    /** Whether a change is one that a new generation stands for: by default, of anything but metadata and status. */
    default boolean isSpecChange(ObjectNode object, ObjectNode old) {
        for (var fields = object.fieldNames(); fields.hasNext(); ) {
            String field = fields.next();
            if (isSpecField(field) && !sameValue(object.get(field), old.get(field))) {
                return true;
            }
        }
        for (var fields = old.fieldNames(); fields.hasNext(); ) {
            String field = fields.next();
            if (isSpecField(field) && !object.has(field)) {
                return true;
            }
        }
        return false;
    }

    /** Equality of values as they stand in JSON: a number is equal to itself, whether held as int or long. */
    static boolean sameValue(@Nullable JsonNode one, @Nullable JsonNode other) {
        if (one == null || other == null) {
            return one == other;
        }
        return one.equals(
                (a, b) -> {
                    if (a.equals(b)) {
                        return 0;
                    }
                    return a.isNumber() && b.isNumber() && a.decimalValue().compareTo(b.decimalValue()) == 0 ? 0 : 1;
                },
                other);
    }

    private static boolean isSpecField(String field) {
        return !field.equals("metadata")
                && !field.equals("status")
                && !field.equals("kind")
                && !field.equals("apiVersion");
    }

    /**
     * Adds what is accepted in an object and yet worth a Warning header: once it is found valid, on create and when its spec has
     * changed.
     */
    default void warn(ObjectNode object, List<String> warnings) {}

    /**
     * The same, for kinds that warn of each change and not only of one of the spec.
     *
     * @param old null on create
     */
    default void warn(ObjectNode object, @Nullable ObjectNode old, List<String> warnings) {
        if (old == null || !managesGeneration() || generation(object) != generation(old)) {
            warn(object, warnings);
        }
    }

    private static long generation(ObjectNode object) {
        return object.path("metadata").path("generation").asLong(0);
    }

    /** Whether a status that comes with a create is dropped, where the kind has a status subresource. */
    default boolean clearsStatusOnCreate() {
        return true;
    }

    /** A PUT without resourceVersion overwrites. */
    default boolean allowsUnconditionalUpdate() {
        return true;
    }

    /** A PUT of an absent name creates. */
    default boolean allowsCreateOnUpdate() {
        return false;
    }

    /** A completed DELETE answers with the object, not with a Status. */
    default boolean returnsDeletedObject() {
        return false;
    }

    /** What deletion does with dependents when nobody says. */
    default Propagation defaultPropagation() {
        return Propagation.BACKGROUND;
    }

    /**
     * How long a graceful deletion of this object may take, in seconds; 0 for at once; empty if the kind knows no graceful
     * deletion.
     *
     * @param asked what the client asked for, if it did
     */
    default OptionalLong gracePeriod(ObjectNode object, OptionalLong asked) {
        return OptionalLong.empty();
    }

    /**
     * Marks an object that is not being deleted yet in the kind's own way, in place, and sets its deletionTimestamp.
     *
     * @return false if the kind leaves that to the caller, as most do
     */
    default boolean marksDeletion(ObjectNode object, String now) {
        return false;
    }

    /** What every answer warns of; null if the kind is not deprecated. */
    default @Nullable String deprecation() {
        return null;
    }

    /** The fields that field selectors may name besides metadata.name and metadata.namespace, and their values. */
    default Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of();
    }

    /** Where the scale subresource reads and writes; null if there is none. */
    default @Nullable Scale scale() {
        return null;
    }

    /** Rules for names. */
    enum NameRule {
        SUBDOMAIN,
        LABEL,
        LABEL_1035,
        PATH_SEGMENT
    }

    /** What a deletion does with dependents. */
    enum Propagation {
        ORPHAN,
        BACKGROUND,
        FOREGROUND,
        UNSUPPORTED
    }

    /**
     * Where a scale lives in the object; JSON pointers.
     *
     * @param selectorText the selector in text form, for the status
     */
    record Scale(String specReplicas, String statusReplicas, Function<JsonNode, String> selectorText) {}

    /** What was taken from pools for a write. Exactly one of the two methods is called, once. */
    interface Allocation {
        Allocation NONE = new Allocation() {
            @Override
            public void commit() {}

            @Override
            public void rollback() {}
        };

        /** The write was stored: give back what the old object had and the new one has not. */
        void commit();

        /** The write failed: give back what was taken. */
        void rollback();
    }
}
