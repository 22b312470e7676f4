package io.trimtab.standalone.cli;

import io.trimtab.controller.ControllerProvider;
import io.trimtab.simulate.ClusterState;
import io.trimtab.simulate.ControllerPlan;
import java.io.PrintWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What one controller would do to a cluster. */
@Command(
        name = "plan",
        description = "Prints what one controller would do to a cluster: how objects would differ, and by which calls.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class PlanCommand implements Runnable {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ImportFlags imports = new ImportFlags();

    @Option(
            names = "--controller",
            paramLabel = "NAME",
            description = "One of Kubernetes' own, as in --controllers, or scheduler.")
    private @Nullable String controller;

    @Option(
            names = "--controller-class",
            paramLabel = "CLASS",
            description =
                    "Of a controller of yours, in an archive given by --jar; not needed if it announces just one.")
    private @Nullable String className;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            defaultValue = "text",
            description = "How it is told: as text, or as JSON.")
    private String output = "text";

    @Override
    public void run() {
        boolean json = SimulateCommand.json(spec, output);
        ControllerPlan plan = plan(imports.state(spec));
        PrintWriter out = spec.commandLine().getOut();
        out.println(json ? plan.json().toPrettyString() : plan.text());
        out.flush();
    }

    private ControllerPlan plan(ClusterState state) {
        if (controller != null) {
            return ControllerPlan.of(state, controller);
        }
        List<ControllerProvider> programs =
                SimulateCommand.programs(imports.jars(), className == null ? List.of() : List.of(className));
        if (programs.size() != 1) {
            throw new ParameterException(
                    spec.commandLine(),
                    "whose plan? give --controller NAME, or --jar FILE and --controller-class CLASS"
                            + (programs.isEmpty() ? "" : "; the archive announces " + programs.size()));
        }
        return ControllerPlan.of(state, programs.get(0));
    }
}
