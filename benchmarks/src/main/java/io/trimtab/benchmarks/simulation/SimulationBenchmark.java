package io.trimtab.benchmarks.simulation;

import io.trimtab.simulate.ClusterSimulation;
import io.trimtab.simulate.ClusterState;
import io.trimtab.simulate.NodeStore;
import io.trimtab.simulate.Outcome;
import io.trimtab.simulate.Scenario;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Simulates the same hour again and again in one JVM, without and with churn, and prints the processor time of the thread that
 * runs it: a simulation has no other. Says when two runs of one seed differ.
 */
public final class SimulationBenchmark {
    private static final String CHURN = """
            actions:
            - at: 10s
              apply: |
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: web, namespace: default}
                spec:
                  replicas: PODS
                  selector: {matchLabels: {app: web}}
                  template:
                    metadata: {labels: {app: web}}
                    spec:
                      containers:
                      - {name: web, image: nginx, resources: {requests: {cpu: 100m, memory: 64Mi}}}
            - {at: 1m, every: 30s, delete: pods, selector: app=web, count: 1}
            """;

    private SimulationBenchmark() {}

    /**
     * Measures.
     *
     * @param args {@code [--runs 10] [--nodes 100] [--pods 200] [--minutes 60] [--what quiet,churn]}
     */
    public static void main(String[] args) {
        Map<String, String> flags = new LinkedHashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            flags.put(args[i], args[i + 1]);
        }
        int runs = Integer.parseInt(flags.getOrDefault("--runs", "10"));
        int nodes = Integer.parseInt(flags.getOrDefault("--nodes", "100"));
        Duration length = Duration.ofMinutes(Integer.parseInt(flags.getOrDefault("--minutes", "60")));
        List<String> what = List.of(flags.getOrDefault("--what", "quiet,churn").split(","));
        Scenario churn = Scenario.parse(CHURN.replace("PODS", flags.getOrDefault("--pods", "200")), "churn", null);
        Map<String, Scenario> scenarios = new LinkedHashMap<>();
        scenarios.put("quiet", Scenario.QUIET);
        scenarios.put("churn", churn);
        scenarios.keySet().retainAll(what);
        scenarios.forEach((name, scenario) -> {
            List<Long> millis = new ArrayList<>();
            String first = null;
            for (int run = 0; run < runs; run++) {
                long wall = System.nanoTime();
                long begin = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
                Outcome outcome = ClusterSimulation.of(ClusterState.EMPTY)
                        .nodes(NodeStore.uniform(nodes))
                        .scenario(scenario)
                        .length(length)
                        .run();
                long took = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - begin;
                millis.add(took / 1_000_000);
                System.out.printf(
                        Locale.ROOT,
                        "%s, run %d: %.2f s of processor time, %.2f s, %d revisions, %d writes%n",
                        name,
                        run + 1,
                        took / 1e9,
                        (System.nanoTime() - wall) / 1e9,
                        outcome.revisions(),
                        outcome.writes().stream()
                                .mapToInt(Outcome.Writes::total)
                                .sum());
                String told = outcome.json().toString();
                if (first != null && !first.equals(told)) {
                    throw new IllegalStateException(name + ": two runs of one seed differ");
                }
                first = told;
                if (run == runs - 1) {
                    outcome.writes().forEach(writes -> System.out.println("  " + writes));
                }
            }
            List<Long> warm = millis.subList(millis.size() / 2, millis.size()).stream()
                    .sorted()
                    .toList();
            System.out.printf(
                    Locale.ROOT,
                    "%s: median of the later half %.2f s, least %.2f s%n",
                    name,
                    warm.get(warm.size() / 2) / 1e3,
                    warm.get(0) / 1e3);
        });
    }
}
