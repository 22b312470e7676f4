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

    static void apiSpeed(Path file, List<Map<String, Double>> ours, List<Map<String, Double>> real, int objects)
            throws IOException {
        StringBuilder text = new StringBuilder("# API server, operations a second\n\n");
        header(text, ours.size());
        text.append("One client program, 16 connections' worth of workers, ")
                .append(objects)
                .append(" pods over TLS and HTTP/2; data on disk, synchronously logged, on both sides.\n\n");
        text.append("| | trimtab | real | ratio (trimtab / real) |\n|---|---:|---:|---:|\n");
        Map<String, Double> mine = medians(ours);
        Map<String, Double> theirs = medians(real);
        mine.forEach((what, rate) -> {
            Double other = theirs.get(what);
            text.append(
                    other == null
                            ? String.format(Locale.ROOT, "| %s | %.0f | – | – |%n", what, rate)
                            : String.format(
                                    Locale.ROOT, "| %s | %.0f | %.0f | %.2f |%n", what, rate, other, rate / other));
        });
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

    private static Map<String, Double> medians(List<Map<String, Double>> runs) {
        Map<String, List<Double>> byName = new LinkedHashMap<>();
        runs.forEach(run -> run.forEach((name, rate) ->
                byName.computeIfAbsent(name, n -> new ArrayList<>()).add(rate)));
        Map<String, Double> medians = new LinkedHashMap<>();
        byName.forEach((name, rates) -> {
            rates.sort(null);
            medians.put(name, rates.get(rates.size() / 2));
        });
        return medians;
    }
}
