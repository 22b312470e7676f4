package io.trimtab.junit;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.rbac.PolicyRuleBuilder;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.controller.Request;
import io.trimtab.simulate.Fields;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Judges what programs do while they do it. What is judged at the end is in {@link Verdict}. For the thread that drives. */
final class Oracles {
    private static final int WRITES_AN_INSTANT = 60;
    private static final int RECONCILES_AN_INSTANT = 300;
    private static final int REQUESTS_AN_INSTANT = 5_000;
    private static final int FAILURES_IN_A_ROW = 10;

    /** An object that a program made. */
    record Made(History.Target target, String version, String uid, int call) {}

    /** The same request, refused again and again. */
    record Failing(String program, String verb, History.Target target) {}

    private record Refused(int count, int code, int call) {}

    private final Cluster cluster;
    private final Set<Oracle> without;
    private final List<OracleViolation> found = new ArrayList<>();
    private boolean off;
    private Instant instant = Instant.MIN;
    private final Map<Object, Integer> counts = new HashMap<>();
    private final Map<String, Made> made = new LinkedHashMap<>();
    private final Map<Failing, Refused> failing = new LinkedHashMap<>();
    /** Finalizers that each program has added, by program. */
    private final Map<String, Set<String>> finalizers = new HashMap<>();
    /** By life: the leases it runs for, and as whom it has held them. */
    private final Map<Gate, Map<History.Target, String>> leases = new java.util.WeakHashMap<>();
    /** Programs that have run for a lease. */
    private final Set<String> electing = new HashSet<>();

    Oracles(Cluster cluster, Set<Oracle> without) {
        this.cluster = cluster;
        this.without = without;
    }

    boolean asks(Oracle oracle) {
        return !off && !without.contains(oracle);
    }

    /** No more judging: the cluster is being taken down. */
    void end() {
        off = true;
    }

    /** Throws the first violation that was found while the cluster was driven. */
    void raise() {
        if (!found.isEmpty()) {
            throw found.get(0);
        }
    }

    List<OracleViolation> found() {
        return found;
    }

    Map<String, Made> made() {
        return made;
    }

    Set<String> finalizersOf(Instance instance) {
        return finalizers.getOrDefault(instance.name(), Set.of());
    }

    boolean runsForLease(Instance instance) {
        return electing.contains(instance.name());
    }

    OracleViolation violated(Oracle oracle, Instance instance, int entry, String message) {
        StringBuilder text = new StringBuilder(oracle.claim() + ": " + message);
        List<String> chain = cluster.history().chain(entry);
        if (!chain.isEmpty()) {
            text.append("\n  How it came to that, the newest first:");
            chain.forEach(line -> text.append("\n    ").append(line));
        }
        text.append("\n  Oracle.")
                .append(oracle)
                .append(", program ")
                .append(instance.name())
                .append("; ")
                .append(cluster.replay());
        return new OracleViolation(oracle, instance.name(), text.toString());
    }

    /** What went wrong is of no program in particular. */
    OracleViolation unequal(String message) {
        String programs =
                cluster.instances().stream().map(Instance::name).collect(java.util.stream.Collectors.joining(", "));
        StringBuilder text = new StringBuilder(Oracle.SAME_END_STATE.claim() + ": " + message);
        List<String> faults = cluster.history().tail(15, e -> e.actor().equals("fault"));
        if (!faults.isEmpty()) {
            text.append("\n  What went wrong in this run:");
            faults.forEach(line -> text.append("\n    ").append(line));
        }
        text.append("\n  Oracle.SAME_END_STATE, programs ")
                .append(programs)
                .append("; ")
                .append(cluster.replay());
        return new OracleViolation(Oracle.SAME_END_STATE, programs, text.toString());
    }

    private void report(Oracle oracle, Instance instance, int entry, String message) {
        if (asks(oracle)) {
            cluster.history().note("oracle", oracle.claim() + ": " + message);
            found.add(violated(oracle, instance, entry, message));
        }
    }

