package io.trimtab.scheduler;

import io.fabric8.kubernetes.client.Config;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.controller.ManagerProgram;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.runtime.Shutdown;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
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

    @Option(names = "--kubeconfig", paramLabel = "FILE", description = "How to reach the API server.")
    private @Nullable Path kubeconfig;

    @Option(
            names = "--leader-elect",
            arity = "0..1",
            fallbackValue = "true",
            defaultValue = "false",
            description = "Work only while holding the lease kube-system/kube-scheduler.")
    private boolean leaderElect;

    @Option(
            names = "--kube-api-qps",
            defaultValue = "0",
            paramLabel = "RATE",
            description = "Requests a second; 0 for no limit.")
    private double queriesPerSecond;

    @Option(names = "--kube-api-burst", defaultValue = "100", paramLabel = "COUNT", description = "Requests at once.")
    private int burst;

    /** Runs the program; the process ends with its exit code. */
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    /** The command with its error texts, for use in another command line. */
    public static CommandLine commandLine() {
        return new CommandLine(new SchedulerCommand()).setParameterExceptionHandler((failure, args) -> {
            CommandLine line = failure.getCommandLine();
            line.getErr().println(line.getCommandName() + ": " + failure.getMessage() + " (see --help)");
            return line.getCommandSpec().exitCodeOnInvalidInput();
        });
    }

    @Override
    public Integer call() {
        ClientOptions client = queriesPerSecond > 0
                ? ClientOptions.DEFAULT.withRateLimit(queriesPerSecond, burst)
                : ClientOptions.DEFAULT;
        Config connection = connection();
        SchedulerOptions options = SchedulerOptions.DEFAULT;
        Shutdown shutdown = Shutdown.listen();
        try (Driver driver = RealDriver.create("scheduler");
                ManagerProgram program = ManagerProgram.start(
                        driver,
                        connection,
                        new ManagerProgram.Options(Scheduler.NAME, leaderElect, client),
                        manager -> Scheduler.addTo(manager, options))) {
            program.leadershipLost().thenRun(shutdown::request);
            shutdown.await();
            boolean lost = program.leadershipLost().isDone();
            return lost ? 1 : 0;
        } finally {
            shutdown.done();
        }
    }

    private Config connection() {
        if (kubeconfig == null) {
            return Clients.fromEnvironment();
        }
        try {
            return Clients.kubeconfig(kubeconfig);
        } catch (UncheckedIOException e) {
            throw new ParameterException(spec.commandLine(), "--kubeconfig " + kubeconfig + ": " + e.getMessage(), e);
        }
    }
}
