package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.admission.AdmissionPlugin.Attributes;
import io.trimtab.apiserver.admission.AdmissionPlugin.Operation;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.Kind.Allocation;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.resource.VersionConversion;
import io.trimtab.apiserver.resource.WriteContext;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Creates and updates: the order of steps that all writes share, from the decoded object to the store. Kubernetes spreads it over
 * {@code endpoints/handlers} and {@code registry/rest} and {@code registry/generic/registry}. Stateless.
 */
final class ObjectWriter {
    private static final int NAME_TRIES = 8;
    /** An update whose object keeps changing under it is a bug of somebody's; it must not run for ever. */
    private static final int MAX_CONTENTION = 1000;

    /**
     * What became of a write.
     *
     * @param stored the stored state; null on a dry run
     * @param tree the state at the served version
     * @param created whether there was no object before
     */
    record Outcome(@Nullable StoredObject stored, ObjectNode tree, boolean created) {}

    /** Makes the new state of an object. */
    @FunctionalInterface
    interface Change {
        /**
         * @param old the state now, at the served version, not to be changed; an empty object if there is none
         * @return a tree of its own, defaults filled in
         */
        ObjectNode apply(ObjectNode old);
    }

    /**
     * An update.
     *
     * @param subresource what the request names
     * @param uid the uid that the object must have; empty for any
     * @param createIfAbsent whether an absent object is created
     * @param manager books its changes in managedFields; null if the change has done so itself
     */
    record Update(
            String name,
            String subresource,
            Change change,
            WriteOptions options,
            String uid,
            boolean createIfAbsent,
            @Nullable String manager) {}

    private ObjectWriter() {}

