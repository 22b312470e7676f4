package io.trimtab.junit;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.simulate.Fields;
import io.trimtab.standalone.ClusterOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a program would do: its writes, and how they would change the objects. Found out on a copy; the cluster itself is only read.
 * Immutable.
 *
 * <pre>{@code
 * Plan plan = Plan.against(productionClient, "web-operator", new WebOperator(), Web.class, Deployment.class, Service.class);
 * System.out.println(plan);
 * }</pre>
 *
 * @since 0.1
 */
public final class Plan {
    /** How long a program may take to come to rest, in virtual time. */
    private static final Duration REST = Duration.ofMinutes(2);

    private final List<History.Call> calls;
    private final String diff;

    private Plan(List<History.Call> calls, String diff) {
        this.calls = calls;
        this.diff = diff;
    }

    /** What a program would do in this cluster. */
    static Plan in(Cluster cluster, String name, Program program) {
        Cluster copy = cluster.fork();
        try {
            return of(copy, name, program);
        } finally {
            cluster.drop(copy);
        }
    }

    /**
     * What a program would do in a live cluster, of which it sees these types only: they are read once, and copied. Only the program
     * runs; no controller, scheduler or node answers to what it does.
     *
     * @param live is only read from
     */
    @SafeVarargs
    public static Plan against(
            KubernetesClient live, String name, Program program, Class<? extends HasMetadata>... types) {
        ClusterOptions options = ClusterOptions.IN_MEMORY
                .withNodes(List.of())
                .withScheduler(false)
                .withControllers(List.of());
        try (Cluster copy = Cluster.start(options, VirtualDriver.Options.DEFAULT)) {
            copy.importFrom(live, types);
            return of(copy, name, program);
        }
    }

    private static Plan of(Cluster copy, String name, Program program) {
        copy.run(name, program).settle().advance(REST);
        List<History.Call> calls = copy.history().writesOf(name).stream()
                .filter(call -> !call.target().resource().equals("events")
                        && !call.target().resource().equals("leases"))
                .toList();
        Set<History.Target> touched = new LinkedHashSet<>();
        calls.forEach(call -> touched.add(call.target().object()));
        StringBuilder diff = new StringBuilder();
        for (History.Target target : touched) {
            int first = calls.stream()
                    .filter(call -> call.target().object().equals(target))
                    .findFirst()
                    .orElseThrow()
                    .number();
            StoredObject before = copy.history().before(target, first);
            diff.append(diff(target, tree(before), tree(copy.storedAnyVersion(target))));
        }
        return new Plan(calls, diff.toString());
    }

    private static @Nullable JsonNode tree(@Nullable StoredObject object) {
        return object == null ? null : object.tree();
    }

    private static String diff(History.Target target, @Nullable JsonNode before, @Nullable JsonNode after) {
        String sign = before == null ? "+" : after == null ? "-" : "~";
        StringBuilder text = new StringBuilder(sign + " " + target + "\n");
        if (before == null && after != null) {
            yaml(after).forEach(line -> text.append("    + ").append(line).append('\n'));
        } else if (after != null) {
            Map<String, List<String>> lines = new LinkedHashMap<>();
            for (Fields.Difference difference : Fields.differences(before, after)) {
                List<String> both = lines.computeIfAbsent(difference.path(), p -> new ArrayList<>());
                if (difference.before() != null) {
                    both.add("- " + difference.path() + ": " + difference.before());
                }
                if (difference.after() != null) {
                    both.add("+ " + difference.path() + ": " + difference.after());
                }
            }
            lines.values()
                    .forEach(both -> both.forEach(
                            line -> text.append("    ").append(line).append('\n')));
        }
        return text.toString();
    }

    /** Without what the server fills in. */
    private static List<String> yaml(JsonNode object) {
        JsonNode copy = object.deepCopy();
        if (copy.path("metadata") instanceof com.fasterxml.jackson.databind.node.ObjectNode metadata) {
            metadata.remove(List.of("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"));
        }
        return Serialization.asYaml(copy)
                .lines()
                .filter(line -> !line.equals("---"))
                .toList();
    }

    /** The writes, in order. */
    public List<History.Call> calls() {
        return calls;
    }

    /** Whether it would do nothing. */
    public boolean isEmpty() {
        return calls.isEmpty();
    }

    /** For each object that would be made ({@code +}), changed ({@code ~}) or deleted ({@code -}), which fields how. */
    public String diff() {
        return diff;
    }

    /** The differences, then the calls. */
    @Override
    public String toString() {
        if (calls.isEmpty()) {
            return "nothing to do\n";
        }
        StringBuilder text = new StringBuilder(diff).append('\n');
        calls.forEach(call ->
                text.append(call.verb()).append(' ').append(call.target()).append('\n'));
        return text.toString();
    }
}