    private int count(Object what) {
        if (!cluster.now().equals(instant)) {
            instant = cluster.now();
            counts.clear();
        }
        return counts.merge(what, 1, Integer::sum);
    }

    // ---- While it works --------------------------------------------------------------------------------------------

    void beforeReconcile(Instance instance, String controller, Request request) {
        if (count(List.of(instance, controller, request)) == RECONCILES_AN_INSTANT && asks(Oracle.NO_HOT_LOOP)) {
            report(
                    Oracle.NO_HOT_LOOP,
                    instance,
                    cluster.history().size(),
                    "expected " + controller + " to come to rest over " + request + ", but it has reconciled it "
                            + RECONCILES_AN_INSTANT + " times at " + cluster.now());
            instance.crash();
        }
    }

    void afterRead(Gate gate, RequestInfo info, int code) {
        Instance instance = gate.instance();
        if (info.resource().equals("leases") && !info.name().isEmpty()) {
            electing.add(instance.name());
            leases.computeIfAbsent(gate, g -> new HashMap<>())
                    .putIfAbsent(History.Target.of(info).object(), "");
        }
        refusal(
                gate,
                info.verb(),
                History.Target.of(info),
                code,
                cluster.history().size());
        tooMany(instance);
    }

    private void tooMany(Instance instance) {
        if (count(instance) == REQUESTS_AN_INSTANT && asks(Oracle.NO_HOT_LOOP)) {
            report(
                    Oracle.NO_HOT_LOOP,
                    instance,
                    cluster.history().size(),
                    "expected " + instance.name() + " to come to rest, but it has sent " + REQUESTS_AN_INSTANT
                            + " requests at " + cluster.now());
            instance.crash();
        }
    }

    void afterWrite(
            Gate gate,
            ApiRequest request,
            History.Call call,
            @Nullable StoredObject before,
            @Nullable StoredObject after) {
        Instance instance = gate.instance();
        History.Target target = call.target().object();
        refusal(gate, call.verb(), call.target(), call.code(), call.number());
        if (call.target().resource().equals("leases")) {
            if (call.code() < 300 && after != null) {
                electing.add(instance.name());
                leases.computeIfAbsent(gate, g -> new HashMap<>())
                        .put(
                                target,
                                after.tree().path("spec").path("holderIdentity").asText(""));
            }
            return;
        }
        if (call.target().resource().equals("events") || call.code() >= 300) {
            return;
        }
        if (count(List.of(instance, target)) == WRITES_AN_INSTANT) {
            report(
                    Oracle.NO_HOT_LOOP,
                    instance,
                    call.number(),
                    "expected " + instance.name() + " to come to rest, but it has written " + target + " "
                            + WRITES_AN_INSTANT + " times at " + cluster.now());
            instance.crash();
        }
        tooMany(instance);
        leaderOnly(gate, call);
        if (!call.changed()) {
            return;
        }
        if (before == null && after != null) {
            String version = RequestInfo.of(request).version();
            made.put(after.uid(), new Made(target, version, after.uid(), call.number()));
        }
        if (after != null) {
            JsonNode metadata = after.tree().path("metadata");
            observedGeneration(gate, call, before, after);
            Set<String> own = finalizers.computeIfAbsent(instance.name(), n -> new HashSet<>());
            Set<String> had =
                    texts(before == null ? null : before.tree().path("metadata").path("finalizers"));
            Set<String> has = texts(metadata.path("finalizers"));
            has.stream().filter(f -> !had.contains(f)).forEach(own::add);
            if (before != null) {
                finalizers(instance, call, before, had, has, own);
                oneOwner(instance, call, before, after);
                String type = Objects.requireNonNullElse(request.header("content-type"), "");
                if (!type.contains("apply-patch")) {
                    lostUpdate(gate, call, before, after);
                }
            }
        } else if (before != null) {
            // The object went with its last finalizer.
            Set<String> had = texts(before.tree().path("metadata").path("finalizers"));
            if (!call.verb().equals("delete")) {
                finalizers(
                        instance,
                        call,
                        before,
                        had,
                        Set.of(),
                        finalizers.computeIfAbsent(instance.name(), n -> new HashSet<>()));
            }
        }
    }

