package io.trimtab.simulate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.client.KubernetesJson;
import io.trimtab.controller.ControllerProvider;
import io.trimtab.controllers.ControllerTable;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.Cluster;
import io.trimtab.standalone.ClusterOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one controller would do to a cluster: the calls it would make, and how the objects would differ then. Nobody answers to
 * what it does: no other controller, no scheduler, no node. Immutable.
 *
 * @since 0.1
 */
public final class ControllerPlan {
    /** How long a controller may take to come to rest, in virtual time. */
    private static final Duration REST = Duration.ofMinutes(2);

    /**
     * A write.
     *
     * @param at since the begin
     * @param actor who made it
     * @param resource such as {@code deployments.apps/status}
     * @param code HTTP's
     * @param message why it was refused; empty if it was not
     * @param changes which fields it would change, in a line, or {@code nothing}; empty unless it changes an object of a replay
     */
    public record Call(
            Duration at,
            String actor,
            String verb,
            String resource,
            String namespace,
            String name,
            int code,
            String message,
            String changes) {
        @Override
        public String toString() {
            return verb + " " + resource + " " + (namespace.isEmpty() ? "" : namespace + "/") + name
                    + (code >= 300 ? " -> " + code + " " + message : "")
                    + (changes.isEmpty() ? "" : ": " + changes);
        }
    }

    private final List<Call> calls;
    private final List<Objects.Change> changes;
    private final Map<Objects.Key, ObjectNode> end;
    private final List<String> notes;

    private ControllerPlan(
            List<Call> calls, List<Objects.Change> changes, Map<Objects.Key, ObjectNode> end, List<String> notes) {
        this.calls = List.copyOf(calls);
        this.changes = changes;
        this.end = end;
        this.notes = notes;
    }

    /**
     * What one of Kubernetes' controllers would do, or the scheduler.
     *
     * @param name as in {@code --controllers}, or {@code scheduler}
     */
    public static ControllerPlan of(ClusterState state, String name) {
        if (!name.equals("scheduler")) {
            try {
                ControllerTable.check(List.of(name));
            } catch (IllegalArgumentException e) {
                throw new SimulationException(
                        String.valueOf(e.getMessage()).replace("--controllers", "--controller") + ", scheduler", e);
            }
        }
        return of(state, name, null);
    }

    /** What a controller of one's own would do. */
    public static ControllerPlan of(ClusterState state, ControllerProvider program) {
        return of(state, "", program);
    }

    private static ControllerPlan of(ClusterState state, String name, @Nullable ControllerProvider program) {
        ClusterSimulation.Prepared prepared = ClusterSimulation.Prepared.of(state, List.of(), 1, null);
        VirtualDriver driver = prepared.driver();
        ClusterOptions options = ClusterOptions.IN_MEMORY
                .withApiServer(prepared.options())
                .withNodes(List.of())
                .withControllers(name.isEmpty() || name.equals("scheduler") ? List.of() : List.of(name))
                .withScheduler(name.equals("scheduler"));
        CallLog log = new CallLog(driver, false);
        prepared.server().listenIn(log::between);
        List<String> notes = new ArrayList<>(prepared.notes());
        MemoryStore[] beginning = new MemoryStore[1];
        try (Cluster cluster = Cluster.start(options, driver, prepared.server(), agents -> agents, made -> {
            ClusterSimulation.applyUnborn(prepared, new Hand(made, driver, told -> {}), driver, notes::add);
            if (program != null) {
                made.manager().add(program.controller(new AdminManager(made)));
            }
            beginning[0] = prepared.store().fork();
        })) {
            driver.settle();
            driver.advance(REST);
            var resources = cluster.apiServer().server().resources();
            Map<Objects.Key, ObjectNode> end = Objects.all(prepared.store(), resources);
            return new ControllerPlan(
                    log.calls(), Objects.changes(Objects.all(beginning[0], resources), end), end, notes);
        } finally {
            driver.close();
        }
    }

    /** The writes, in order, without events and leases. */
    public List<Call> calls() {
        return calls;
    }

    /** Whether it would write nothing. */
    public boolean isEmpty() {
        return calls.isEmpty();
    }

    /** For each object that would be made ({@code +}), changed ({@code ~}) or deleted ({@code -}), which fields how. */
    public String diff() {
        StringBuilder text = new StringBuilder();
        changes.forEach(change -> Objects.print(change, end.get(change.key()), text));
        return text.toString();
    }

    /** The differences, then the calls. */
    public String text() {
        StringBuilder text = new StringBuilder();
        notes.forEach(note -> text.append("# ").append(note).append('\n'));
        if (calls.isEmpty()) {
            return text.append("nothing to do\n").toString();
        }
        text.append(diff()).append('\n');
        calls.forEach(call -> text.append(call).append('\n'));
        return text.toString();
    }

    /** For programs. */
    public ObjectNode json() {
        ObjectNode root = KubernetesJson.mapper().createObjectNode();
        notes.forEach(root.putArray("notes")::add);
        calls(root.putArray("calls"), calls);
        ArrayNode differences = root.putArray("differences");
        changes.forEach(change -> {
            ObjectNode line = differences.addObject();
            line.put("sign", String.valueOf(change.sign()));
            line.put("object", change.key().toString());
            ArrayNode fields = line.putArray("fields");
            change.fields().forEach(field -> {
                ObjectNode one = fields.addObject().put("path", field.path());
                one.set("before", field.before());
                one.set("after", field.after());
            });
            if (change.sign() == '+') {
                line.set("made", end.get(change.key()));
            }
        });
        return root;
    }

    static void calls(ArrayNode array, List<Call> calls) {
        calls.forEach(call -> {
            ObjectNode line = array.addObject()
                    .put("at", call.at().toMillis() / 1000.0)
                    .put("actor", call.actor())
                    .put("verb", call.verb())
                    .put("resource", call.resource())
                    .put("namespace", call.namespace())
                    .put("name", call.name())
                    .put("code", call.code())
                    .put("message", call.message());
            if (!call.changes().isEmpty()) {
                line.put("changes", call.changes());
            }
        });
    }
}
