package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.admission.AdmissionPlugin.Attributes;
import io.trimtab.apiserver.admission.AdmissionPlugin.Operation;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Kind.Propagation;
import io.trimtab.apiserver.storage.StoredObject;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Delete and deletecollection: at once, gracefully, or when the finalizers are gone (registry/generic/registry/store.go,
 * registry/rest/delete.go). Stateless.
 */
final class Deletes {
    private static final String ORPHAN = "orphan";
    private static final String FOREGROUND = "foregroundDeletion";
    private static final int MAX_CONTENTION = 1000;

    /**
     * What became of the object.
     *
     * @param deleted false if finalizers or its grace period hold it
     * @param object its last state
     * @param stored that state as the store has it; null if that is not at hand
     */
    private record Outcome(
            boolean deleted,
            Supplier<ObjectNode> object,
            String uid,
            @Nullable StoredObject stored) {
        Outcome(boolean deleted, ObjectNode object, String uid) {
            this(deleted, () -> object, uid, null);
        }

        static Outcome of(Call call, boolean deleted, StoredObject stored) {
            return new Outcome(deleted, () -> ResponseWriter.tree(call.served, stored), stored.uid(), stored);
        }
    }

    private Deletes() {}

    static ApiResponse delete(Call call) {
        Representation form = Representation.negotiate(call, Representation.Endpoint.OBJECT);
        DeleteOptions options = DeleteOptions.parse(call);
        warnOfOrphans(call, options);
        Outcome outcome = delete(call, call.name(), options);
        int code = !outcome.deleted() && Boolean.FALSE.equals(options.orphanDependents()) ? 202 : 200;
        if (outcome.deleted() && !call.kind().returnsDeletedObject()) {
            return ResponseWriter.tree(form, code, success(call.resource(), call.info.name(), outcome.uid()));
        }
        return outcome.stored() == null
                ? ResponseWriter.object(call, form, code, outcome.object().get())
                : ResponseWriter.stored(call, form, code, outcome.stored());
    }

    static ApiResponse deleteCollection(Call call) {
        Representation form = Representation.negotiate(call, Representation.Endpoint.LIST);
        ListOptions list = ListOptions.parse(call, false);
        DeleteOptions options = DeleteOptions.parse(call);
        warnOfOrphans(call, options);
        Reads.Page page = Reads.page(call, list);
        List<ObjectNode> deleted = new ArrayList<>();
        for (Iterator<StoredObject> objects = page.listing().objects(); objects.hasNext(); ) {
            StoredObject object = objects.next();
            Call one = call.inNamespace(object.namespace());
            try {
                delete(one, object.name(), options);
                deleted.add(ResponseWriter.tree(call.served, object));
            } catch (StatusException e) {
                if (e.code() != 404) {
                    throw e;
                }
                // somebody else deleted it: that is what was wanted
            }
        }
        return ResponseWriter.list(call, form, deleted, page);
    }

    /** The Status that says an object is gone. */
    static ObjectNode success(ApiResource resource, String name, String uid) {
        ObjectNode status = Json.object().put("kind", "Status").put("apiVersion", "v1");
        status.putObject("metadata");
        status.put("status", "Success");
        ObjectNode details = Statuses.details(resource.group(), resource.plural(), name);
        details.put("uid", uid);
        status.set("details", details);
        return status;
    }

    /** Deletes as an eviction does, with options that were checked. */
    static void evict(Call call, String name, DeleteOptions options) {
        // The eviction was admitted as such; nobody is asked about the deletion that it comes to.
        delete(call, name, options, false);
    }

    private static Outcome delete(Call call, String name, DeleteOptions options) {
        return delete(call, name, options, true);
    }

    private static Outcome delete(Call call, String name, DeleteOptions options, boolean asks) {
        boolean namespace = call.resource().plural().equals("namespaces")
                && call.resource().group().isEmpty();
        for (int i = 0; i < MAX_CONTENTION; i++) {
            StoredObject current = call.env
                    .storage()
                    .get(call.served.storage(), call.namespace(), name)
                    .orElseThrow(() -> call.notFound(name));
            ObjectNode old = ResponseWriter.tree(call.served, current);
            checkPreconditions(call, options, current, old, namespace);
            if (asks) {
                admit(call, name, namespace ? named(options, old) : options.tree(), options.dryRun(), old);
            }
            Outcome outcome =
                    namespace ? deleteNamespace(call, current, old, options) : deleteOnce(call, current, old, options);
            if (outcome != null) {
                return outcome;
            }
        }
        throw Statuses.timeout("the object kept changing while it was being deleted", 1);
    }