    private void refusal(Gate gate, String verb, History.Target target, int code, int entry) {
        Instance instance = gate.instance();
        Failing what = new Failing(instance.name(), verb, target);
        if (code < 400 || code == 404 && verb.equals("get")) {
            failing.remove(what);
            return;
        }
        if (code == 403 && cluster.hasRole(instance)) {
            report(
                    Oracle.ROLE_FITS,
                    instance,
                    entry,
                    "expected the role of " + instance.name() + " to allow " + verb + " " + target
                            + ", but it does not; the rule that is missing:\n"
                            + LearnedRole.yaml(new PolicyRuleBuilder()
                                            .withApiGroups(target.group())
                                            .withResources(
                                                    target.subresource().isEmpty()
                                                            ? target.resource()
                                                            : target.resource() + "/" + target.subresource())
                                            .withVerbs(verb)
                                            .build())
                                    .indent(4)
                                    .stripTrailing());
        }
        Refused until = failing.get(what);
        failing.put(what, new Refused(until == null || until.code() != code ? 1 : until.count() + 1, code, entry));
    }

    /** Requests that have failed many times in a row, and not succeeded since. */
    void failingForEver() {
        failing.forEach((what, refused) -> {
            if (refused.count() >= FAILURES_IN_A_ROW) {
                cluster.instance(what.program())
                        .ifPresent(instance -> report(
                                Oracle.NO_REPEATED_FAILURE,
                                instance,
                                refused.call(),
                                "expected " + what.verb() + " " + what.target()
                                        + " to succeed at last, or not to be tried for ever; it was answered "
                                        + refused.code() + " " + refused.count() + " times in a row"));
            }
        });
    }

    private void leaderOnly(Gate gate, History.Call call) {
        Map<History.Target, String> running = leases.get(gate);
        if (running == null || !asks(Oracle.LEADER_ONLY)) {
            return;
        }
        running.forEach((lease, identity) -> {
            StoredObject now = cluster.stored("coordination.k8s.io", "v1", "leases", lease.namespace(), lease.name());
            if (now == null) {
                return;
            }
            JsonNode spec = now.tree().path("spec");
            String holder = spec.path("holderIdentity").asText("");
            boolean expired = isExpired(spec);
            if (!holder.isEmpty() && (!holder.equals(identity) || expired)) {
                report(
                        Oracle.LEADER_ONLY,
                        gate.instance(),
                        call.number(),
                        "expected " + gate.instance().name() + " to write only while it holds the lease " + lease.key()
                                + ", but at " + call.what() + " the lease "
                                + (holder.equals(identity) ? "had expired" : "was held by " + holder));
            }
        });
    }

    private boolean isExpired(JsonNode spec) {
        String renewed = spec.path("renewTime").asText("");
        return !renewed.isEmpty()
                && spec.has("leaseDurationSeconds")
                && Instant.parse(renewed)
                        .plusSeconds(spec.path("leaseDurationSeconds").asLong())
                        .isBefore(cluster.now());
    }

    private void observedGeneration(Gate gate, History.Call call, @Nullable StoredObject before, StoredObject after) {
        long generation = after.tree().path("metadata").path("generation").asLong();
        long observed = after.tree().path("status").path("observedGeneration").asLong();
        long was = before == null
                ? 0
                : before.tree().path("status").path("observedGeneration").asLong();
        if (observed == was) {
            return;
        }
        if (observed > generation) {
            report(
                    Oracle.OBSERVED_GENERATION,
                    gate.instance(),
                    call.number(),
                    "expected status.observedGeneration of " + call.target().object() + " to be " + generation
                            + " at most, its generation, but " + gate.instance().name() + " wrote " + observed);
            return;
        }
        History.Target target = call.target().object();
        long seen = gate.seenBefore(target, after.revision());
        History.Version shown = cluster.history().versionAt(target, seen);
        StoredObject object = shown == null ? null : shown.object();
        long most = object == null
                ? Long.MAX_VALUE
                : object.tree().path("metadata").path("generation").asLong();
        if (observed > most) {
            report(
                    Oracle.OBSERVED_GENERATION,
                    gate.instance(),
                    call.number(),
                    "expected " + gate.instance().name() + " to write the generation of " + target
                            + " that it has seen, " + most + " at most, but it wrote " + observed);
        }
    }

