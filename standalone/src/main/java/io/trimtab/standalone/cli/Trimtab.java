package io.trimtab.standalone.cli;

import io.trimtab.apiserver.http.ListenException;
import io.trimtab.apiserver.store.StoreException;
import io.trimtab.controllers.ControllerManager;
import io.trimtab.program.Programs;
import io.trimtab.scheduler.SchedulerCommand;
import io.trimtab.simulate.SimulationException;
import io.trimtab.standalone.StartException;
import io.trimtab.standalone.rollingupdate.RollingUpdateException;
import java.util.LinkedHashMap;
import java.util.Map;
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
        synopsisSubcommandLabel = "COMMAND")
public final class Trimtab implements Runnable {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    /** In the order in which the help shows them. */
    private static final Map<String, Class<?>> COMMANDS = commands();

    private static Map<String, Class<?>> commands() {
        Map<String, Class<?>> commands = new LinkedHashMap<>();
        commands.put("up", UpCommand.class);
        commands.put("apiserver", ApiServerCommand.class);
        commands.put("controller-manager", ControllerManager.class);
        commands.put("scheduler", SchedulerCommand.class);
        commands.put("node", NodeCommand.class);
        commands.put("rolling-update", RollingUpdateCommand.class);
        commands.put("snapshot", SnapshotCommand.class);
        commands.put("simulate", SimulateCommand.class);
        commands.put("plan", PlanCommand.class);
        commands.put("replay", ReplayCommand.class);
        commands.put("version", VersionCommand.class);
        commands.put("warm-up", WarmUpCommand.class);
        return commands;
    }

    /**
     * The command line with its error texts.
     *
     * @param args what it will be asked; of the commands, only the one that these name is set up: reading the options of all
     *     others takes a quarter of the time in which a cluster starts
     */
    public static CommandLine commandLine(String... args) {
        CommandLine program = new CommandLine(new Trimtab());
        Class<?> asked = args.length == 0 ? null : COMMANDS.get(args[0]);
        if (asked != null) {
            program.addSubcommand(args[0], asked);
        } else {
            COMMANDS.forEach(program::addSubcommand);
        }
        return Programs.withErrorLines(program)
                .setUsageHelpAutoWidth(true)
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
                || failure instanceof RollingUpdateException
                || failure instanceof SimulationException;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is needed");
    }
}
