package io.trimtab.standalone.cli;

import io.trimtab.controller.ControllerProvider;
import io.trimtab.simulate.Replay;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Plays a recorded watch history. */
@Command(
        name = "replay",
        description =
                "Plays a watch history that trimtab simulate --record has written, and puts controllers before it.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ReplayCommand implements Runnable {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "FILE", description = "What simulate --record has written.")
    private Path file = Path.of("");

    @Option(
            names = "--controllers",
            split = ",",
            paramLabel = "NAME",
            description = "Controllers that watch it; what they would write is printed, and has no effect.")
    private List<String> controllers = List.of();

    @Option(names = "--jar", paramLabel = "FILE", description = "An archive with controllers.")
    private List<Path> jars = List.of();

    @Option(names = "--controller-class", paramLabel = "CLASS", description = "Of a controller in the archives.")
    private List<String> classes = List.of();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            defaultValue = "text",
            description = "How it is told: as text, or as JSON.")
    private String output = "text";

    @Option(names = "--timeline", paramLabel = "N", defaultValue = "200", description = "Lines at the most.")
    private int lines = 200;

    @Override
    public void run() {
        play(
                file,
                controllers,
                SimulateCommand.programs(jars, classes),
                SimulateCommand.json(spec, output),
                lines,
                spec.commandLine().getOut());
    }

    static void play(
            Path file,
            List<String> controllers,
            List<ControllerProvider> programs,
            boolean json,
            int lines,
            PrintWriter out) {
        Replay replay = Replay.of(file).controllers(controllers);
        programs.forEach(replay::program);
        Replay.Result result = replay.run();
        if (json) {
            out.println(result.json().toPrettyString());
        } else {
            out.println(result.outcome().text(lines, false));
            if (!controllers.isEmpty() || !programs.isEmpty()) {
                out.println("What the controllers would have written");
                result.calls().stream().limit(lines).forEach(call -> out.println("  " + call));
            }
        }
        out.flush();
    }
}