    /** Null if another write came between. */
    private static @Nullable Outcome deleteOnce(
            Call call, StoredObject current, ObjectNode old, DeleteOptions options) {
        ObjectNode object = old.deepCopy();
        ObjectNode metadata = Metadata.of(object);
        Instant now = call.env.driver().now();
        if (!Metadata.isDeleting(old) && call.kind().marksDeletion(object, Metadata.time(now))) {
            return store(call, current, object, options)
                    .map(s -> new Outcome(false, s.tree(), current.uid()))
                    .orElse(null);
        }
        OptionalLong grace = OptionalLong.empty(); // empty: the kind deletes without grace
        OptionalLong asked = call.kind().gracePeriod(old, options.gracePeriod());
        if (asked.isPresent()) {
            if (Metadata.isDeleting(old)) {
                JsonNode left = metadata.path("deletionGracePeriodSeconds");
                if (left.isNumber()) {
                    long before = Math.max(0, left.asLong());
                    if (options.gracePeriod().isEmpty() || options.gracePeriod().getAsLong() >= before) {
                        return new Outcome(true, old, current.uid()); // it may only be shortened
                    }
                    grace = OptionalLong.of(
                            shorten(metadata, before, options.gracePeriod().getAsLong(), now));
                }
            } else {
                long seconds = asked.getAsLong();
                grace = OptionalLong.of(seconds);
                metadata.put("deletionTimestamp", Metadata.time(now.plusSeconds(seconds)));
                metadata.put("deletionGracePeriodSeconds", seconds);
                if (Metadata.generation(old) > 0) {
                    metadata.put("generation", Metadata.generation(old) + 1);
                }
            }
        }
        List<String> finalizers = finalizers(call, old, options);
        if (!new HashSet<>(finalizers).equals(new HashSet<>(Metadata.finalizers(old)))) {
            Metadata.setFinalizers(object, finalizers);
        }
        if (grace.isEmpty()) {
            if (finalizers.isEmpty()) {
                return remove(call, current, old, options);
            }
            markDeleting(object, old, now);
            return store(call, current, object, options)
                    .map(s -> new Outcome(false, s.tree(), current.uid()))
                    .orElse(null);
        }
        Optional<Stored> stored = store(call, current, object, options);
        if (stored.isEmpty()) {
            return null;
        }
        if (!finalizers.isEmpty() || grace.getAsLong() > 0) {
            return new Outcome(false, stored.get().tree(), current.uid());
        }
        StoredObject last = stored.get().stored();
        return removeAfterAll(call, last == null ? current : last, stored.get().tree(), options);
    }

    /** Removes what is already marked, and may be seen to be: whoever owns it may write to it, or remove it, first. */
    private static Outcome removeAfterAll(Call call, StoredObject marked, ObjectNode tree, DeleteOptions options) {
        StoredObject current = marked;
        for (int i = 0; i < MAX_CONTENTION; i++) {
            Outcome outcome = remove(call, current, tree, options);
            if (outcome != null) {
                return outcome;
            }
            Optional<StoredObject> now =
                    call.env.storage().get(call.served.storage(), marked.namespace(), marked.name());
            if (now.isEmpty() || !now.get().uid().equals(marked.uid())) {
                return new Outcome(true, tree, marked.uid());
            }
            current = now.get();
        }
        throw Statuses.timeout("the object kept changing while it was being deleted", 1);
    }

    /** The new grace period, in seconds. */
    private static long shorten(ObjectNode metadata, long before, long asked, Instant now) {
        Instant stamp = Instant.parse(metadata.path("deletionTimestamp").asText())
                .minus(Duration.ofSeconds(before))
                .plus(Duration.ofSeconds(asked));
        long grace = asked;
        if (asked > 0 && stamp.isBefore(now)) {
            stamp = now.plusSeconds(1);
            grace = 1;
        }
        metadata.put("deletionTimestamp", Metadata.time(stamp));
        metadata.put("deletionGracePeriodSeconds", grace);
        return grace;
    }

    private static void markDeleting(ObjectNode object, ObjectNode old, Instant now) {
        ObjectNode metadata = Metadata.of(object);
        if (!Metadata.isDeleting(old)) {
            if (Metadata.generation(old) > 0) {
                metadata.put("generation", Metadata.generation(old) + 1);
            }
            metadata.put("deletionTimestamp", Metadata.time(now));
        } else if (Instant.parse(metadata.path("deletionTimestamp").asText()).isAfter(now)) {
            metadata.put("deletionTimestamp", Metadata.time(now));
        }
        metadata.put("deletionGracePeriodSeconds", 0);
    }

    private static @Nullable Outcome remove(Call call, StoredObject current, ObjectNode old, DeleteOptions options) {
        if (options.dryRun()) {
            return new Outcome(true, old, current.uid());
        }
        return ObjectWriter.delete(call, current)
                .map(gone -> Outcome.of(call, true, gone))
                .orElse(null);
    }

    /** A state that was written, or would have been. */
    private record Stored(@Nullable StoredObject stored, ObjectNode tree) {}

