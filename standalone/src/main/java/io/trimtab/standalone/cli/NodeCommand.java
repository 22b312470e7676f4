package io.trimtab.standalone.cli;

import io.trimtab.controller.ManagerProgram;
import io.trimtab.node.NodeAgent;
import io.trimtab.node.NodeAgentOptions;
import io.trimtab.node.simulated.SimulatedRuntime;
import io.trimtab.node.simulated.Simulation;
import io.trimtab.program.ProgramFlags;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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

    @Mixin
    private ProgramFlags program = new ProgramFlags();

    @Option(names = "--name", required = true, split = ",", paramLabel = "NAME", description = "Of the node.")
    private List<String> names = List.of();

    @Option(names = "--runtime", defaultValue = "simulated", paramLabel = "KIND", description = "simulated.")
    private String runtime = "simulated";

    @Override
    public Integer call() {
        requireSimulated(spec, runtime);
        program.features(); // none says anything here, but a name that is none is a mistake
        return ManagerProgram.run(
                program.connection(),
                new ManagerProgram.Options("kubelet", false, program.client()),
                manager -> NodeAgent.addTo(
                        manager,
                        NodeAgentOptions.of(names),
                        new SimulatedRuntime(manager.driver(), Simulation.DEFAULT)));
    }

    static void requireSimulated(CommandSpec spec, String runtime) {
        if (!runtime.equals("simulated")) {
            throw new ParameterException(
                    spec.commandLine(), "--runtime: \"" + runtime + "\" is not available; give simulated");
        }
    }
}