    /** Creates an object; {@code object} is the decoded body with defaults, and is taken over. */
    static Outcome create(Call call, ObjectNode object, WriteOptions options, String manager) {
        WriteContext context = call.context("", Metadata.name(object), options.dryRun());
        // Nobody comes to manage what the server sets.
        Metadata.of(object)
                .remove(List.of(
                        "uid", "creationTimestamp", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"));
        clearStatus(call, object);
        dedupeOwners(call, object, "");
        bookUpdate(call, Json.object(), object, manager, "");
        Attributes attributes = new Attributes(Operation.CREATE, object, null, options.tree(), context);
        admit(call, attributes);
        dedupeOwners(call, object, " after mutating admission");
        return createAdmitted(call, object, options);
    }

    /** The part of a create after mutating admission, in which a generated name may be tried again. */
    private static Outcome createAdmitted(Call call, ObjectNode object, WriteOptions options) {
        ObjectNode metadata = Metadata.of(object);
        boolean generated = Metadata.name(object).isEmpty()
                && !metadata.path("generateName").asText("").isEmpty();
        if (!generated) {
            return createOnce(call, object, options, false);
        }
        for (int tries = 1; ; tries++) {
            ObjectNode attempt = tries < NAME_TRIES ? object.deepCopy() : object;
            try {
                return createOnce(call, attempt, options, true);
            } catch (StatusException e) {
                if (!e.reason().equals("AlreadyExists")) {
                    throw e;
                }
                if (tries == NAME_TRIES) {
                    ApiResource resource = call.resource();
                    String name = e.status().path("details").path("name").asText();
                    ObjectNode details = Statuses.details(resource.group(), resource.plural(), name);
                    details.put("retryAfterSeconds", 1);
                    throw Statuses.of(
                            409,
                            "AlreadyExists",
                            resource.qualifiedName() + " \"" + name + "\" already exists, the server was not able to"
                                    + " generate a unique name for the object",
                            details);
                }
            }
        }
    }

    private static Outcome createOnce(Call call, ObjectNode object, WriteOptions options, boolean generated) {
        Kind kind = call.kind();
        ObjectNode metadata = Metadata.of(object);
        metadata.put("uid", Metadata.newUid(call.env.driver()));
        metadata.put("creationTimestamp", Metadata.time(call.env.driver().now()));
        metadata.remove(List.of("selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"));
        if (generated) {
            metadata.put(
                    "name",
                    Metadata.generateName(
                            call.env.driver(), metadata.path("generateName").asText()));
        }
        String name = Metadata.name(object);
        WriteContext context = call.context("", name, options.dryRun());
        if (kind.managesGeneration()) {
            metadata.put("generation", 1);
        }
        kind.dropDisabled(object);
        kind.prepareCreate(object, context);

        FieldErrors errors = new FieldErrors();
        ObjectMetaRules.check(object, call.resource().namespaced(), kind.nameRule(), errors);
        if (!call.resource().custom()) {
            ObjectMetaRules.checkStandardFinalizers(object, errors);
        }
        kind.validateCreate(object, errors, context);
        if (!errors.isEmpty()) {
            throw Statuses.invalid(groupOf(call), kindOf(call, object), name, errors);
        }
        kind.warn(object, null, call.warnings);
        validate(call, new Attributes(Operation.CREATE, object, null, options.tree(), context));
        // Found by the store, which a dry run does not reach.
        if (!options.dryRun() && !metadata.path("resourceVersion").asText("").isEmpty()) {
            throw Statuses.raw("resourceVersion should not be set on objects to be created");
        }
        metadata.remove("resourceVersion");
        Allocation allocation = kind.allocate(object, null, context);
        boolean stored = false;
        try {
            ObjectNode canonical = canonical(call.served, object);
            ApiResource storage = call.served.storage();
            if (options.dryRun()) {
                call.env.storage().get(storage, call.namespace(), name).ifPresent(existing -> {
                    throw alreadyExists(call, existing);
                });
                return new Outcome(null, canonical, true);
            }
            StoredObject created;
            try {
                created = call.env.storage().create(storage, toStorage(call, canonical));
            } catch (StatusException e) {
                if (!e.reason().equals("AlreadyExists")) {
                    throw e;
                }
                Optional<StoredObject> existing = call.env.storage().get(storage, call.namespace(), name);
                throw existing.isPresent()
                        ? alreadyExists(call, existing.get())
                        : Statuses.alreadyExists(
                                call.resource().group(), call.resource().plural(), name);
            }
            stored = true;
            return new Outcome(created, ResponseWriter.tree(call.served, created), true);
        } finally {
            if (stored) {
                allocation.commit();
            } else {
                allocation.rollback();
            }
        }
    }

    /** The kind that a refusal names: a custom resource may come with the name of another, which is the mistake. */
    private static String kindOf(Call call, ObjectNode object) {
        return call.resource().custom()
                ? object.path("kind").asText(call.resource().kind())
                : call.resource().kind();
    }

    /** The group that a refusal names: events are those of the core inside, whichever group they are written in. */
    private static String groupOf(Call call) {
        String group = call.resource().group();
        return group.equals("events.k8s.io") ? "" : group;
    }

    private static StatusException alreadyExists(Call call, StoredObject existing) {
        ApiResource resource = call.resource();
        StatusException plain = Statuses.alreadyExists(resource.group(), resource.plural(), existing.name());
        if (!Metadata.isDeleting(existing.tree())) {
            return plain;
        }
        ObjectNode status = plain.status().deepCopy();
        status.put("message", "object is being deleted: " + plain.getMessage());
        return new StatusException(status);
    }

    /** Updates an object, again as often as other writes come between. */
    static Outcome update(Call call, Update update) {
        for (int i = 0; i < MAX_CONTENTION; i++) {
            Optional<StoredObject> found =
                    call.env.storage().get(call.served.storage(), call.namespace(), update.name());
            if (found.isEmpty()) {
                if (!update.createIfAbsent()) {
                    throw call.notFound(update.name());
                }
                try {
                    return createByUpdate(call, update);
                } catch (StatusException e) {
                    if (!e.reason().equals("AlreadyExists")) {
                        throw e;
                    }
                    continue; // somebody was quicker: now it is an update
                }
            }
            Outcome outcome = updateOnce(call, update, found.get());
            if (outcome != null) {
                return outcome;
            }
        }
        throw Statuses.timeout("the object kept changing while it was being updated", 1);
    }

    private static Outcome createByUpdate(Call call, Update update) {
        ObjectNode object = update.change().apply(Json.object());
        String wantedUid = Metadata.text(object, "uid");
        if (!wantedUid.isEmpty() && update.manager() == null) {
            throw call.conflict(
                    update.name(),
                    "uid mismatch: the provided object specified uid " + wantedUid
                            + ", and no existing object was found");
        }
        if (!update.uid().isEmpty()) {
            // The writer means an object that is gone: to make another one of this name is not what it asks for.
            throw call.conflict(
                    update.name(),
                    "StorageError: invalid object, Code: 4, Key: "
                            + call.served.storage().key(call.namespace(), update.name())
                            + ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: "
                            + update.uid() + ", UID in object meta: ");
        }
        Authorization.require(call, "create");
        WriteContext context = call.context("", update.name(), update.options().dryRun());
        if (update.manager() != null) {
            clearStatus(call, object);
            bookUpdate(call, Json.object(), object, update.manager(), "");
        }
        Metadata.of(object).remove("resourceVersion");
        admit(
                call,
                new Attributes(Operation.CREATE, object, null, update.options().tree(), context));
        dedupeOwners(call, object, " after mutating admission");
        return createOnce(call, object, update.options(), false);
    }

    /** A dry run does not get as far as the store, which puts its prefix before keys. */
    private static String shownKey(String key, Update update) {
        return update.options().dryRun() && key.startsWith("/registry") ? key.substring("/registry".length()) : key;
    }

    /** Null if another write came between. */
    private static @Nullable Outcome updateOnce(Call call, Update update, StoredObject current) {
        Kind kind = call.kind();
        String name = update.name();
        if (!update.uid().isEmpty() && !update.uid().equals(current.uid())) {
            throw call.conflict(
                    name,
                    "StorageError: invalid object, Code: 4, Key: " + shownKey(current.key(), update)
                            + ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: "
                            + update.uid() + ", UID in object meta: " + current.uid());
        }
        ObjectNode old = ResponseWriter.tree(call.served, current);
        ObjectNode object = update.change().apply(old);
        WriteContext context =
                call.context(update.subresource(), name, update.options().dryRun());
        isolate(call, update.subresource(), object, old);
        dedupeOwners(call, object, "");
        if (update.manager() != null) {
            bookUpdate(call, old, object, update.manager(), update.subresource());
        }
        Attributes attributes =
                new Attributes(Operation.UPDATE, object, old, update.options().tree(), context);
        admit(call, attributes);
        dedupeOwners(call, object, " after mutating admission");
        checkVersion(call, update, object, current);
        reduce(call, object);
        prepare(call, update.subresource(), object, old, context);

        FieldErrors errors = new FieldErrors();
        checkUpdate(call, update.subresource(), object, old, errors, context);
        if (!errors.isEmpty()) {
            throw Statuses.invalid(groupOf(call), kindOf(call, object), name, errors);
        }
        if (update.subresource().isEmpty()) {
            kind.warn(object, old, call.warnings);
        }
        validate(call, attributes);

        keepTimes(object, old);
        ObjectNode canonical = canonical(call.served, object);
        if (update.options().dryRun()) {
            return new Outcome(null, canonical, false);
        }
        if (isFinished(call, canonical, old)) {
            return delete(call, current)
                    .map(gone -> new Outcome(null, canonical, false))
                    .orElse(null);
        }
        Allocation allocation =
                update.subresource().isEmpty() ? kind.allocate(canonical, old, context) : Allocation.NONE;
        boolean stored = false;
        try {
            Optional<StoredObject> replaced =
                    call.env.storage().replace(call.served.storage(), current, toStorage(call, canonical));
            if (replaced.isEmpty()) {
                return null;
            }
            stored = true;
            return new Outcome(replaced.get(), ResponseWriter.tree(call.served, replaced.get()), false);
        } finally {
            if (stored) {
                allocation.commit();
            } else {
                allocation.rollback();
            }
        }
    }

    /** Removes an object for good, and gives back what it had taken; empty if another write came between. */
    static Optional<StoredObject> delete(Call call, StoredObject current) {
        WriteContext context = call.context("", current.name(), false);
        Optional<StoredObject> gone = call.env.storage().delete(call.served.storage(), current);
        if (gone.isPresent()) {
            call.kind()
                    .allocate(null, ResponseWriter.tree(call.served, current), context)
                    .commit();
        }
        return gone;
    }

    /** Undoes the changes that this endpoint does not take. */
    private static void isolate(Call call, String subresource, ObjectNode object, ObjectNode old) {
        ObjectNode metadata = Metadata.of(object);
        ObjectNode oldMetadata = Metadata.of(old);
        switch (subresource) {
            case "", "scale" -> {
                if (call.resource().hasStatus()) {
                    restore(old, object, "status");
                }
            }
            case "status" -> {
                List<String> fields = new ArrayList<>();
                object.fieldNames().forEachRemaining(fields::add);
                old.fieldNames().forEachRemaining(fields::add);
                for (String field : fields) {
                    if (!field.equals("metadata") && !field.equals("status")) {
                        restore(old, object, field);
                    }
                }
                if (call.resource().custom()) {
                    JsonNode version = metadata.get("resourceVersion");
                    JsonNode managed = metadata.get("managedFields");
                    ObjectNode kept = oldMetadata.deepCopy();
                    object.set("metadata", kept);
                    if (version == null) {
                        kept.remove("resourceVersion");
                    } else {
                        kept.set("resourceVersion", version);
                    }
                    if (managed != null) {
                        kept.set("managedFields", managed);
                    }
                }
            }
            case "approval" -> {
                JsonNode conditions = object.path("status").get("conditions");
                restore(old, object, "spec");
                restore(old, object, "status");
                ObjectNode status = object.get("status") instanceof ObjectNode s ? s : object.putObject("status");
                if (conditions == null) {
                    status.remove("conditions");
                } else {
                    status.set("conditions", conditions);
                }
            }
            default -> {}
        }
    }

    /** Puts a field back, as a copy: plugins and kinds may change what they are given. */
    private static void restore(ObjectNode old, ObjectNode object, String field) {
        JsonNode value = old.get(field);
        if (value == null) {
            object.remove(field);
        } else if (!value.equals(object.get(field))) {
            object.set(field, value.deepCopy());
        }
    }

    /** Leaves out what Kubernetes would not store, so that what is left can be compared with what is. */
    private static void reduce(Call call, ObjectNode object) {
        if (!call.resource().custom()) {
            ObjectNode contents = Canonical.contents(object, call.served.schema());
            if (contents != object) {
                object.removeAll();
                object.setAll(contents);
            }
        }
    }

    private static void checkVersion(Call call, Update update, ObjectNode object, StoredObject current) {
        ObjectNode metadata = Metadata.of(object);
        String text = metadata.path("resourceVersion").asText("");
        if (text.isEmpty() || text.equals("0")) {
            if (!call.kind().allowsUnconditionalUpdate()) {
                FieldErrors errors = new FieldErrors();
                errors.invalid("metadata.resourceVersion", 0, "must be specified for an update");
                throw Statuses.invalid(call.resource().group(), call.resource().plural(), update.name(), errors);
            }
            metadata.put("resourceVersion", Long.toString(current.revision()));
            return;
        }
        long version;
        try {
            version = Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw Statuses.raw("strconv.ParseUint: parsing " + FieldErrors.quote(text) + ": invalid syntax");
        }
        if (version != current.revision()) {
            throw call.conflict(
                    update.name(),
                    "the object has been modified; please apply your changes to the latest version and try again");
        }
    }

    private static void prepare(
            Call call, String subresource, ObjectNode object, ObjectNode old, WriteContext context) {
        Kind kind = call.kind();
        ObjectNode metadata = Metadata.of(object);
        ObjectNode before = Metadata.of(old);
        Metadata.keep(before, metadata, "generation");
        metadata.remove("selfLink");
        kind.dropDisabled(object);
        if (subresource.equals("status")) {
            kind.prepareStatusUpdate(object, old, context);
        } else {
            kind.prepareUpdate(object, old, context);
        }
        if (metadata.path("uid").asText("").isEmpty()) {
            Metadata.keep(before, metadata, "uid");
        }
        Metadata.keep(before, metadata, "creationTimestamp");
        if (before.hasNonNull("deletionTimestamp")) {
            Metadata.keep(before, metadata, "deletionTimestamp");
        }
        if (before.hasNonNull("deletionGracePeriodSeconds") && !metadata.hasNonNull("deletionGracePeriodSeconds")) {
            Metadata.keep(before, metadata, "deletionGracePeriodSeconds");
        }
        if (!before.hasNonNull("deletionTimestamp")) {
            // Nothing but a DELETE marks an object for deletion.
            metadata.remove(List.of("deletionTimestamp", "deletionGracePeriodSeconds"));
        }
        if (kind.managesGeneration()
                && !subresource.equals("status")
                && !subresource.equals("finalize")
                && !subresource.equals("approval")
                && kind.isSpecChange(object, old)) {
            metadata.put("generation", Metadata.generation(old) + 1);
        }
    }

    private static void checkUpdate(
            Call call,
            String subresource,
            ObjectNode object,
            ObjectNode old,
            FieldErrors errors,
            WriteContext context) {
        Kind kind = call.kind();
        ObjectMetaRules.check(object, call.resource().namespaced(), Kind.NameRule.PATH_SEGMENT, errors);
        // Kubernetes checks twice, here and in the kind's own rules: a message stands twice among the causes.
        ObjectMetaRules.checkUpdate(object, old, errors);
        ObjectMetaRules.checkUpdate(object, old, errors);
        if (!call.resource().custom()) {
            ObjectMetaRules.checkStandardFinalizers(object, errors);
        }
        if (subresource.equals("status")) {
            kind.validateStatusUpdate(object, old, errors, context);
        } else {
            if (subresource.isEmpty() && kind.isValidatedAsNewToo()) {
                ObjectMetaRules.check(object, call.resource().namespaced(), kind.nameRule(), errors);
                ObjectMetaRules.checkStandardFinalizers(object, errors);
                kind.validateCreate(object, errors, context);
            }
            kind.validateUpdate(object, old, errors, context);
        }
    }

    /** True if the last finalizer of an object that is being deleted is gone. */
    private static boolean isFinished(Call call, ObjectNode object, ObjectNode old) {
        if (!Metadata.isDeleting(old) || !Metadata.finalizers(object).isEmpty()) {
            return false;
        }
        JsonNode grace = old.path("metadata").path("deletionGracePeriodSeconds");
        if (call.resource().plural().equals("namespaces")
                && call.resource().group().isEmpty()) {
            // A namespace is deleted without a grace period, and has finalizers of its own.
            return object.path("spec").path("finalizers").isEmpty() && grace.asLong(0) == 0;
        }
        return grace.isNumber() && grace.asLong() == 0;
    }

    /** Books of who manages what that differ by their times only are no change. */
    private static void keepTimes(ObjectNode object, ObjectNode old) {
        JsonNode now = object.path("metadata").get("managedFields");
        JsonNode before = old.path("metadata").get("managedFields");
        if (now == null || before == null || now.equals(before) || now.size() != before.size()) {
            return;
        }
        for (int i = 0; i < now.size(); i++) {
            if (!withoutTime(now.get(i)).equals(withoutTime(before.get(i)))) {
                return;
            }
        }
        ObjectNode metadata = Metadata.of(object);
        metadata.set("managedFields", before);
        if (!Kind.sameValue(object, old)) {
            metadata.set("managedFields", now);
        }
    }

    private static JsonNode withoutTime(JsonNode entry) {
        ObjectNode copy = Json.object();
        entry.fields().forEachRemaining(f -> {
            if (!f.getKey().equals("time")) {
                copy.set(f.getKey(), f.getValue());
            }
        });
        return copy;
    }

    private static void clearStatus(Call call, ObjectNode object) {
        if (call.resource().hasStatus() && call.kind().clearsStatusOnCreate()) {
            object.remove("status");
        }
    }

    private static void bookUpdate(Call call, ObjectNode live, ObjectNode next, String manager, String subresource) {
        FieldManagement.recordUpdate(call, live, next, manager, subresource);
    }

    private static void admit(Call call, Attributes attributes) {
        ObjectNode object = attributes.object();
        JsonNode before = object == null ? null : Metadata.of(object).get("managedFields");
        for (AdmissionPlugin plugin : call.env.admission()) {
            plugin.admit(attributes);
        }
        if (object != null) {
            FieldManagement.restoreIfBroken(call, object, before);
            Writes.fitNamespace(call, object);
        }
    }

    private static void validate(Call call, Attributes attributes) {
        for (AdmissionPlugin plugin : call.env.admission()) {
            plugin.validate(attributes);
        }
    }

    static ObjectNode canonical(Served served, ObjectNode object) {
        ObjectNode canonical = Canonical.of(object, served.schema());
        Metadata.dropEmpty(canonical);
        return canonical;
    }

    static ObjectNode toStorage(Call call, ObjectNode canonical) {
        VersionConversion conversion = call.served.conversion();
        if (conversion == null) {
            return canonical;
        }
        ApiResource storage = conversion.storage();
        Served stored = call.env.resources().find(storage.group(), storage.version(), storage.plural());
        ObjectNode converted = conversion.toStorage(canonical.deepCopy());
        return stored == null ? converted : canonical(stored, converted);
    }

    /** An owner that is named twice is named once from now on, and the client is told. */
    private static void dedupeOwners(Call call, ObjectNode object, String when) {
        JsonNode owners = object.path("metadata").path("ownerReferences");
        if (owners.size() < 2) {
            return;
        }
        ArrayNode kept = Json.object().arrayNode();
        Set<JsonNode> seen = new HashSet<>();
        boolean duplicates = false;
        for (JsonNode owner : owners) {
            if (seen.add(owner)) {
                kept.add(owner);
            } else {
                duplicates = true;
            }
        }
        if (duplicates) {
            Metadata.of(object).set("ownerReferences", kept);
            call.warnings.add(".metadata.ownerReferences contains duplicate entries" + when
                    + "; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24;"
                    + " please fix your requests; duplicate UID(s) observed: "
                    + seenTwice(owners));
        }
    }

    private static String seenTwice(JsonNode owners) {
        Set<JsonNode> seen = new HashSet<>();
        Set<String> uids = new LinkedHashSet<>();
        for (JsonNode owner : owners) {
            if (!seen.add(owner)) {
                uids.add(owner.path("uid").asText());
            }
        }
        return String.join(", ", uids);
    }
}
