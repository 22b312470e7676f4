package io.trimtab.benchmarks.process;

import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.standalone.Cluster;
import io.trimtab.standalone.ClusterOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Starts control planes one after another, never two at once, and measures them. Runs on the main thread. */
public final class ProcessBenchmark {
    private static final int NODES = 100;
    private static final int WARM_CLUSTERS = 60;

    private final Path program;
    private final @Nullable Path binaries;
    private final int replicas;
    private final int objects;

    private ProcessBenchmark(Path program, @Nullable Path binaries, int replicas, int objects) {
        this.program = program;
        this.binaries = binaries;
        this.replicas = replicas;
        this.objects = objects;
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> flags = new LinkedHashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            flags.put(args[i], args[i + 1]);
        }
        String kubeBin = flags.getOrDefault("--kube-bin", "");
        ProcessBenchmark benchmark = new ProcessBenchmark(
                Path.of(flags.get("--program")),
                kubeBin.isEmpty() ? null : Path.of(kubeBin),
                Integer.parseInt(flags.getOrDefault("--replicas", "2000")),
                Integer.parseInt(flags.getOrDefault("--objects", "5000")));
        Path results = Files.createDirectories(Path.of(flags.get("--results")));
        benchmark.run(
                results,
                Integer.parseInt(flags.getOrDefault("--runs", "3")),
                List.of(flags.getOrDefault("--what", "control-plane,api-speed").split(",")));
        System.exit(0); // the client library's threads would keep the process
    }

    private void run(Path results, int runs, List<String> what) throws Exception {
        if (what.contains("control-plane")) {
            List<Sample> ours = new ArrayList<>();
            List<Sample> real = new ArrayList<>();
            for (int i = 0; i < runs; i++) {
                ours.add(measureOurs());
                System.out.println("trimtab " + ours.get(i));
                if (binaries != null) {
                    real.add(measureReal(binaries));
                    System.out.println("real    " + real.get(i));
                }
            }
            Report.controlPlane(results.resolve("control-plane.md"), ours, real, secondCluster(), replicas, NODES);
        }
        if (what.contains("api-speed") && binaries != null) {
            List<Load> ours = new ArrayList<>();
            List<Load> real = new ArrayList<>();
            for (int i = 0; i < runs; i++) {
                ours.add(loadOurs(binaries.resolve("loadgen")));
                System.out.println("trimtab " + ours.get(i));
                real.add(loadReal(binaries));
                System.out.println("real    " + real.get(i));
            }
            Report.apiSpeed(results.resolve("api-speed.md"), ours, real, objects);
        }
    }

    // ---- whole control planes --------------------------------------------------------------------------------------

    private Sample measureOurs() throws Exception {
        Path directory = Files.createTempDirectory("trimtab-bench");
        long ready;
        long idle;
        try (ControlPlane plane = new ControlPlane(directory)) {
            // Once with the usual few nodes, for start and memory at rest...
            ready = startOurs(plane, "up", List.of());
            Thread.sleep(5000);
            idle = plane.residentKilobytes();
        }
        clear(directory);
        try (ControlPlane plane = new ControlPlane(Files.createDirectories(directory))) {
            // ... and once with many, for the pods.
            startOurs(plane, "up", List.of("--nodes", Integer.toString(NODES)));
            try (Access access = new Access(directory.resolve("data/admin.kubeconfig"))) {
                access.awaitNodes(NODES);
                long pods = access.podsMillis(replicas);
                return new Sample(ready, idle, pods, plane.residentKilobytes());
            }
        } finally {
            clear(directory);
        }
    }

    /** @return milliseconds until it said that it is ready */
    private long startOurs(ControlPlane plane, String command, List<String> more) throws Exception {
        Path readyFile = plane.directory().resolve("ready");
        List<String> line = new ArrayList<>(List.of(
                program.toString(),
                command,
                "--data-dir",
                plane.directory().resolve("data").toString(),
                "--secure-port",
                "0",
                "--ready-file",
                readyFile.toString()));
        line.addAll(more);
        long start = System.nanoTime();
        plane.start("trimtab", line);
        while (!Files.exists(readyFile)) {
            plane.requireAlive();
            Thread.sleep(5);
        }
        return Duration.ofNanos(System.nanoTime() - start).toMillis();
    }

    private Sample measureReal(Path kube) throws Exception {
        Path directory = Files.createTempDirectory("real-bench");
        long start = System.nanoTime();
        try (ControlPlane plane = RealControlPlane.start(kube, directory, true);
                Access access = new Access(directory.resolve("admin.kubeconfig"))) {
            while (!access.isReady()) {
                plane.requireAlive();
                Thread.sleep(20);
            }
            long ready = Duration.ofNanos(System.nanoTime() - start).toMillis();
            Thread.sleep(5000);
            long idle = plane.residentKilobytes();
            RealControlPlane.startNodes(kube, plane);
            access.createNodes(NODES);
            access.awaitNodes(NODES);
            long pods = access.podsMillis(replicas);
            return new Sample(ready, idle, pods, plane.residentKilobytes());
        } finally {
            clear(directory);
        }
    }

    /** Median time from nothing to a ready cluster in this JVM, after some were started and closed. */
    private static long secondCluster() {
        long[] micros = new long[WARM_CLUSTERS];
        for (int i = 0; i < WARM_CLUSTERS; i++) {
            long start = System.nanoTime();
            try (Driver driver = RealDriver.create("warm");
                    Cluster cluster = Cluster.start(ClusterOptions.IN_MEMORY, driver)) {
                if (!cluster.awaitReady(Duration.ofSeconds(60))) {
                    throw new IllegalStateException("the cluster was not ready within a minute");
                }
                micros[i] = (System.nanoTime() - start) / 1000;
            }
        }
        System.out.println("clusters in one JVM, microseconds: " + Arrays.toString(micros));
        long[] warm = Arrays.copyOfRange(micros, WARM_CLUSTERS * 2 / 3, WARM_CLUSTERS);
        Arrays.sort(warm);
        return Report.median(warm);
    }

    // ---- the API server alone --------------------------------------------------------------------------------------

    private Load loadOurs(Path loadgen) throws Exception {
        Path directory = Files.createTempDirectory("trimtab-bench");
        try (ControlPlane plane = new ControlPlane(directory)) {
            startOurs(plane, "apiserver", List.of());
            System.out.println("trimtab");
            return LoadGenerator.run(loadgen, directory.resolve("data/admin.kubeconfig"), plane, objects);
        } finally {
            clear(directory);
        }
    }

    private Load loadReal(Path kube) throws Exception {
        Path directory = Files.createTempDirectory("real-bench");
        try (ControlPlane plane = RealControlPlane.start(kube, directory, false);
                Access access = new Access(directory.resolve("admin.kubeconfig"))) {
            while (!access.isServing()) {
                plane.requireAlive();
                Thread.sleep(50);
            }
            System.out.println("real");
            return LoadGenerator.run(kube.resolve("loadgen"), directory.resolve("admin.kubeconfig"), plane, objects);
        } finally {
            clear(directory);
        }
    }

    private static void clear(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
