package io.trimtab.standalone.cli;

import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.client.KubernetesJson;
import io.trimtab.controllers.ControllerTable;
import io.trimtab.node.simulated.Simulation;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.runtime.Shutdown;
import io.trimtab.standalone.AdminAccess;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import io.trimtab.standalone.Cluster;
import io.trimtab.standalone.ClusterOptions;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Everything in one process. Blocks until it is asked to end. */
@Command(
        name = "up",
        description = "Starts a whole cluster in this process: API server, controllers, scheduler, nodes.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class UpCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ApiServerFlags flags = new ApiServerFlags();

    @Option(names = "--nodes", defaultValue = "3", paramLabel = "COUNT", description = "How many nodes.")
    private int nodes;

    @Option(names = "--node-names", split = ",", paramLabel = "NAME", description = "Nodes of these names instead.")
    private List<String> nodeNames = List.of();

    @Option(names = "--no-nodes", description = "No nodes: run them by trimtab node.")
    private boolean noNodes;

    @Option(names = "--runtime", defaultValue = "simulated", paramLabel = "KIND", description = "simulated.")
    private String runtime = "simulated";

    @Option(
            names = "--pod-cidr",
            defaultValue = "172.16.0.0/16",
            paramLabel = "CIDR",
            description = "Addresses of pods; each node is given a part.")
    private String podCidr = "172.16.0.0/16";

    @Option(
            names = "--controllers",
            split = ",",
            defaultValue = "*",
            paramLabel = "NAME",
            description = "Which to run: '*' for all that are on by default, 'name' for one, '-name' for all but"
                    + " that one.")
    private List<String> controllers = List.of("*");

    @Option(names = "--no-scheduler", description = "No scheduler: run one by trimtab scheduler.")
    private boolean noScheduler;

    @Override
    public Integer call() {
        ClusterOptions options = options();
        PrintWriter out = spec.commandLine().getOut();
        Shutdown shutdown = Shutdown.listen();
        try (Driver driver = RealDriver.create("trimtab");
                Cluster cluster = Cluster.start(options, driver)) {
            ApiServerInstance apiServer = cluster.apiServer();
            Path kubeconfig = flags.kubeconfig();
            AdminAccess.write(kubeconfig, apiServer);
            boolean ready = cluster.awaitReady(Duration.ofSeconds(60));
            AdminAccess.signalReady(flags.readyFile(), apiServer);
            print(out, options, apiServer, kubeconfig, ready);
            // How pods are read is found out once, which takes longer than reading a hundred: the first pods need not
            // wait
            // for it.
            driver.backgroundLane("first pods")
                    .execute(() -> KubernetesJson.cacheMapper().readerFor(Pod.class));
            shutdown.await();
            out.println("Stopping.");
            out.flush();
        } finally {
            shutdown.done();
        }
        return 0;
    }

    /** What the flags ask for. */
    ClusterOptions options() {
        NodeCommand.requireSimulated(spec, runtime);
        // --controllers '' selects none; split, it is one empty name.
        List<String> selected = controllers.equals(List.of("")) ? List.of() : controllers;
        try {
            ControllerTable.check(selected);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        if (nodes < 0) {
            throw new ParameterException(spec.commandLine(), "--nodes: " + nodes + " is no count; give 0 or more");
        }
        List<String> names = noNodes
                ? List.of()
                : nodeNames.isEmpty()
                        ? IntStream.rangeClosed(1, nodes)
                                .mapToObj(i -> "node-" + i)
                                .toList()
                        : nodeNames;
        ApiServerOptions apiServer = flags.options();
        return new ClusterOptions(
                apiServer, names, Simulation.DEFAULT, podCidr, maskSize(names.size()), selected, !noScheduler, true);
    }

    /** The usual 256 addresses a node, as long as there is room for that; less for very many nodes. */
    private int maskSize(int count) {
        int prefix;
        try {
            prefix = Integer.parseInt(podCidr.substring(podCidr.indexOf('/') + 1));
        } catch (NumberFormatException e) {
            throw new ParameterException(
                    spec.commandLine(), "--pod-cidr: \"" + podCidr + "\" is no CIDR; give one such as 172.16.0.0/16");
        }
        int mask = Math.max(prefix, 24);
        while (mask < 28 && 1L << (mask - prefix) < count) {
            mask++;
        }
        return mask;
    }

    /** Says where the cluster is, and what can be done next. */
    static void print(
            PrintWriter out,
            ClusterOptions options,
            ApiServerInstance apiServer,
            @Nullable Path kubeconfig,
            boolean ready) {
        out.println(ready ? "The cluster is ready." : "The API server is ready; not all nodes are yet.");
        if (apiServer.securePort() >= 0) {
            out.println("  API server  https://" + options.apiServer().bindAddress() + ":" + apiServer.securePort());
        }
        if (apiServer.insecurePort() >= 0) {
            out.println("  plain HTTP  http://127.0.0.1:" + apiServer.insecurePort() + " (everybody is admin)");
        }
        out.println("  nodes       "
                + (options.nodes().isEmpty() ? "none" : options.nodes().size()));
        out.println("  store       " + options.apiServer().store().name().toLowerCase(java.util.Locale.ROOT));
        out.println();
        out.println("Next:");
        out.println("  export KUBECONFIG="
                + (kubeconfig == null ? "" : kubeconfig.toAbsolutePath().normalize()));
        out.println("  kubectl get nodes");
        out.println("  kubectl create deployment web --image=nginx --replicas=3");
        out.flush();
    }
}
