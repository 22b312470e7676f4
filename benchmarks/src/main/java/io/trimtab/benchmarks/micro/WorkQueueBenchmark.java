package io.trimtab.benchmarks.micro;

import io.trimtab.queue.WorkQueue;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One key's way through the queue: in, out, done. 1,000 keys wait at a time. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class WorkQueueBenchmark {
    private static final int KEYS = 1000;

    private final Driver driver = RealDriver.create("benchmark");
    private final WorkQueue<String> queue = WorkQueue.create(driver);
    private final String[] keys = new String[KEYS];

    public WorkQueueBenchmark() {
        for (int i = 0; i < KEYS; i++) {
            keys[i] = "default/web-" + i;
        }
    }

    @Benchmark
    @OperationsPerInvocation(KEYS)
    public int addGetDone() {
        for (String key : keys) {
            queue.add(key);
        }
        int taken = 0;
        for (String key = queue.poll(); key != null; key = queue.poll()) {
            queue.forget(key);
            queue.done(key);
            taken++;
        }
        return taken;
    }

    @TearDown(Level.Trial)
    public void close() {
        queue.shutDown();
        driver.close();
    }
}