    private void finalizers(
            Instance instance,
            History.Call call,
            StoredObject before,
            Set<String> had,
            Set<String> has,
            Set<String> own) {
        Set<String> removed = new LinkedHashSet<>(had);
        removed.removeAll(has);
        boolean deleting = before.tree().path("metadata").has("deletionTimestamp");
        for (String finalizer : removed) {
            if (!own.contains(finalizer) && !(deleting && removed.size() == 1)) {
                report(
                        Oracle.FINALIZERS_KEPT,
                        instance,
                        call.number(),
                        "expected " + instance.name() + " to leave the finalizer " + finalizer + " of "
                                + call.target().object() + " to those who put it there, but it removed it");
                return;
            }
        }
    }

    private void oneOwner(Instance instance, History.Call call, StoredObject before, StoredObject after) {
        JsonNode was = controller(before);
        JsonNode is = controller(after);
        if (was == null || is == null || was.path("uid").equals(is.path("uid"))) {
            return;
        }
        if (cluster.isAlive(was, before.namespace())) {
            report(
                    Oracle.ONE_OWNER,
                    instance,
                    call.number(),
                    "expected " + call.target().object() + " to stay with its owner "
                            + was.path("kind").asText() + " " + was.path("name").asText() + ", which lives, but "
                            + instance.name() + " gave it to " + is.path("kind").asText() + " "
                            + is.path("name").asText());
        }
    }

    static @Nullable JsonNode controller(StoredObject object) {
        for (JsonNode owner : object.tree().path("metadata").path("ownerReferences")) {
            if (owner.path("controller").asBoolean()) {
                return owner;
            }
        }
        return null;
    }

    private void lostUpdate(Gate gate, History.Call call, StoredObject before, StoredObject after) {
        History.Target target = call.target().object();
        long seen = gate.seenBefore(target, after.revision());
        if (seen == 0 || seen >= before.revision()) {
            return;
        }
        History.Version base = cluster.history().versionAt(target, seen);
        StoredObject object = base == null ? null : base.object();
        if (object == null || !object.uid().equals(before.uid())) {
            return;
        }
        String self = gate.instance().name();
        boolean others = cluster.history().versionsBetween(target, seen, before.revision()).stream()
                .anyMatch(version -> !version.actor().equals(self));
        if (!others) {
            return;
        }
        for (Fields.Difference change : Fields.differences(object.tree(), before.tree())) {
            JsonNode now = Fields.at(after.tree(), change.path());
            if (Objects.equals(now, change.before())) {
                report(
                        Oracle.NO_LOST_UPDATE,
                        gate.instance(),
                        call.number(),
                        "expected " + self + ", which had seen " + target + " at revision " + seen
                                + ", not to take back what others changed until revision " + before.revision()
                                + ", but it did: " + change + ", and back again");
                return;
            }
        }
    }

    void cachedObjectEdited(Instance instance, HasMetadata object, String was, String now, String when) {
        report(
                Oracle.CACHE_UNTOUCHED,
                instance,
                cluster.history().current(),
                "expected the cached " + Cluster.name(object) + " to stay as it was, but after " + when
                        + " it is another: " + Fields.changes(Gate.tree(was), Gate.tree(now)));
    }

    static Set<String> texts(@Nullable JsonNode array) {
        Set<String> texts = new LinkedHashSet<>();
        if (array != null) {
            array.forEach(value -> texts.add(value.asText()));
        }
        return texts;
    }
}
