package io.trimtab.program;

import io.fabric8.kubernetes.client.Config;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.features.FeatureGates;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * How a program reaches the API server, named as Kubernetes' own components name it: a picocli mixin. What is wrong with a value
 * is told as a {@link ParameterException} that names the flag. Not safe for use by several threads.
 *
 * @since 0.1
 */
public final class ProgramFlags {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--kubeconfig",
            paramLabel = "FILE",
            description =
                    "How to reach the API server; default: KUBECONFIG, ~/.kube/config, or the pod's service account.")
    private @Nullable Path kubeconfig;

    @Option(
            names = "--kube-api-qps",
            defaultValue = "0",
            paramLabel = "RATE",
            description = "Requests a second of each component; 0 for no limit.")
    private double queriesPerSecond;

    @Option(
            names = "--kube-api-burst",
            defaultValue = "100",
            paramLabel = "COUNT",
            description = "Requests at once, where there is a limit.")
    private int burst;

    @Option(
            names = "--feature-gates",
            paramLabel = "NAME=true|false",
            description = "Features of Kubernetes to switch on or off, as the other commands take them.")
    private List<String> features = List.of();

    /** The API server that the kubeconfig names, or the surroundings. */
    public Config connection() {
        return connection(null);
    }

    /**
     * The same.
     *
     * @param otherwise the kubeconfig where the flag is not given, as a configuration file has it; null for the surroundings
     */
    public Config connection(@Nullable String otherwise) {
        Path file = kubeconfig != null || otherwise == null ? kubeconfig : Path.of(otherwise);
        if (file == null) {
            return Clients.fromEnvironment();
        }
        try {
            return Clients.kubeconfig(file);
        } catch (UncheckedIOException e) {
            throw new ParameterException(spec.commandLine(), "--kubeconfig: " + e.getMessage(), e);
        }
    }

    /** How clients behave. */
    public ClientOptions client() {
        return queriesPerSecond > 0
                ? ClientOptions.DEFAULT.withRateLimit(queriesPerSecond, burst)
                : ClientOptions.DEFAULT;
    }

    /** Which features are on. */
    public FeatureGates features() {
        try {
            return FeatureGates.parse(features);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
