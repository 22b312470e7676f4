package io.trimtab.standalone.cli;

import io.trimtab.apiserver.http.ListenException;
import io.trimtab.apiserver.store.StoreException;
import io.trimtab.controllers.ControllerManager;
import io.trimtab.scheduler.SchedulerCommand;
import io.trimtab.standalone.StartException;
import io.trimtab.standalone.rollingupdate.RollingUpdateException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code trimtab} command and its subcommands. */
@Command(
        name = "trimtab",
        description = "A Kubernetes control plane in one process, and its parts.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            UpCommand.class,
            ApiServerCommand.class,
            ControllerManager.class,
            SchedulerCommand.class,
            NodeCommand.class,
            RollingUpdateCommand.class,
            VersionCommand.class,
            WarmUpCommand.class
        })
public final class Trimtab implements Runnable {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    /** The command line with its error texts. */
    public static CommandLine commandLine() {
        return new CommandLine(new Trimtab())
                .setUsageHelpAutoWidth(true)
                .setParameterExceptionHandler((failure, args) -> {
                    CommandLine line = failure.getCommandLine();
                    String name = line.getCommandSpec().qualifiedName();
                    line.getErr().println(name + ": " + failure.getMessage() + " (see " + name + " --help)");
                    return line.getCommandSpec().exitCodeOnInvalidInput();
                })
                .setExecutionExceptionHandler((failure, line, result) -> {
                    if (isClear(failure)) {
                        line.getErr().println(line.getCommandSpec().qualifiedName() + ": " + failure.getMessage());
                        return line.getCommandSpec().exitCodeOnExecutionException();
                    }
                    throw failure;
                });
    }

    /** The message says all there is to say; anything else is a bug, and shows its trace. */
    private static boolean isClear(Exception failure) {
        return failure instanceof StartException
                || failure instanceof ListenException
                || failure instanceof StoreException
                || failure instanceof RollingUpdateException;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is needed");
    }
}
