package io.trimtab.benchmarks.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The processes of a control plane that was started to be measured. Used by one thread, which closes it. */
final class ControlPlane implements AutoCloseable {
    private final List<Process> processes = new ArrayList<>();
    private final Path directory;

    ControlPlane(Path directory) {
        this.directory = directory;
    }

    Path directory() {
        return directory;
    }

    /** Starts one more process, which writes what it has to say into a file. */
    Process start(String name, List<String> command) throws IOException {
        Path log = directory.resolve(name + ".log");
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        processes.add(process);
        return process;
    }

    /** Starts our program, with its data on disk, and waits until it is ready; how long that took, in milliseconds. */
    long startTrimtab(Path program, String command, String... more) throws IOException, InterruptedException {
        Path ready = directory.resolve("ready");
        List<String> line = new ArrayList<>(List.of(
                program.toString(),
                command,
                "--data-dir",
                directory.resolve("data").toString(),
                "--secure-port",
                "0",
                "--ready-file",
                ready.toString()));
        line.addAll(List.of(more));
        long start = System.nanoTime();
        start("trimtab", line);
        while (!Files.exists(ready)) {
            requireAlive();
            Thread.sleep(20);
        }
        return Duration.ofNanos(System.nanoTime() - start).toMillis();
    }

    /** Fails with the last words of a process that has ended. */
    void requireAlive() throws IOException {
        for (Process process : processes) {
            if (!process.isAlive()) {
                throw new IllegalStateException("a process ended with code " + process.exitValue() + ": "
                        + process.info().command().orElse("?") + "; its log is in " + directory);
            }
        }
    }

    /** Resident memory of all processes. */
    long residentKilobytes() throws IOException {
        long sum = 0;
        for (Process process : processes) {
            for (String line : Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
                if (line.startsWith("VmRSS:")) {
                    sum += Long.parseLong(line.replaceAll("\\D", ""));
                }
            }
        }
        return sum;
    }

    /** Processor time that all processes have used so far, in user code and in the kernel. */
    long processorMillis() throws IOException {
        long ticks = 0;
        for (Process process : processes) {
            String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
            // The name, in parentheses, may hold anything; utime and stime are the 12th and 13th field after it.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            ticks += Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
        }
        return ticks * 10; // Linux counts hundredths of a second for us, whatever its own clock does
    }

    @Override
    public void close() throws Exception {
        for (int i = processes.size() - 1; i >= 0; i--) {
            Process process = processes.get(i);
            process.destroy();
            if (!process.waitFor(Duration.ofSeconds(15).toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        }
    }
}
