package io.trimtab.standalone.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.controller.ControllerProvider;
import io.trimtab.simulate.ClusterSimulation;
import io.trimtab.simulate.ClusterState;
import io.trimtab.simulate.NodeStore;
import io.trimtab.simulate.Outcome;
import io.trimtab.simulate.Programs;
import io.trimtab.simulate.Scenario;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Tries a change before it is made: a whole cluster in virtual time. */
@Command(
        name = "simulate",
        description = "Runs a cluster in virtual time, imported or made up, and tells what happens in it.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class SimulateCommand implements Runnable {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ImportFlags imports = new ImportFlags();

    @Option(
            names = "--scenario",
            paramLabel = "FILE",
            description =
                    "What is done, and when: actions such as apply, scale, delete, drain, fail. Or plain manifests.")
    private List<Path> scenarios = List.of();

    @Option(
            names = "--for",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "Simulated time, such as 1h; default 10m.")
    private @Nullable Duration length;

    @Option(names = "--nodes", paramLabel = "COUNT", description = "Nodes to make up, besides those imported.")
    private int nodes;

    @Option(names = "--node-store", paramLabel = "NAME[=ARG]", description = "Nodes out of a store of your own.")
    private List<String> nodeStores = List.of();

    @Option(names = "--seed", paramLabel = "NUMBER", description = "The same seed gives the same run; default 1.")
    private @Nullable Long seed;

    @Option(names = "--controllers", split = ",", paramLabel = "NAME", description = "Default *.")
    private @Nullable List<String> controllers;

    @Option(names = "--no-scheduler", description = "No scheduler.")
    private boolean noScheduler;

    @Option(
            names = "--controller-class",
            paramLabel = "CLASS",
            description = "Of a controller in the archives, to run beside the others.")
    private List<String> classes = List.of();

    @Option(names = "--record", paramLabel = "FILE", description = "Write the watch history; .gz to compress.")
    private @Nullable Path record;

    @Option(names = "--replay", paramLabel = "FILE", description = "Play a recorded one: as trimtab replay FILE.")
    private @Nullable Path replay;

    @Option(
            names = "--compare",
            arity = "2",
            paramLabel = "A B",
            description = "Two runs: with scenario, manifests or archive A, and with B; how do they differ?")
    private List<Path> compare = List.of();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            defaultValue = "text",
            description = "How it is told: as text, or as JSON.")
    private String output = "text";

    @Option(names = "--timeline", paramLabel = "N", defaultValue = "200", description = "Lines at the most.")
    private int lines = 200;

    @Option(names = "--diff", description = "Show every field that is different at the end.")
    private boolean diff;

    @Override
    public void run() {
        PrintWriter out = spec.commandLine().getOut();
        boolean json = json(spec, output);
        if (replay != null) {
            ReplayCommand.play(
                    replay,
                    controllers == null ? List.of() : controllers,
                    programs(imports.jars(), classes),
                    json,
                    lines,
                    out);
            return;
        }
        ClusterState state = imports.state(spec);
        if (compare.isEmpty()) {
            Outcome outcome = simulation(state, scenario(), programs(imports.jars(), classes), record)
                    .run();
            out.println(json ? outcome.json().toPrettyString() : outcome.text(lines, diff));
        } else {
            Outcome a = variant(state, compare.get(0));
            Outcome b = variant(state, compare.get(1));
            if (json) {
                ObjectNode both = a.json().objectNode();
                both.set("a", a.json());
                both.set("b", b.json());
                out.println(both.toPrettyString());
            } else {
                out.println(a.compare(
                        b,
                        compare.get(0).getFileName().toString(),
                        compare.get(1).getFileName().toString()));
            }
        }
        out.flush();
    }

    static boolean json(CommandSpec spec, String output) {
        if (!output.equals("text") && !output.equals("json")) {
            throw new ParameterException(spec.commandLine(), "-o: \"" + output + "\" is neither text nor json");
        }
        return output.equals("json");
    }

    private Outcome variant(ClusterState state, Path file) {
        if (file.toString().endsWith(".jar")) {
            List<Path> jars = new java.util.ArrayList<>(imports.jars());
            jars.add(file);
            return simulation(state, scenario(), programs(jars, classes), null).run();
        }
        return simulation(state, Scenario.read(file).and(scenario()), programs(imports.jars(), classes), null)
                .run();
    }

    private Scenario scenario() {
        Scenario all = Scenario.QUIET;
        for (Path file : scenarios) {
            all = all.and(Scenario.read(file));
        }
        return all;
    }

    static List<ControllerProvider> programs(List<Path> jars, List<String> classes) {
        ClassLoader loader = Programs.loader(jars);
        return classes.isEmpty()
                ? Programs.controllers(loader)
                : classes.stream()
                        .map(name -> Programs.controller(loader, name))
                        .toList();
    }

    private ClusterSimulation simulation(
            ClusterState state, Scenario scenario, List<ControllerProvider> programs, @Nullable Path recording) {
        ClusterSimulation simulation =
                ClusterSimulation.of(state).scenario(scenario).scheduler(!noScheduler);
        if (nodes > 0) {
            simulation.nodes(NodeStore.uniform(nodes));
        }
        nodeStores.forEach(text -> simulation.nodes(Programs.nodeStore(imports.loader(), text)));
        programs.forEach(simulation::program);
        if (length != null) {
            simulation.length(length);
        }
        if (seed != null) {
            simulation.seed(seed);
        }
        if (controllers != null) {
            simulation.controllers(controllers.equals(List.of("")) ? List.of() : controllers);
        }
        if (recording != null) {
            simulation.record(recording);
        }
        return simulation;
    }
}
