package io.trimtab.scheduler;

import io.fabric8.kubernetes.client.Config;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.controller.ManagerProgram;
import io.trimtab.features.FeatureGates;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.runtime.Shutdown;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

    @Option(
            names = "--kube-api-qps",
            defaultValue = "0",
            paramLabel = "RATE",
            description = "Requests a second; 0 for no limit.")
    private double queriesPerSecond;

    @Option(names = "--kube-api-burst", defaultValue = "100", paramLabel = "COUNT", description = "Requests at once.")
    private int burst;

    @Option(
            names = "--feature-gates",
            paramLabel = "NAME=true|false",
            description = "Features of Kubernetes to switch on or off, as the other commands take them.")
    private List<String> features = List.of();

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
        try {
            FeatureGates.parse(features);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        SchedulerConfiguration.Parsed file = file();
        Config connection = connection(file.kubeconfig());
        Boolean asked = leaderElect == null ? file.leaderElect() : leaderElect;
        boolean elect = Boolean.TRUE.equals(asked);
        Shutdown shutdown = Shutdown.listen();
        try (Driver driver = RealDriver.create("scheduler");
                ManagerProgram program = ManagerProgram.start(
                        driver,
                        connection,
                        new ManagerProgram.Options(Scheduler.NAME, elect, client),
                        manager -> Scheduler.addTo(manager, file.options()))) {
            program.leadershipLost().thenRun(shutdown::request);
            shutdown.await();
            boolean lost = program.leadershipLost().isDone();
            return lost ? 1 : 0;
        } finally {
            shutdown.done();
        }
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

    private Config connection(@Nullable String fromFile) {
        Path from = kubeconfig != null || fromFile == null ? kubeconfig : Path.of(fromFile);
        if (from == null) {
            return Clients.fromEnvironment();
        }
        try {
            return Clients.kubeconfig(from);
        } catch (UncheckedIOException e) {
            throw new ParameterException(spec.commandLine(), "--kubeconfig " + from + ": " + e.getMessage(), e);
        }
    }
}
