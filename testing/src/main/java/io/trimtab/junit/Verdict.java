package io.trimtab.junit;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.controller.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Judges the programs of a cluster when a test is over: lets everything come to rest, asks them to do what they have done already,
 * starts them anew, closes them. Stateless.
 */
final class Verdict {
    private static final Duration QUIET = Duration.ofMinutes(1);
    /** A write every three seconds is a heartbeat; more is a loop. */
    private static final int WRITES_A_MINUTE = 20;

    private static final int RECONCILES_A_MINUTE = 120;
    /** Longer than any lease that a dead leader may still hold. */
    private static final Duration ELECTION = Duration.ofSeconds(40);

    private Verdict() {}

    /** @throws OracleViolation for the first claim that does not hold */
    static EndState of(Cluster cluster) {
        List<Instance> programs = cluster.instances();
        Oracles oracles = cluster.oracles();
        oracles.raise();
        if (programs.isEmpty()) {
            return EndState.of(cluster);
        }
        cluster.faults().end();
        cluster.ordinaryOrder();
        programs.forEach(Instance::heal);
        cluster.healNodes();
        cluster.time().settle();
        quiet(cluster, programs);
        oracles.failingForEver();
        oracles.raise();
        EndState end = EndState.of(cluster);
        orphans(cluster);
        deletions(cluster);
        idempotence(cluster, programs);
        convergence(cluster, programs);
        oracles.raise();
        roles(cluster, programs);
        for (Instance program : programs) {
            List<String> left = program.close();
            cluster.time().settle();
            if (!left.isEmpty() && oracles.asks(Oracle.NO_LEAKED_WATCH)) {
                throw oracles.violated(
                        Oracle.NO_LEAKED_WATCH,
                        program,
                        0,
                        "expected " + program.name() + " to close its watches when it is closed, but it left open: "
                                + left);
            }
        }
        oracles.end();
        return end;
    }

    private static void quiet(Cluster cluster, List<Instance> programs) {
        int from = cluster.history().size();
        cluster.time().advance(QUIET);
        // Faults may have sent something into a long back-off: what still moves is given more time.
        for (int i = 0; i < 5 && cluster.history().size() > from && wrote(cluster, programs, from); i++) {
            from = cluster.history().size();
            cluster.time().advance(QUIET);
        }
        if (!cluster.oracles().asks(Oracle.NO_HOT_LOOP)) {
            return;
        }
        Map<Object, Integer> writes = new HashMap<>();
        Map<Object, Integer> reconciles = new HashMap<>();
        for (History.Entry entry : since(cluster, from)) {
            Instance program = cluster.instance(entry.actor()).orElse(null);
            if (program == null) {
                continue;
            }
            if (entry instanceof History.Call call && call.isWrite() && !isBookkeeping(call)) {
                if (writes.merge(List.of(call.actor(), call.target()), 1, Integer::sum) > WRITES_A_MINUTE) {
                    throw cluster.oracles()
                            .violated(
                                    Oracle.NO_HOT_LOOP,
                                    program,
                                    call.number(),
                                    "expected " + program.name() + " to come to rest, but it writes "
                                            + call.target().object() + " more than " + WRITES_A_MINUTE
                                            + " times a minute, with nobody else doing anything");
                }
            } else if (entry instanceof History.Reconcile reconcile
                    && reconciles.merge(List.of(reconcile.controller(), reconcile.key()), 1, Integer::sum)
                            > RECONCILES_A_MINUTE) {
                throw cluster.oracles()
                        .violated(
                                Oracle.NO_HOT_LOOP,
                                program,
                                reconcile.number(),
                                "expected " + reconcile.controller() + " to come to rest over " + reconcile.key()
                                        + ", but it reconciles it more than " + RECONCILES_A_MINUTE
                                        + " times a minute, with nobody else doing anything");
            }
        }
    }

    private static boolean wrote(Cluster cluster, List<Instance> programs, int from) {
        return since(cluster, from).stream()
                .anyMatch(entry -> entry instanceof History.Call call
                        && call.isWrite()
                        && !isBookkeeping(call)
                        && programs.stream().anyMatch(p -> p.name().equals(call.actor())));
    }

    private static boolean isBookkeeping(History.Call call) {
        return call.target().resource().equals("events")
                || call.target().resource().equals("leases");
    }

    private static List<History.Entry> since(Cluster cluster, int number) {
        return cluster.history().entries().stream()
                .filter(entry -> entry.number() > number)
                .toList();
    }

    private static History.@Nullable Call firstWrite(Cluster cluster, Instance program, int since) {
        for (History.Entry entry : since(cluster, since)) {
            if (entry instanceof History.Call call
                    && call.actor().equals(program.name())
                    && call.isWrite()
                    && call.changed()
                    && !isBookkeeping(call)) {
                return call;
            }
        }
        return null;
    }

    private static void idempotence(Cluster cluster, List<Instance> programs) {
        if (!cluster.oracles().asks(Oracle.IDEMPOTENCE)) {
            return;
        }
        // Another second, or times that are written down would come out the same.
        cluster.time().advance(Duration.ofSeconds(2));
        for (Instance program : programs) {
            Life life = program.life();
            ProgramManager manager = life == null ? null : life.managerIfAny();
            if (manager == null || cluster.oracles().runsForLease(program)) {
                continue; // what a leader's reconciler may do, others' may not
            }
            for (ProgramManager.Known controller : manager.controllers()) {
                for (Request key : Set.copyOf(controller.keys())) {
                    int from = cluster.history().size();
                    int entry = cluster.history()
                            .reconcile(program.name(), controller.controller(), key.toString(), List.of());
                    int before = cluster.history().enter(entry);
                    try {
                        controller.reconciler().reconcile(key);
                    } catch (Exception | ProcessDied e) {
                        cluster.history().note(program.name(), "failed to reconcile " + key + ": " + e);
                    } finally {
                        cluster.history().enter(before);
                    }
                    History.Call write = firstWrite(cluster, program, from);
                    if (write != null) {
                        throw cluster.oracles()
                                .violated(
                                        Oracle.IDEMPOTENCE,
                                        program,
                                        write.number(),
                                        "expected " + controller.controller() + " to write nothing when " + key
                                                + " is reconciled once more, with nothing changed, but it did: "
                                                + write.what());
                    }
                }
            }
        }
        cluster.time().settle();
    }

