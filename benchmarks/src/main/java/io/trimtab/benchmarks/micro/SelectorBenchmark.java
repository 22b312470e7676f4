package io.trimtab.benchmarks.micro;

import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.selector.ReverseSelectorIndex;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Matching one selector, and finding among 10,000 services those whose selector matches a pod that changed. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class SelectorBenchmark {
    private static final int SELECTORS = 10_000;

    private final Map<String, String> labels =
            Map.of("app", "app-42", "tier", "back-end", "pod-template-hash", "5d4f8c7b9", "region", "north");
    private final LabelSelector equality = LabelSelectors.parse("app=app-42");
    private final LabelSelector sets = LabelSelectors.parse("tier in (front-end,back-end),!legacy,region!=south");
    private final List<LabelSelector> all = new ArrayList<>();
    private final ReverseSelectorIndex<Integer> index = new ReverseSelectorIndex<>();

    public SelectorBenchmark() {
        for (int i = 0; i < SELECTORS; i++) {
            LabelSelector selector = LabelSelectors.of(Map.of("app", "app-" + i, "tier", "back-end"));
            all.add(selector);
            index.put(i, selector);
        }
    }

    @Benchmark
    public boolean matchEquality() {
        return equality.matches(labels);
    }

    @Benchmark
    public boolean matchSets() {
        return sets.matches(labels);
    }

    /** A pod event among 10,000 selectors, by the index. */
    @Benchmark
    public List<Integer> podEventByIndex() {
        return index.matching(labels);
    }

    /** The same by asking each of them, as most controllers do. */
    @Benchmark
    public List<Integer> podEventByScan() {
        List<Integer> found = new ArrayList<>();
        for (int i = 0; i < SELECTORS; i++) {
            if (all.get(i).matches(labels)) {
                found.add(i);
            }
        }
        return found;
    }
}
