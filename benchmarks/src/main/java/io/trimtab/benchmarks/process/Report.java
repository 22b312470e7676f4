package io.trimtab.benchmarks.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Writes figures as tables: medians, and ratios where there is a peer. Stateless. */
final class Report {
    private Report() {}

    static void controlPlane(
            Path file,
            List<Sample> ours,
            List<Sample> real,
            @Nullable Long secondClusterMicros,
            int replicas,
            int nodes)
            throws IOException {
        StringBuilder text = new StringBuilder("# Control plane, whole processes\n\n");
        header(text, ours.size());
        text.append("Ready: a client over TLS sees the default service account. Idle: 5 s later. Pods: a"
                        + " ReplicationController of ")
                .append(replicas)
                .append(" replicas on ")
                .append(nodes)
                .append(
                        " simulated nodes, until all are ready. Memory is resident, of all processes together (the real"
                                + " one: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and kwok for the nodes"
                                + " from \"pods\" on). Ours keeps its data in its embedded store, synchronously logged, as etcd does.\n\n");
        text.append("| | trimtab | real | ratio (real / trimtab) |\n|---|---:|---:|---:|\n");
        row(text, "process start to ready, ms", ours, real, Sample::readyMillis);
        row(text, "idle, MB", ours, real, s -> s.idleKilobytes() / 1024);
        row(text, "pods ready, ms", ours, real, Sample::podsMillis);
        row(text, "memory after that, MB", ours, real, s -> s.busyKilobytes() / 1024);
        if (secondClusterMicros != null) {
            text.append(String.format(
                    Locale.ROOT,
                    "| another cluster in a warm JVM, ms | %.1f | – | – |%n",
                    secondClusterMicros / 1000.0));
        }
        Files.writeString(file, text);
        System.out.print(text);
    }

    /** What is aimed at, as our rate over theirs. */
    private static final Map<String, Double> AIMS = new LinkedHashMap<>();

    static {
        AIMS.put("create", 4.0);
        AIMS.put("get", 3.0);
        AIMS.put("list", 6.0);
        AIMS.put("watch", 2.0);
        AIMS.put("patch", 4.0);
        AIMS.put("delete", 4.0);
    }

    static void apiSpeed(Path file, List<Load> ours, List<Load> real, int objects) throws IOException {
        StringBuilder text = new StringBuilder("# The API server under load, beside the real one\n\n");
        header(text, ours.size());
        text.append("One client program, 16 workers over TLS and HTTP/2, ")
                .append(objects)
                .append(
                        " pods, on the same machine as the server; 50 watchers. Data on disk, synchronously logged, on both"
                                + " sides (the real one: kube-apiserver and etcd). A first round of everything is not counted, on"
                                + " either side. Processor time is the server's alone, so it says more than the rate where the client"
                                + " needs as much of the machine as the server does.\n\n");
        text.append("| | rate, trimtab / real | aim | | processor time an operation, real / trimtab |\n"
                + "|---|---:|---:|---|---:|\n");
        Map<String, Double> rates = medians(ours, Load::rates);
        Map<String, Double> theirRates = medians(real, Load::rates);
        Map<String, Double> costs = medians(ours, Load::processorMillis);
        Map<String, Double> theirCosts = medians(real, Load::processorMillis);
        AIMS.forEach((what, aim) -> {
            double rate = of(rates, what) / of(theirRates, what);
            text.append(String.format(
                    Locale.ROOT,
                    "| %s | %.2f | %.0f | %s | %.2f |%n",
                    what,
                    rate,
                    aim,
                    rate >= aim ? "met" : "not met",
                    of(theirCosts, what) / Math.max(10, of(costs, what))));
        });
        double memory = (double) median(ours.stream()
                        .mapToLong(Load::residentKilobytes)
                        .sorted()
                        .toArray())
                / median(real.stream()
                        .mapToLong(Load::residentKilobytes)
                        .sorted()
                        .toArray());
        text.append(String.format(
                Locale.ROOT,
                "%nResident memory under this load, trimtab / real: %.2f (aim 0.33, %s).%n",
                memory,
                memory <= 0.34 ? "met" : "not met"));
        Files.writeString(file, text);
        System.out.print(text);
    }

    private static void header(StringBuilder text, int runs) {
        text.append("Medians of ")
                .append(runs)
                .append(runs == 1 ? " run, " : " runs, ")
                .append(LocalDate.now(ZoneOffset.UTC))
                .append(", JDK ")
                .append(Runtime.version())
                .append(", ")
                .append(Runtime.getRuntime().availableProcessors())
                .append(" processors. Made by `benchmarks/run`; both sides in the same run.\n\n");
    }

    private static void row(
            StringBuilder text, String what, List<Sample> ours, List<Sample> real, ToLongFunction<Sample> value) {
        long mine = median(ours.stream().mapToLong(value).sorted().toArray());
        text.append("| ").append(what).append(" | ").append(mine);
        if (real.isEmpty()) {
            text.append(" | – | – |\n");
            return;
        }
        long other = median(real.stream().mapToLong(value).sorted().toArray());
        text.append(String.format(Locale.ROOT, " | %d | %.1f |%n", other, (double) other / Math.max(1, mine)));
    }

    static long median(long[] sorted) {
        return sorted[sorted.length / 2];
    }

    private static double of(Map<String, Double> measured, String what) {
        return Objects.requireNonNull(measured.get(what), what);
    }

    private static Map<String, Double> medians(List<Load> runs, Function<Load, Map<String, Double>> part) {
        Map<String, List<Double>> byName = new LinkedHashMap<>();
        runs.forEach(run -> part.apply(run)
                .forEach((name, value) ->
                        byName.computeIfAbsent(name, n -> new ArrayList<>()).add(value)));
        Map<String, Double> medians = new LinkedHashMap<>();
        byName.forEach((name, values) -> {
            values.sort(null);
            medians.put(name, values.get(values.size() / 2));
        });
        return medians;
    }
}
