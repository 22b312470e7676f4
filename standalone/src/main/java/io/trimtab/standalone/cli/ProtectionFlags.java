package io.trimtab.standalone.cli;

import io.trimtab.apiserver.schema.GoDuration;
import io.trimtab.standalone.Protection;
import java.time.Duration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The flags that say how an API server protects itself, named as Kubernetes names them. */
final class ProtectionFlags {
    @Option(
            names = "--enable-priority-and-fairness",
            arity = "0..1",
            fallbackValue = "true",
            defaultValue = "true",
            description = "Sort, queue and limit requests by FlowSchemas.")
    private boolean priorityAndFairness;

    @Option(
            names = "--max-requests-inflight",
            defaultValue = "400",
            paramLabel = "COUNT",
            description = "With the next, how many requests are served at a time.")
    private int readsInflight;

    @Option(names = "--max-mutating-requests-inflight", defaultValue = "200", paramLabel = "COUNT")
    private int writesInflight;

    @Option(
            names = "--request-timeout",
            defaultValue = "1m0s",
            paramLabel = "DURATION",
            description = "What a request may take that is no watch.")
    private String requestTimeout = "1m0s";

    Protection protection(CommandSpec spec) {
        try {
            return new Protection(
                    priorityAndFairness, readsInflight, writesInflight, duration("--request-timeout", requestTimeout));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private static Duration duration(String flag, String text) {
        return GoDuration.parse(text)
                .orElseThrow(() -> new IllegalArgumentException(
                        flag + ": \"" + text + "\" is no duration; give one such as 1m30s"));
    }
}
