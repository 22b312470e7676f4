package io.trimtab.benchmarks;

import io.trimtab.benchmarks.process.CrdBenchmark;
import io.trimtab.benchmarks.process.ProcessBenchmark;
import io.trimtab.benchmarks.process.ScaleBenchmark;
import io.trimtab.benchmarks.process.StoreBenchmark;
import io.trimtab.benchmarks.process.WriteBenchmark;
import io.trimtab.benchmarks.sdk.Measurement;
import io.trimtab.benchmarks.sdk.SdkBenchmark;
import io.trimtab.benchmarks.simulation.SimulationBenchmark;
import java.util.Arrays;

/** The command line: what to measure, and options. */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws Exception {
        String what = args.length == 0 ? "" : args[0];
        String[] rest = args.length == 0 ? args : Arrays.copyOfRange(args, 1, args.length);
        switch (what) {
            case "micro" -> org.openjdk.jmh.Main.main(rest);
            case "process" -> ProcessBenchmark.main(rest);
            case "scale" -> ScaleBenchmark.main(rest);
            case "writes" -> WriteBenchmark.main(rest);
            case "store" -> StoreBenchmark.main(rest);
            case "crds" -> CrdBenchmark.main(rest);
            case "sdk" -> SdkBenchmark.main(rest);
            case "simulation" -> SimulationBenchmark.main(rest);
            case "measure" -> Measurement.main(rest); // what sdk starts
            default -> {
                System.err.println(
                        "usage: benchmarks micro [JMH arguments] | process|scale|crds|sdk --program FILE --results DIR [--runs 3]"
                                + " | writes [PODS] | store [--writes 200000] [--threads 4] [--every 20000] [--directory DIR]"
                                + " | simulation [--runs 10] [--nodes 100] [--pods 200] [--minutes 60] [--what quiet,churn]");
                System.exit(2);
            }
        }
    }
}
