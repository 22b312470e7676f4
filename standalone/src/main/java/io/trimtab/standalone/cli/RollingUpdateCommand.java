package io.trimtab.standalone.cli;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.client.Config;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.client.KubernetesJson;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.standalone.StartException;
import io.trimtab.standalone.rollingupdate.ImageUpdate;
import io.trimtab.standalone.rollingupdate.RollingUpdate;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Replaces a ReplicationController pod by pod, as kubectl once did. */
@Command(
        name = "rolling-update",
        description = "Replaces a ReplicationController by another, one pod up and one pod down at a time. Interrupted,"
                + " the same command goes on where it stopped.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class RollingUpdateCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(index = "0", paramLabel = "OLD", description = "The controller to be replaced.")
    private String oldName = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "NEW", description = "Name of the new one, with --image.")
    private @Nullable String newName;

    @Option(
            names = {"-f", "--filename"},
            paramLabel = "FILE",
            description = "The new controller, in YAML or JSON.")
    private @Nullable Path file;

    @Option(names = "--image", paramLabel = "IMAGE", description = "Instead of a file: the new image.")
    private @Nullable String image;

    @Option(names = "--container", paramLabel = "NAME", description = "Which container gets the image.")
    private @Nullable String container;

    @Option(names = "--image-pull-policy", paramLabel = "POLICY", description = "Needed if the image stays the same.")
    private @Nullable String pullPolicy;

    @Option(
            names = "--deployment-label-key",
            defaultValue = "deployment",
            paramLabel = "KEY",
            description = "The label that tells the pods of the two controllers apart while both run.")
    private String deploymentKey = "deployment";

    @Option(
            names = "--update-period",
            converter = DurationConverter.class,
            defaultValue = "1m",
            paramLabel = "TIME",
            description = "Between two steps.")
    private Duration updatePeriod = Duration.ofMinutes(1);

    @Option(
            names = "--poll-interval",
            converter = DurationConverter.class,
            defaultValue = "3s",
            paramLabel = "TIME",
            description = "Between two looks.")
    private Duration pollInterval = Duration.ofSeconds(3);

    @Option(
            names = "--timeout",
            converter = DurationConverter.class,
            defaultValue = "5m",
            paramLabel = "TIME",
            description = "Without any progress.")
    private Duration timeout = Duration.ofMinutes(5);

    @Option(names = "--rollback", description = "Goes back from an update that was begun.")
    private boolean rollback;

    @Option(
            names = {"-n", "--namespace"},
            paramLabel = "NAME",
            description = "The namespace of both; default: that of the kubeconfig.")
    private @Nullable String namespace;

    @Option(names = "--kubeconfig", paramLabel = "FILE", description = "How to reach the API server.")
    private @Nullable Path kubeconfig;

    @Override
    public Integer call() {
        if ((file == null) == (image == null) && !rollback) {
            throw new ParameterException(
                    spec.commandLine(),
                    file == null
                            ? "must specify --filename or --image for new controller"
                            : "--filename and --image can not both be specified");
        }
        RollingUpdate.Options options = new RollingUpdate.Options(updatePeriod, pollInterval, timeout);
        Config config = config();
        String space = namespace != null ? namespace : Objects.requireNonNullElse(config.getNamespace(), "default");
        PrintWriter out = spec.commandLine().getOut();
        try (Driver driver = RealDriver.create("rolling-update");
                FabricClient client =
                        Clients.connect(config, driver, ClientOptions.DEFAULT).clientFor("trimtab-rolling-update")) {
            RollingUpdate update = new RollingUpdate(client, driver, space, options, line -> {
                out.println(line);
                out.flush();
            });
            if (rollback) {
                update.rollback(
                        oldName,
                        newName != null || file == null
                                ? newName
                                : read(file).getMetadata().getName());
            } else if (file != null) {
                update.toController(oldName, read(file));
            } else {
                update.toImage(
                        oldName,
                        newName,
                        new ImageUpdate.Change(Objects.requireNonNull(image), container, pullPolicy, deploymentKey));
            }
        }
        return 0;
    }

    private Config config() {
        try {
            return kubeconfig == null ? Clients.fromEnvironment() : Clients.kubeconfig(kubeconfig);
        } catch (UncheckedIOException e) {
            throw new ParameterException(spec.commandLine(), "--kubeconfig: " + e.getMessage(), e);
        }
    }

    private static ReplicationController read(Path file) {
        try {
            HasMetadata object = KubernetesJson.serialization().unmarshal(Files.readString(file));
            if (object instanceof ReplicationController controller) {
                return controller;
            }
            throw new StartException(file + " does not specify a valid ReplicationController");
        } catch (IOException | RuntimeException e) {
            if (e instanceof StartException known) {
                throw known;
            }
            throw new StartException("-f " + file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
