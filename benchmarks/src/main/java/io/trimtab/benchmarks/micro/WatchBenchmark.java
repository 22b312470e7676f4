package io.trimtab.benchmarks.micro;

import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.storage.EventSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** One write, seen by many watches: from the request until each watch has its framed bytes. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(1)
public class WatchBenchmark {
    private static final String MAPS = "/api/v1/namespaces/default/configmaps";

    @Param({"1", "100", "1000"})
    int watches;

    private final List<ApiResponse.Watch> open = new ArrayList<>();
    private long writes;

    @Setup(Level.Trial)
    public void watch(ServerState state) {
        state.send(
                "POST",
                MAPS,
                Map.of(),
                "application/json",
                Samples.bytes("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"seen\"}}"));
        for (int i = 0; i < watches; i++) {
            open.add((ApiResponse.Watch) state.send("GET", MAPS, Map.of("watch", "true"), null, new byte[0]));
        }
        drain(null);
    }

    @Benchmark
    public void writeToAll(ServerState state, Blackhole out) {
        state.send(
                "PATCH",
                MAPS + "/seen",
                Map.of(),
                "application/merge-patch+json",
                Samples.bytes("{\"data\":{\"writes\":\"" + ++writes + "\"}}"));
        drain(out);
    }

    private void drain(@org.jspecify.annotations.Nullable Blackhole out) {
        for (ApiResponse.Watch watch : open) {
            for (EventSource.Event event = watch.events().poll();
                    event != null;
                    event = watch.events().poll()) {
                byte[] frame = watch.framing().frame(event);
                if (out != null) {
                    out.consume(frame);
                }
            }
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        open.forEach(watch -> watch.events().close());
        open.clear();
    }
}
