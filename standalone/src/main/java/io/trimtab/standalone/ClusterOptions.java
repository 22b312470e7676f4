package io.trimtab.standalone;

import io.trimtab.node.simulated.Simulation;
import java.util.List;

/**
 * What a cluster is made of. Immutable; change one by its {@code with} method.
 *
 * @param apiServer how the API server is set up
 * @param nodes names of the simulated nodes; empty for none
 * @param simulation how the nodes' containers behave
 * @param podCidr addresses of pods; each node gets a part of it
 * @param nodeCidrMaskSize how long the prefix of that part is
 * @param controllers which controllers run, as {@code --controllers} has it; empty for none
 * @param scheduler whether the scheduler runs
 * @param metrics whether the simulated nodes have a metrics API, for {@code kubectl top} and autoscalers
 */
public record ClusterOptions(
        ApiServerOptions apiServer,
        List<String> nodes,
        Simulation simulation,
        String podCidr,
        int nodeCidrMaskSize,
        List<String> controllers,
        boolean scheduler,
        boolean metrics) {

    /** Three nodes, all controllers, nothing listens, nothing is kept. */
    public static final ClusterOptions IN_MEMORY = new ClusterOptions(
            ApiServerOptions.IN_MEMORY,
            List.of("node-1", "node-2", "node-3"),
            Simulation.DEFAULT,
            "172.16.0.0/16",
            24,
            List.of("*"),
            true,
            false);

    public ClusterOptions {
        nodes = List.copyOf(nodes);
        controllers = List.copyOf(controllers);
    }

    public ClusterOptions withApiServer(ApiServerOptions options) {
        return new ClusterOptions(
                options, nodes, simulation, podCidr, nodeCidrMaskSize, controllers, scheduler, metrics);
    }

    public ClusterOptions withNodes(List<String> names) {
        return new ClusterOptions(
                apiServer, names, simulation, podCidr, nodeCidrMaskSize, controllers, scheduler, metrics);
    }

    public ClusterOptions withSimulation(Simulation how) {
        return new ClusterOptions(apiServer, nodes, how, podCidr, nodeCidrMaskSize, controllers, scheduler, metrics);
    }

    public ClusterOptions withPodCidr(String cidr, int maskSize) {
        return new ClusterOptions(apiServer, nodes, simulation, cidr, maskSize, controllers, scheduler, metrics);
    }

    public ClusterOptions withControllers(List<String> selection) {
        return new ClusterOptions(
                apiServer, nodes, simulation, podCidr, nodeCidrMaskSize, selection, scheduler, metrics);
    }

    public ClusterOptions withScheduler(boolean runs) {
        return new ClusterOptions(apiServer, nodes, simulation, podCidr, nodeCidrMaskSize, controllers, runs, metrics);
    }

    public ClusterOptions withMetrics(boolean served) {
        return new ClusterOptions(
                apiServer, nodes, simulation, podCidr, nodeCidrMaskSize, controllers, scheduler, served);
    }
}
