package io.trimtab.standalone.cli;

import io.fabric8.kubernetes.client.Config;
import io.trimtab.client.Clients;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.simulate.ClusterState;
import io.trimtab.simulate.LiveCluster;
import io.trimtab.simulate.Programs;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What cluster is simulated, and with which programs of the user's. */
final class ImportFlags {
    @Option(
            names = {"-f", "--filename"},
            paramLabel = "FILE",
            description =
                    "Objects to import, YAML or JSON, as kubectl get -A -o yaml prints them; a directory, or - for"
                            + " standard input. Those without a UID are applied.")
    private List<String> files = List.of();

    @Option(
            names = "--kubeconfig",
            paramLabel = "FILE",
            description = "Import a live cluster instead. It is only read: nothing but get and list is sent.")
    private @Nullable Path kubeconfig;

    @Option(
            names = "--jar",
            paramLabel = "FILE",
            description = "An archive with controllers (io.trimtab.controller.ControllerProvider) or node stores"
                    + " (io.trimtab.simulate.NodeStore).")
    private List<Path> jars = List.of();

    ClusterState state(CommandSpec spec) {
        ClusterState state = ClusterState.EMPTY;
        for (String file : files) {
            state = state.and(
                    file.equals("-")
                            ? ClusterState.read(System.in, "standard input")
                            : ClusterState.read(Path.of(file)));
        }
        if (kubeconfig != null) {
            Config config;
            try {
                config = Clients.kubeconfig(kubeconfig);
            } catch (UncheckedIOException e) {
                throw new ParameterException(spec.commandLine(), "--kubeconfig: " + e.getMessage(), e);
            }
            try (Driver driver = RealDriver.create("import")) {
                LiveCluster.Reading reading = LiveCluster.read(config, driver);
                PrintWriter err = spec.commandLine().getErr();
                reading.notes().forEach(err::println);
                err.flush();
                state = state.and(reading.state());
            }
        }
        return state;
    }

    List<Path> jars() {
        return jars;
    }

    ClassLoader loader() {
        return Programs.loader(jars);
    }
}