    private static void convergence(Cluster cluster, List<Instance> programs) {
        if (!cluster.oracles().asks(Oracle.CONVERGENCE) || programs.isEmpty()) {
            return;
        }
        cluster.time().advance(Duration.ofSeconds(2));
        for (Instance program : programs) {
            int from = cluster.history().size();
            program.crash();
            program.start();
            cluster.time().settle();
            cluster.time().advance(cluster.oracles().runsForLease(program) ? ELECTION : Duration.ofSeconds(5));
            History.Call write = firstWrite(cluster, program, from);
            if (write != null) {
                throw cluster.oracles()
                        .violated(
                                Oracle.CONVERGENCE,
                                program,
                                write.number(),
                                "expected all work to be done when nothing moved any more, but after a restart "
                                        + program.name() + " found something to do: " + write.what());
            }
        }
    }

    private static void orphans(Cluster cluster) {
        if (!cluster.oracles().asks(Oracle.NO_ORPHANS)) {
            return;
        }
        for (Oracles.Made made : cluster.oracles().made().values()) {
            History.Target target = made.target();
            StoredObject now = cluster.stored(
                    target.group(), made.version(), target.resource(), target.namespace(), target.name());
            if (now == null
                    || !now.uid().equals(made.uid())
                    || now.tree().path("metadata").has("deletionTimestamp")) {
                continue;
            }
            JsonNode owners = now.tree().path("metadata").path("ownerReferences");
            String gone = null;
            if (owners.size() > 0) {
                boolean alive = false;
                for (JsonNode owner : owners) {
                    alive |= cluster.isAlive(owner, target.namespace());
                }
                gone = alive
                        ? null
                        : owners.get(0).path("kind").asText() + " "
                                + owners.get(0).path("name").asText();
            } else {
                gone = goneCause(cluster, made);
            }
            if (gone != null) {
                Instance program = cluster.history().find(made.call()).stream()
                        .flatMap(call -> cluster.instance(call.actor()).stream())
                        .findFirst()
                        .orElse(null);
                if (program != null) {
                    throw cluster.oracles()
                            .violated(
                                    Oracle.NO_ORPHANS,
                                    program,
                                    made.call(),
                                    "expected " + target + " to go with what it was made for, but " + gone
                                            + " is gone, and it is still there");
                }
            }
        }
    }

    /** What an object without owners was made for, if that is no more: the object whose event led to it. */
    private static @Nullable String goneCause(Cluster cluster, Oracles.Made made) {
        History.Entry entry = cluster.history().find(made.call()).orElse(null);
        for (int i = 0; i < 10 && entry != null; i++) {
            if (entry instanceof History.Told told && !told.target().equals(made.target())) {
                StoredObject now = cluster.storedAnyVersion(told.target());
                return now == null && cluster.history().everDeleted(told.target())
                        ? told.target().toString()
                        : null;
            }
            entry = cluster.history().find(entry.cause()).orElse(null);
        }
        return null;
    }

    /** Whoever puts a finalizer on an object must take it off again when the object is deleted. */
    private static void deletions(Cluster cluster) {
        if (!cluster.oracles().asks(Oracle.FINALIZERS_KEPT)) {
            return;
        }
        Set<History.Target> looked = new java.util.LinkedHashSet<>();
        for (History.Entry entry : new ArrayList<>(cluster.history().entries())) {
            if (!(entry instanceof History.Call call)
                    || !call.isWrite()
                    || !looked.add(call.target().object())) {
                continue;
            }
            Instance program = cluster.instance(call.actor()).orElse(null);
            if (program == null) {
                continue;
            }
            StoredObject now = cluster.storedAnyVersion(call.target().object());
            JsonNode metadata = now == null ? null : now.tree().path("metadata");
            if (metadata == null || !metadata.has("deletionTimestamp")) {
                continue;
            }
            Set<String> own = cluster.oracles().finalizersOf(program);
            for (String finalizer : Oracles.texts(metadata.path("finalizers"))) {
                if (own.contains(finalizer)) {
                    throw cluster.oracles()
                            .violated(
                                    Oracle.FINALIZERS_KEPT,
                                    program,
                                    call.number(),
                                    "expected " + program.name() + " to take its finalizer " + finalizer + " off "
                                            + call.target().object() + " when that is deleted, but it is still there");
                }
            }
        }
    }

    private static void roles(Cluster cluster, List<Instance> programs) {
        for (Instance program : programs) {
            List<String> unused = cluster.unusedRights(program);
            if (!unused.isEmpty() && cluster.oracles().asks(Oracle.ROLE_FITS)) {
                throw cluster.oracles()
                        .violated(
                                Oracle.ROLE_FITS,
                                program,
                                0,
                                "expected the role of " + program.name()
                                        + " to give no more than it uses, but it does not use: "
                                        + String.join(", ", unused) + "; what it uses:\n"
                                        + program.learnedRole().toYaml());
            }
        }
    }
}
