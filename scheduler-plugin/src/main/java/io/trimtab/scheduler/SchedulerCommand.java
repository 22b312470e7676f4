package io.trimtab.scheduler;

import io.trimtab.controller.ManagerProgram;
import io.trimtab.program.ProgramFlags;
import io.trimtab.program.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The scheduler as a program, against any API server. Blocks until it is asked to end. */
@Command(
        name = "scheduler",
        description = "Places pods on the nodes of the API server of a kubeconfig.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class SchedulerCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ProgramFlags program = new ProgramFlags();

    @Option(names = "--config", paramLabel = "FILE", description = "A KubeSchedulerConfiguration.")
    private @Nullable Path config;

    @Option(
            names = "--leader-elect",
            arity = "0..1",
            fallbackValue = "true",
            description =
                    "Work only while holding the lease kube-system/kube-scheduler; default: as the file says, or false.",
            paramLabel = "true|false")
    private @Nullable Boolean leaderElect;

    /** Runs the program; the process ends with its exit code. */
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    /** The command with its error texts, for use in another command line. */
    public static CommandLine commandLine() {
        return Programs.commandLine(new SchedulerCommand());
    }

    @Override
    public Integer call() {
        program.features(); // none says anything here, but a name that is none is a mistake
        SchedulerConfiguration.Parsed file = file();
        Boolean elect = leaderElect == null ? file.leaderElect() : leaderElect;
        return ManagerProgram.run(
                program.connection(file.kubeconfig()),
                new ManagerProgram.Options(Scheduler.NAME, Boolean.TRUE.equals(elect), program.client()),
                manager -> Scheduler.addTo(manager, file.options()));
    }

    private SchedulerConfiguration.Parsed file() {
        if (config == null) {
            return new SchedulerConfiguration.Parsed(SchedulerOptions.DEFAULT, null, null);
        }
        try {
            return SchedulerConfiguration.parse(Files.readString(config));
        } catch (IOException | RuntimeException e) {
            throw new ParameterException(spec.commandLine(), "--config " + config + ": " + e.getMessage(), e);
        }
    }
}
