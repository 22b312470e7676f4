package io.trimtab.standalone.cli;

import io.fabric8.kubernetes.client.Config;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.controller.ManagerProgram;
import io.trimtab.features.FeatureGates;
import io.trimtab.node.NodeAgent;
import io.trimtab.node.NodeAgentOptions;
import io.trimtab.node.simulated.SimulatedRuntime;
import io.trimtab.node.simulated.Simulation;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.runtime.Shutdown;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** One node, or several, on any API server. Blocks until it is asked to end. */
@Command(
        name = "node",
        description = "Runs one or more nodes against the API server of a kubeconfig.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class NodeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--kubeconfig", paramLabel = "FILE", description = "How to reach the API server.")
    private @Nullable Path kubeconfig;

    @Option(names = "--name", required = true, split = ",", paramLabel = "NAME", description = "Of the node.")
    private List<String> names = List.of();

    @Option(names = "--runtime", defaultValue = "simulated", paramLabel = "KIND", description = "simulated.")
    private String runtime = "simulated";

    @Option(
            names = "--feature-gates",
            paramLabel = "NAME=true|false",
            description = "Features of Kubernetes to switch on or off, as the other commands take them.")
    private List<String> features = List.of();

    @Override
    public Integer call() {
        requireSimulated(spec, runtime);
        try {
            FeatureGates.parse(features);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        Config config = config();
        Shutdown shutdown = Shutdown.listen();
        try (Driver driver = RealDriver.create("node");
                ManagerProgram program = ManagerProgram.start(
                        driver,
                        config,
                        new ManagerProgram.Options("kubelet", false, ClientOptions.DEFAULT),
                        manager -> NodeAgent.addTo(
                                manager,
                                NodeAgentOptions.of(names),
                                new SimulatedRuntime(driver, Simulation.DEFAULT)))) {
            program.leadershipLost().thenRun(shutdown::request);
            shutdown.await();
        } finally {
            shutdown.done();
        }
        return 0;
    }

    static void requireSimulated(CommandSpec spec, String runtime) {
        if (!runtime.equals("simulated")) {
            throw new ParameterException(
                    spec.commandLine(), "--runtime: \"" + runtime + "\" is not available; give simulated");
        }
    }

    private Config config() {
        try {
            return kubeconfig == null ? Clients.fromEnvironment() : Clients.kubeconfig(kubeconfig);
        } catch (UncheckedIOException e) {
            throw new ParameterException(spec.commandLine(), "--kubeconfig: " + e.getMessage(), e);
        }
    }
}
