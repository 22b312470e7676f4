package io.trimtab.benchmarks.sdk;

import io.trimtab.benchmarks.Main;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/** Runs each measurement in a process of its own, ours and the peer's in turn, and writes the ratios. Runs on the main thread. */
public final class SdkBenchmark {
    /** What a child prints before a figure. */
    static final String RESULT = "result ";

    private final Path program;
    private final int runs;
    private final Map<String, List<Double>> figures = new LinkedHashMap<>();

    private SdkBenchmark(Path program, int runs) {
        this.program = program;
        this.runs = runs;
    }

    /**
     * Measures, and writes {@code sdk-speed.md}.
     *
     * @param args {@code --program FILE --results DIR [--runs 3]}
     */
    public static void main(String[] args) throws Exception {
        Map<String, String> flags = new LinkedHashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            flags.put(args[i], args[i + 1]);
        }
        SdkBenchmark benchmark = new SdkBenchmark(
                Path.of(Objects.requireNonNull(flags.get("--program"))).toAbsolutePath(),
                Integer.parseInt(flags.getOrDefault("--runs", "3")));
        benchmark.measure();
        benchmark.report(Files.createDirectories(Path.of(Objects.requireNonNull(flags.get("--results")))));
        System.exit(0); // the client library's threads would keep the process
    }

    private void measure() throws Exception {
        for (int run = 0; run < runs; run++) {
            child("dispatch", "trimtab");
            child("dispatch", "josdk");
            child("queue");
            child("selectors");
            child("servers");
        }
        Path directory = Files.createTempDirectory("trimtab-sdk");
        Path kubeconfig = directory.resolve("data/admin.kubeconfig");
        Process server = server(directory);
        try {
            child("fill", kubeconfig.toString());
            for (int run = 0; run < runs; run++) {
                child("cache", "trimtab", kubeconfig.toString());
                child("cache", "fabric8", kubeconfig.toString());
                child("operator", "trimtab", kubeconfig.toString());
                child("operator", "josdk", kubeconfig.toString());
            }
        } finally {
            server.destroy();
            server.waitFor(20, TimeUnit.SECONDS);
        }
    }

    private Process server(Path directory) throws Exception {
        Path ready = directory.resolve("ready");
        Process server = new ProcessBuilder(
                        program.toString(),
                        "apiserver",
                        "--data-dir",
                        directory.resolve("data").toString(),
                        "--secure-port",
                        "0",
                        "--ready-file",
                        ready.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("server.log").toFile())
                .start();
        while (!Files.exists(ready)) {
            if (!server.isAlive()) {
                throw new IllegalStateException("the API server ended; its log is in " + directory);
            }
            Thread.sleep(20);
        }
        return server;
    }

    /** Starts this program anew for one measurement, and notes the figures it prints: {@code result NAME VALUE}. */
    private void child(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-XX:+UseSerialGC",
                arguments[0].equals("operator") ? "-Xmx128m" : "-Xmx1g",
                "-Xms32m",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "measure"));
        command.addAll(Arrays.asList(arguments));
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("ready ")) {
                    note(
                            line.substring("ready ".length()),
                            Duration.ofNanos(System.nanoTime() - start).toMillis());
                } else if (line.startsWith(RESULT)) {
                    String[] words = line.substring(RESULT.length()).split(" ");
                    note(words[0], Double.parseDouble(words[1]));
                }
            }
        }
        if (process.waitFor() != 0) {
            throw new IllegalStateException(String.join(" ", arguments) + " ended with " + process.exitValue());
        }
    }

    private void note(String name, double value) {
        figures.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
        System.out.printf(Locale.ROOT, "%s %.1f%n", name, value);
    }

    private double median(String name) {
        List<Double> values = new ArrayList<>(Objects.requireNonNull(figures.get(name), name));
        values.sort(null);
        return values.get(values.size() / 2);
    }

    private void report(Path results) throws IOException {
        StringBuilder text = new StringBuilder("# The SDK, beside its peers\n\n");
        text.append(String.format(
                Locale.ROOT,
                "Medians of %d run(s), %s, JDK %s, %d processors. Made by `benchmarks/run sdk`; each figure in a process of its own,"
                        + " both sides in the same run.%n%n",
                runs,
                LocalDate.now(ZoneOffset.UTC),
                Runtime.version(),
                Runtime.getRuntime().availableProcessors()));
        text.append("| | ratio | aim | |\n|---|---:|---:|---|\n");
        row(
                text,
                "reconciles a second, trimtab / Java Operator SDK",
                median("dispatch-trimtab") / median("dispatch-josdk"),
                10,
                true);
        row(
                text,
                "heap of a cached pod, trimtab / Fabric8",
                median("pod-trimtab") / median("pod-fabric8"),
                0.25,
                false);
        row(
                text,
                "start of an operator, trimtab / Java Operator SDK",
                median("start-trimtab") / median("start-josdk"),
                1,
                false);
        row(
                text,
                "its resident memory, idle, trimtab / Java Operator SDK",
                median("resident-trimtab") / median("resident-josdk"),
                1,
                false);
        row(text, "a pod event among 10,000 selectors, scan / index", median("scan") / median("index"), 100, true);
        text.append("\n| | | aim | |\n|---|---:|---:|---|\n");
        row(text, "work queue: add, get, done a second, millions", median("queue") / 1e6, 5, true);
        row(text, "an API server among 200 in one JVM, MB of heap", median("server-kilobytes") / 1024, 3, false);
        row(text, "a cached pod, KB of heap", median("pod-trimtab") / 1024, 4, false);
        text.append("""

                What is measured: *reconciles* of 1,000 objects, woken all at once by an event source of the user's, until each has
                run, again and again for five seconds; the reconciler reads the object from the cache. *Cached pod*: heap after
                collection with an informer of 5,000 pods, less the heap before, from a server in another process. *Operator*: one
                kind that owns another, from the start of its process until its caches are filled, and ten seconds later.
                *Servers*: each with its own store, bootstrap objects and certificates, after collection.
                """);
        Files.writeString(results.resolve("sdk-speed.md"), text);
        System.out.print(text);
    }

    private static void row(StringBuilder text, String what, double value, double aim, boolean isMoreBetter) {
        boolean isMet = isMoreBetter ? value >= aim : value <= aim;
        text.append(String.format(
                Locale.ROOT,
                "| %s | %.2f | %s %s | %s |%n",
                what,
                value,
                isMoreBetter ? "≥" : "≤",
                aim == Math.rint(aim) ? Long.toString((long) aim) : Double.toString(aim),
                isMet ? "met" : "not met"));
    }
}
