package io.trimtab.benchmarks.process;

import io.trimtab.apiserver.store.RocksStore;
import io.trimtab.apiserver.store.Store.CommitResult;
import io.trimtab.apiserver.store.Store.Operation;
import io.trimtab.runtime.RealDriver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How long commits to the store on disk take while it forgets its past, and while it does not, in one run: some threads overwrite
 * a few thousand keys with values of 2 kB, and every so many writes what was overwritten before the last time is compacted, as a
 * server does every five minutes. Arguments: {@code --writes 200000 --threads 4 --every 20000 --directory DIR --results DIR}.
 */
public final class StoreBenchmark {
    private static final int KEYS = 5_000;
    private static final int VALUE_BYTES = 2_000;

    private final RocksStore store;
    private final int writes;
    private final int threads;
    private final int every;
    private final AtomicInteger written = new AtomicInteger();
    private final AtomicBoolean compacting = new AtomicBoolean();

    /** By number of the write: how long it took, in nanoseconds, negative if there was a compaction meanwhile. */
    private final long[] took;

    private StoreBenchmark(RocksStore store, int writes, int threads, int every) {
        this.store = store;
        this.writes = writes;
        this.threads = threads;
        this.every = every;
        this.took = new long[writes];
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> flags = Flags.of(args);
        Path parent = Path.of(flags.getOrDefault("--directory", System.getProperty("java.io.tmpdir")));
        Path directory = Files.createTempDirectory(parent, "trimtab-store");
        try (RealDriver driver = RealDriver.create("benchmark");
                RocksStore store = RocksStore.open(directory.resolve("store"), driver, 128 << 20)) {
            new StoreBenchmark(
                            store,
                            Integer.parseInt(flags.getOrDefault("--writes", "200000")),
                            Integer.parseInt(flags.getOrDefault("--threads", "4")),
                            Integer.parseInt(flags.getOrDefault("--every", "20000")))
                    .run();
        } finally {
            Directories.delete(directory);
        }
        System.exit(0);
    }

    private void run() throws Exception {
        ExecutorService writers = Executors.newFixedThreadPool(threads + 1);
        List<Future<?>> running = new ArrayList<>();
        long start = System.nanoTime();
        for (int i = 0; i < threads; i++) {
            running.add(writers.submit(this::write));
        }
        AtomicBoolean over = new AtomicBoolean();
        List<Long> compactions = new ArrayList<>();
        Future<?> compactor = writers.submit(() -> {
            long then = store.revision();
            int next = every;
            while (!over.get()) {
                if (written.get() < next) {
                    Thread.sleep(1);
                    continue;
                }
                long now = store.revision();
                long began = System.nanoTime();
                compacting.set(true);
                store.compact(then);
                compacting.set(false);
                compactions.add(System.nanoTime() - began);
                then = now;
                next = written.get() + every;
            }
            return null;
        });
        for (Future<?> writer : running) {
            writer.get(1, TimeUnit.HOURS);
        }
        over.set(true);
        compactor.get(1, TimeUnit.MINUTES);
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
                Locale.ROOT,
                "%d writes of %d bytes by %d threads in %.1f s; %d compactions, the longest %.0f ms%n",
                writes,
                VALUE_BYTES,
                threads,
                seconds,
                compactions.size(),
                compactions.stream().mapToLong(n -> n).max().orElse(0) / 1e6);
        System.out.printf(
                "%-30s %8s %8s %8s %8s %8s %8s%n", "commits, ms", "count", "half", "99 %", "99.9 %", "10th", "slowest");
        // The first are compiled meanwhile.
        long[] measured = Arrays.copyOfRange(took, writes / 10, writes);
        report(
                "while nothing is compacted",
                Arrays.stream(measured).filter(n -> n > 0).sorted().toArray());
        report(
                "during a compaction",
                Arrays.stream(measured).filter(n -> n < 0).map(n -> -n).sorted().toArray());
    }

    private Void write() throws Exception {
        Random random = new Random(1);
        while (true) {
            int number = written.getAndIncrement();
            if (number >= writes) {
                return null;
            }
            byte[] value = new byte[VALUE_BYTES];
            random.nextBytes(value);
            boolean before = compacting.get();
            long began = System.nanoTime();
            CommitResult result = store.commit(List.of(
                            new Operation.Put("/registry/pods/default/pod-" + number % KEYS, -1, revision -> value)))
                    .get();
            long nanos = System.nanoTime() - began;
            if (!result.committed()) {
                throw new IllegalStateException("write " + number + " was refused");
            }
            took[number] = before || compacting.get() ? -nanos : nanos;
        }
    }

    private static void report(String what, long[] sorted) {
        int n = sorted.length;
        if (n == 0) {
            return;
        }
        System.out.printf(
                Locale.ROOT,
                "%-30s %8d %8.2f %8.2f %8.2f %8.2f %8.2f%n",
                what,
                n,
                sorted[n / 2] / 1e6,
                sorted[(int) (n * 0.99)] / 1e6,
                sorted[(int) (n * 0.999)] / 1e6,
                sorted[Math.max(0, n - 10)] / 1e6,
                sorted[n - 1] / 1e6);
    }
}
