package io.trimtab.apiserver.apply;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.apply.ManagedFields.Entry;
import io.trimtab.apiserver.apply.ManagedFields.Identity;
import io.trimtab.apiserver.apply.Typed.Comparison;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Keeps {@code metadata.managedFields} of one resource (or one subresource of it) at one version, and carries out server-side
 * apply. Immutable and stateless: make one for each endpoint and share it between threads.
 *
 * <p>Every ordinary write calls {@link #track} once, after the body was decoded and defaulted and before admission; an apply
 * patch calls {@link #apply} and then goes the ordinary way of an update, without track.
 */
public final class FieldManager {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Decoder DECODER = new Decoder(SchemaRegistry.builtin());
    private static final String BEFORE_FIRST_APPLY = "before-first-apply";
    private static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
    private static final FieldSet NEVER_OWNED = FieldSet.ofFields(List.of(
            List.of("apiVersion"),
            List.of("kind"),
            List.of("metadata"),
            List.of("metadata", "name"),
            List.of("metadata", "namespace"),
            List.of("metadata", "creationTimestamp"),
            List.of("metadata", "selfLink"),
            List.of("metadata", "uid"),
            List.of("metadata", "clusterName"),
            List.of("metadata", "generation"),
            List.of("metadata", "managedFields"),
            List.of("metadata", "resourceVersion")));

    private final Decoder.Target target;
    private final String apiVersion;
    private final String subresource;
    private final FieldSet resetFields;
    private final Predicate<String> isServed;
    private final ObjectNode nothing;

    /**
     * @param target what the endpoint takes
     * @param subresource empty for the resource itself
     * @param resetFields the fields that the endpoint does not let a writer change (status on the resource, spec on status):
     *     nobody comes to own them through it
     * @param isServed whether an apiVersion of the resource's group is still served; entries of others are forgotten
     */
    public FieldManager(Decoder.Target target, String subresource, FieldSet resetFields, Predicate<String> isServed) {
        this.target = target;
        this.apiVersion = target.group().isEmpty() ? target.version() : target.group() + "/" + target.version();
        this.subresource = subresource;
        this.resetFields = resetFields;
        this.isServed = isServed;
        ObjectNode empty = NODES.objectNode().put("kind", target.kind()).put("apiVersion", apiVersion);
        this.nothing = target.custom() ? empty : Canonical.of(empty, target.schema());
    }

    /**
     * Books what a create, update or patch changes to its writer.
     *
     * @param live as stored, in canonical form, not changed; null on create
     * @param updated gets its {@code metadata.managedFields}; what it carries there counts as the client's wish
     * @param manager the field manager that the request names, or the user agent up to the first slash
     */
    public void track(@Nullable ObjectNode live, ObjectNode updated, String manager, Instant now) {
        JsonNode wanted = updated.path("metadata").get("managedFields");
        ObjectNode before = live == null ? nothing : withoutManagedFields(live);
        JsonNode recorded = live == null ? null : live.path("metadata").get("managedFields");
        ManagedFields managed;
        if (!subresource.isEmpty()) {
            managed = ManagedFields.readOrEmpty(recorded, false);
        } else if (ManagedFields.isReset(wanted)) {
            managed = new ManagedFields();
        } else {
            managed = ManagedFields.readOrEmpty(wanted == recorded ? null : wanted, true);
            if (managed.isEmpty()) {
                managed = ManagedFields.readOrEmpty(recorded, false);
            }
        }
        setManagedFields(updated, null);
        if (managed.isEmpty() && isStored(live)) {
            return; // Somebody cleared them, and nobody has applied since: nothing is tracked.
        }
        ObjectNode after = target.custom() ? updated : Canonical.contents(updated, target.schema());
        trackChange(before, after, managed, Identity.of(manager, false, apiVersion, subresource), timeText(now));
        setManagedFields(updated, managed.write());
    }

    /**
     * An apply patch as it was sent.
     *
     * @param strictErrors what strict field validation refuses with 400 and {@code error strict decoding YAML: }, and a warning
     *     carries as it is
     */
    public record AppliedBody(ObjectNode object, List<String> strictErrors) {}

    /**
     * Reads the body of an apply patch, YAML or JSON.
     *
     * @throws StatusException 400 if it is malformed
     */
    public static AppliedBody read(byte[] body) {
        List<String> strictErrors = new ArrayList<>();
        try {
            JsonNode tree = Decoder.parse(body, Decoder.Syntax.YAML, strictErrors);
            if (!tree.isObject() && !tree.isNull()) {
                throw new DecodeException("json: cannot unmarshal "
                        + (tree.isArray()
                                ? "array"
                                : tree.isTextual() ? "string" : tree.isBoolean() ? "bool" : "number")
                        + " into Go value of type map[string]interface {}");
            }
            strictErrors.replaceAll(e -> "error converting YAML to JSON: " + e);
            return new AppliedBody(tree.isNull() ? NODES.objectNode() : (ObjectNode) tree, strictErrors);
        } catch (DecodeException e) {
            String where = e.getMessage().startsWith("yaml: ")
                    ? "error converting YAML to JSON: "
                    : "error unmarshaling JSON: while decoding JSON: ";
            throw Statuses.badRequest("error decoding YAML: " + where + e.getMessage());
        }
    }

    /**
     * Server-side apply.
     *
     * @param live as stored, in canonical form, not changed; null if there is no object yet
     * @param applied the body, as parsed, with nothing defaulted or dropped; not changed
     * @param force take over fields that others own
     * @return the new object with its managed fields, decoded but not defaulted; a tree of its own. Equal to live but for managed
     *     fields if the apply changes nothing else.
     * @throws StatusException 400 for a wrong kind or version, 409 with the conflicts, 500 without reason if the body does not
     *     fit the schema
     */
    public ObjectNode apply(@Nullable ObjectNode live, ObjectNode applied, String manager, boolean force, Instant now) {
        checkApplied(applied);
        ObjectNode liveOrNothing = live == null ? nothing : live;
        ManagedFields managed;
        try {
            managed = ManagedFields.read(liveOrNothing.path("metadata").get("managedFields"), true);
        } catch (IllegalArgumentException e) {
            throw Statuses.raw("failed to decode managed fields: " + e.getMessage());
        }
        ObjectNode before = withoutManagedFields(liveOrNothing);
        if (managed.isEmpty()) {
            Identity earlier = Identity.of(BEFORE_FIRST_APPLY, false, apiVersion, subresource);
            trackChange(nothing, before, managed, earlier, timeText(now));
        }
        Application application = new Application(before, applied, managed, manager);
        if (!force) {
            Map<Identity, FieldSet> conflicts = application.conflicts();
            if (!conflicts.isEmpty() && manager.equals("kubectl")) {
                FieldSet allowed = unchangedSinceLastApplied(before);
                conflicts.replaceAll((identity, fields) -> fields.difference(allowed));
                conflicts.values().removeIf(FieldSet::isEmpty);
            }
            if (!conflicts.isEmpty()) {
                throw conflict(conflicts);
            }
        }
        ObjectNode result = application.finish(timeText(now));
        if (manager.equals("kubectl")) {
            renewLastApplied(result, applied);
        }
        setManagedFields(result, managed.write());
        return result;
    }

    private void checkApplied(ObjectNode applied) {
        String version = applied.path("apiVersion").asText("");
        String kind = applied.path("kind").asText("");
        if (!version.equals(apiVersion) || !kind.equals(target.kind())) {
            throw Statuses.badRequest("invalid object type: " + groupVersionKind(version, kind));
        }
        JsonNode fields = applied.path("metadata").get("managedFields");
        if (fields != null && !fields.isNull()) {
            throw Statuses.badRequest("metadata.managedFields must be nil");
        }
        String wrong = Typed.validate(applied, target.schema());
        if (!wrong.isEmpty()) {
            throw Statuses.raw("failed to create typed patch object (" + describe(applied) + "): " + wrong);
        }
    }

    private static String groupVersionKind(String apiVersion, String kind) {
        return (apiVersion.indexOf('/') < 0 ? "/" : "") + apiVersion + ", Kind=" + kind;
    }

    private static String describe(ObjectNode object) {
        JsonNode meta = object.path("metadata");
        return meta.path("namespace").asText("") + "/" + meta.path("name").asText("") + "; "
                + groupVersionKind(
                        object.path("apiVersion").asText(""),
                        object.path("kind").asText(""));
    }

    /** Takes what changed from everybody, and gives what is new or different to the writer. */
    private void trackChange(ObjectNode before, ObjectNode after, ManagedFields managed, Identity writer, String now) {
        managed.entries.values().removeIf(e -> !isKnown(e.apiVersion()));
        Comparison all = Typed.compare(before, after, target.schema());
        if (!all.isSame()) {
            Comparison change = all.without(resetFields);
            takeFromOthers(managed, change, writer);
            managed.entries.computeIfPresent(writer, (i, e) -> e.without(change.removed()));
            FieldSet gained = change.modified().union(change.added()).difference(NEVER_OWNED);
            if (!gained.isEmpty()) {
                Entry earlier = managed.entries.remove(writer);
                Entry entry =
                        earlier == null ? new Entry(gained, apiVersion, now) : earlier.with(gained, apiVersion, now);
                managed.entries.put(writer, entry);
            }
        }
        managed.entries.values().removeIf(Entry::isEmpty);
        managed.cap();
    }

    private boolean isKnown(String version) {
        return version.equals(apiVersion) || isServed.test(version);
    }

    private static void takeFromOthers(ManagedFields managed, Comparison change, Identity except) {
        if (managed.entries.isEmpty() || managed.entries.size() == 1 && managed.entries.containsKey(except)) {
            return;
        }
        FieldSet taken = change.modified().union(change.added()).union(change.removed());
        managed.entries.replaceAll((identity, entry) -> identity.equals(except) ? entry : entry.without(taken));
    }

    /** One apply: what it would change, whom that would hurt, and then the change itself. */
    private final class Application {
        private final ObjectNode before;
        private final ObjectNode applied;
        private final ManagedFields managed;
        private final Identity self;
        private final @Nullable Entry last;
        private final FieldSet fields;
        private final JsonNode after;
        private final Comparison change;

        Application(ObjectNode before, ObjectNode applied, ManagedFields managed, String manager) {
            this.before = before;
            this.applied = applied;
            this.managed = managed;
            this.self = Identity.of(manager, true, apiVersion, subresource);
            managed.entries.values().removeIf(e -> !isKnown(e.apiVersion()));
            this.last = managed.entries.get(self);
            this.fields = Typed.fields(applied, target.schema()).recursiveDifference(resetFields);
            this.after = prune(Typed.merge(before, applied, target.schema()));
            this.change = Typed.compare(before, after, target.schema()).without(resetFields);
        }

        /** Drops what this applier applied the last time, no longer does, and nobody else owns. */
        private JsonNode prune(JsonNode merged) {
            if (last == null || last.fields().isEmpty()) {
                return merged;
            }
            Schema schema = target.schema();
            Typed.View view = Typed.View.of(schema);
            FieldSet lastFields = last.fields().withNamedFields(view);
            FieldSet mergedFields = Typed.fields(merged, schema).withNamedFields(view);
            JsonNode pruned = Typed.remove(merged, lastFields, schema);

            FieldSet owned = fields;
            for (var entry : managed.entries.entrySet()) {
                if (!entry.getKey().equals(self)) {
                    owned = owned.union(entry.getValue().fields());
                }
            }
            FieldSet kept = Typed.fields(pruned, schema).withNamedFields(view).union(owned.withNamedFields(view));
            pruned = Typed.remove(merged, mergedFields.difference(kept), schema);

            FieldSet gone = mergedFields.difference(Typed.fields(pruned, schema).withNamedFields(view));
            return Typed.remove(merged, gone.intersection(lastFields), schema);
        }

        /** The fields that would change hands, by whom they would leave. */
        Map<Identity, FieldSet> conflicts() {
            FieldSet set = change.modified().union(change.added());
            Map<Identity, FieldSet> conflicts = new TreeMap<>();
            managed.entries.forEach((identity, entry) -> {
                FieldSet conflict =
                        identity.equals(self) ? FieldSet.EMPTY : entry.fields().intersection(set);
                if (!conflict.isEmpty()) {
                    conflicts.put(identity, conflict);
                }
            });
            return conflicts;
        }

        ObjectNode finish(String now) {
            takeFromOthers(managed, change, self);
            boolean same = after.equals(before);
            String time = !same ? now : last == null ? null : last.time();
            managed.entries.put(self, new Entry(fields.difference(NEVER_OWNED), apiVersion, time));
            managed.entries.values().removeIf(Entry::isEmpty);
            if (same) {
                return before.deepCopy();
            }
            ObjectNode result = after instanceof ObjectNode o ? o : NODES.objectNode();
            if (target.custom()) {
                return result.deepCopy();
            }
            try {
                return DECODER.convert(result, target.schema()).object();
            } catch (DecodeException e) {
                throw Statuses.raw(
                        "failed to convert new typed object (" + describe(applied) + ") to object: " + e.getMessage());
            }
        }
    }

    // Somebody who comes from client-side apply has been the owner all along of what is still as it was applied.
    private FieldSet unchangedSinceLastApplied(ObjectNode live) {
        String text =
                live.path("metadata").path("annotations").path(LAST_APPLIED).asText("");
        if (text.isEmpty()) {
            return FieldSet.EMPTY;
        }
        try {
            if (!(MAPPER.readTree(text) instanceof ObjectNode last)
                    || !last.path("apiVersion").asText("").equals(apiVersion)
                    || !Typed.validate(last, target.schema()).isEmpty()) {
                return FieldSet.EMPTY;
            }
            Comparison comparison = Typed.compare(last, live, target.schema());
            return Typed.fields(last, target.schema())
                    .difference(comparison.modified())
                    .difference(comparison.added())
                    .difference(comparison.removed());
        } catch (JsonProcessingException e) {
            return FieldSet.EMPTY;
        }
    }

    private static void renewLastApplied(ObjectNode result, ObjectNode applied) {
        if (!(result.path("metadata").get("annotations") instanceof ObjectNode annotations)
                || annotations.path(LAST_APPLIED).asText("").isEmpty()) {
            return;
        }
        ObjectNode copy = applied.deepCopy();
        if (copy.path("metadata").get("annotations") instanceof ObjectNode own) {
            own.remove(LAST_APPLIED);
            if (own.isEmpty()) {
                ((ObjectNode) copy.get("metadata")).remove("annotations");
            }
        }
        String text = Canonical.sorted(copy)
                        .toString()
                        .replace("<", "\\u003c")
                        .replace(">", "\\u003e")
                        .replace("&", "\\u0026")
                + "\n";
        annotations.put(LAST_APPLIED, text);
    }

    private static StatusException conflict(Map<Identity, FieldSet> conflicts) {
        ObjectNode details = NODES.objectNode();
        ArrayNode causes = details.putArray("causes");
        List<String> lines = new ArrayList<>();
        conflicts.forEach((identity, fields) -> {
            lines.add("conflicts with " + identity.shown() + ":");
            fields.forEach(path -> {
                String shown = show(path);
                lines.add("- " + shown);
                causes.addObject()
                        .put("reason", "FieldManagerConflict")
                        .put("message", "conflict with " + identity.shown())
                        .put("field", shown);
            });
        });
        int count = causes.size();
        String message = count == 1
                ? "Apply failed with 1 conflict: "
                        + causes.get(0).get("message").asText() + ": "
                        + causes.get(0).get("field").asText()
                : "Apply failed with " + count + " conflicts: " + String.join("\n", lines);
        return Statuses.of(409, "Conflict", message, details);
    }

    private static String show(List<PathElement> path) {
        StringBuilder text = new StringBuilder();
        path.forEach(element -> text.append(element.shown()));
        return text.toString();
    }

    private static boolean isStored(@Nullable ObjectNode live) {
        return live != null && !live.path("metadata").path("uid").asText("").isEmpty();
    }

    private static ObjectNode withoutManagedFields(ObjectNode object) {
        if (!(object.get("metadata") instanceof ObjectNode meta) || !meta.has("managedFields")) {
            return object;
        }
        ObjectNode copy = NODES.objectNode();
        copy.setAll(object);
        ObjectNode bare = NODES.objectNode();
        bare.setAll(meta);
        bare.remove("managedFields");
        copy.set("metadata", bare);
        return copy;
    }

    private static void setManagedFields(ObjectNode object, @Nullable ArrayNode list) {
        if (list != null) {
            object.withObject("/metadata").set("managedFields", list);
        } else if (object.get("metadata") instanceof ObjectNode meta) {
            meta.remove("managedFields");
        }
    }

    private static String timeText(Instant now) {
        long second = now.getEpochSecond();
        Second known = last;
        if (known.epoch() != second) {
            known = new Second(second, now.truncatedTo(ChronoUnit.SECONDS).toString());
            last = known;
        }
        return known.text();
    }

    private record Second(long epoch, String text) {}

    // Races only lose one.
    private static volatile Second last = new Second(Long.MIN_VALUE, "");
}