    private static Optional<Stored> store(Call call, StoredObject current, ObjectNode object, DeleteOptions options) {
        ObjectNode canonical = ObjectWriter.canonical(call.served, object);
        if (options.dryRun()) {
            return Optional.of(new Stored(null, canonical));
        }
        return call.env
                .storage()
                .replace(call.served.storage(), current, ObjectWriter.toStorage(call, canonical))
                .map(s -> new Stored(s, ResponseWriter.tree(call.served, s)));
    }

    /** The finalizers the object has from now on: those of the garbage collector come and go with the policy. */
    private static List<String> finalizers(Call call, ObjectNode old, DeleteOptions options) {
        List<String> before = Metadata.finalizers(old);
        Propagation byDefault = call.kind().defaultPropagation();
        boolean orphan = false;
        boolean foreground = false;
        if (byDefault != Propagation.UNSUPPORTED) {
            if (options.orphanDependents() != null) {
                orphan = options.orphanDependents();
            } else if (!options.policy().isEmpty()) {
                orphan = options.policy().equals("Orphan");
                foreground = options.policy().equals("Foreground");
            } else if (before.contains(ORPHAN)) {
                orphan = true;
            } else if (before.contains(FOREGROUND)) {
                foreground = true;
            } else {
                orphan = byDefault == Propagation.ORPHAN;
                foreground = byDefault == Propagation.FOREGROUND;
            }
        }
        List<String> after = new ArrayList<>(before);
        after.remove(ORPHAN);
        after.remove(FOREGROUND);
        if (orphan) {
            after.add(ORPHAN);
        }
        if (foreground) {
            after.add(FOREGROUND);
        }
        return after;
    }

    /** The first delete of a namespace only marks it; its controller empties it, and removes its finalizer. */
    private static @Nullable Outcome deleteNamespace(
            Call call, StoredObject current, ObjectNode old, DeleteOptions options) {
        if (!Metadata.isDeleting(old)) {
            ObjectNode object = old.deepCopy();
            Metadata.of(object)
                    .put("deletionTimestamp", Metadata.time(call.env.driver().now()));
            Metadata.setFinalizers(object, finalizers(call, old, options));
            ObjectNode status = object.get("status") instanceof ObjectNode s ? s : object.putObject("status");
            status.put("phase", "Terminating");
            return store(call, current, object, options)
                    .map(s -> new Outcome(false, s.tree(), current.uid()))
                    .orElse(null);
        }
        if (!old.path("spec").path("finalizers").isEmpty()) {
            return new Outcome(false, old, current.uid());
        }
        return deleteOnce(call, current, old, options);
    }

    private static void checkPreconditions(
            Call call, DeleteOptions options, StoredObject current, ObjectNode old, boolean namespace) {
        ApiResource resource = call.resource();
        String kind = namespace ? resource.plural() : resource.kind();
        String uid = options.uid();
        if (uid != null && !uid.equals(current.uid())) {
            throw Statuses.conflict(
                    resource.group(),
                    kind,
                    current.name(),
                    namespace
                            ? "Precondition failed: UID in precondition: " + uid + ", UID in object meta: "
                                    + current.uid()
                            : "the UID in the precondition (" + uid + ") does not match the UID in record ("
                                    + current.uid() + "). The object might have been deleted and then recreated");
        }
        String version = options.version();
        String actual = Metadata.text(old, "resourceVersion");
        if (version != null && !version.equals(actual)) {
            throw Statuses.conflict(
                    resource.group(),
                    kind,
                    current.name(),
                    namespace
                            ? "Precondition failed: ResourceVersion in precondition: " + version
                                    + ", ResourceVersion in object meta: " + actual
                            : "the ResourceVersion in the precondition (" + version
                                    + ") does not match the ResourceVersion in record (" + actual
                                    + "). The object might have been modified");
        }
    }

    /** Options for a namespace always say which one: the deletion takes a while, and its name may be given again. */
    private static ObjectNode named(DeleteOptions options, ObjectNode old) {
        ObjectNode tree = options.tree().deepCopy();
        ObjectNode preconditions = tree.withObjectProperty("preconditions");
        if (!preconditions.hasNonNull("uid")) {
            preconditions.put("uid", Metadata.text(old, "uid"));
        }
        return tree;
    }

    private static void admit(Call call, String name, ObjectNode options, boolean dryRun, ObjectNode old) {
        Attributes attributes = new Attributes(Operation.DELETE, null, old, options, call.context("", name, dryRun));
        for (AdmissionPlugin plugin : call.env.admission()) {
            plugin.admit(attributes);
        }
        for (AdmissionPlugin plugin : call.env.admission()) {
            plugin.validate(attributes);
        }
    }

    private static void warnOfOrphans(Call call, DeleteOptions options) {
        if (call.resource().plural().equals("jobs")
                && call.resource().group().equals("batch")
                && options.policy().isEmpty()
                && options.orphanDependents() == null
                && call.kind().defaultPropagation() == Propagation.ORPHAN) {
            call.warnings.add("child pods are preserved by default when jobs are deleted; set"
                    + " propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this"
                    + " warning");
        }
    }
}
