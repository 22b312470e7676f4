package io.trimtab.benchmarks.micro;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.schema.CompactJson;
import io.trimtab.apiserver.schema.Decoded;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import io.trimtab.apiserver.schema.StoredJson;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * What one request costs in the server's function. Writes are dry runs: all steps but the last, so that each meets the same
 * cluster. {@code decode} is the first step alone.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(1)
public class RequestBenchmark {
    private static final Map<String, String> DRY_RUN = Map.of("dryRun", "All");
    private static final Map<String, String> APPLY = Map.of("dryRun", "All", "fieldManager", "bench", "force", "true");

    private final byte[] pod = Samples.pod("new", 7);
    private final byte[] applied = Samples.pod("pod-7", 7);
    private final byte[] strategic = Samples.bytes("{\"metadata\":{\"annotations\":{\"touched\":\"yes\"}},"
            + "\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"nginx:1.28\"}]}}");
    private final byte[] merge = Samples.bytes("{\"metadata\":{\"annotations\":{\"touched\":\"yes\"}}}");
    private final SchemaRegistry schemas = SchemaRegistry.builtin();
    private final Schema schema = schemas.forKind("", "v1", "Pod").orElseThrow();
    private final Decoder decoder = new Decoder(schemas);
    private final Decoder.Target target = new Decoder.Target("", "v1", "Pod", schema, false);
    private final ObjectNode tree =
            decoder.decode(pod, Decoder.Syntax.JSON, target).object();
    private final byte[] stored = CompactJson.of(tree);

    @Benchmark
    public Decoded decode() {
        return decoder.decode(pod, Decoder.Syntax.JSON, target);
    }

    /** A tree to the bytes that are stored. */
    @Benchmark
    public byte[] encode() {
        return CompactJson.of(tree);
    }

    /** The bytes that are stored to a tree. */
    @Benchmark
    public @Nullable ObjectNode readStored() {
        return StoredJson.object(stored);
    }

    /** Decode, default, admit, validate, track fields, encode. */
    @Benchmark
    public ApiResponse createDryRun(ServerState state) {
        return state.send("POST", ServerState.PODS, DRY_RUN, "application/json", pod);
    }

    @Benchmark
    public ApiResponse strategicPatchDryRun(ServerState state) {
        return state.send(
                "PATCH", ServerState.PODS + "/pod-7", DRY_RUN, "application/strategic-merge-patch+json", strategic);
    }

    @Benchmark
    public ApiResponse mergePatchDryRun(ServerState state) {
        return state.send("PATCH", ServerState.PODS + "/pod-7", DRY_RUN, "application/merge-patch+json", merge);
    }

    @Benchmark
    public ApiResponse applyDryRun(ServerState state) {
        return state.send("PATCH", ServerState.PODS + "/pod-7", APPLY, "application/apply-patch+yaml", applied);
    }

    /** Encodes: one object. */
    @Benchmark
    public ApiResponse get(ServerState state) {
        return state.send("GET", ServerState.PODS + "/pod-7", Map.of(), null, new byte[0]);
    }

    /** Encodes: 1,000 objects. */
    @Benchmark
    public void list(ServerState state, Blackhole out) {
        drain(state.send("GET", ServerState.PODS, Map.of(), null, new byte[0]), out);
    }

    /** Finds 10 of 1,000 objects by a label. */
    @Benchmark
    public void listSelected(ServerState state, Blackhole out) {
        drain(state.send("GET", ServerState.PODS, Map.of("labelSelector", "shard=7"), null, new byte[0]), out);
    }

    private static void drain(ApiResponse response, Blackhole out) {
        if (response instanceof ApiResponse.Pieces pieces) {
            pieces.pieces().forEachRemaining(out::consume);
        } else {
            out.consume(response);
        }
    }
}
