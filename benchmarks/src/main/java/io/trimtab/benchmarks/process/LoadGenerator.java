package io.trimtab.benchmarks.process;

import io.fabric8.kubernetes.client.Config;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Runs the same client program against any API server, and reads its figures. Stateless. */
final class LoadGenerator {
    private static final Pattern LINE = Pattern.compile("^(\\S+)\\s+([0-9.]+) \\S+/s(?:\\s+([0-9]+) objects/s)?.*");
    private static final List<String> PHASES = List.of("create", "get", "list", "watch", "update", "delete");

    private LoadGenerator() {}

    /**
     * Loads a server, phase by phase, after a first round that is not counted: programs that compile while they run, and caches, are
     * to show what they do for hours and not for their first seconds.
     */
    static Load run(Path program, Path kubeconfig, ControlPlane plane, int objects)
            throws IOException, InterruptedException {
        Config config = Config.fromKubeconfig(kubeconfig.toFile());
        Path directory = plane.directory();
        List<String> command = List.of(
                program.toString(),
                "-server",
                config.getMasterUrl().replaceAll("/$", ""),
                "-ca",
                pem(directory, "load-ca.pem", config.getCaCertData()).toString(),
                "-cert",
                pem(directory, "load-client.pem", config.getClientCertData()).toString(),
                "-key",
                pem(directory, "load-client.key", config.getClientKeyData()).toString(),
                "-n",
                Integer.toString(objects));
        phase(command, "warm", String.join(",", PHASES));
        Map<String, Double> rates = new LinkedHashMap<>();
        Map<String, Double> costs = new LinkedHashMap<>();
        long most = 0;
        for (String phase : PHASES) {
            plane.requireAlive();
            long before = plane.processorMillis();
            String text = phase(command, "bench", phase);
            long spent = plane.processorMillis() - before;
            System.out.print(text);
            most = Math.max(most, plane.residentKilobytes());
            for (String line : List.of(text.split("\n"))) {
                Matcher match = LINE.matcher(line);
                if (match.matches()) {
                    // Lists are counted by what is in them.
                    String rate = match.group(3) == null ? match.group(2) : match.group(3);
                    rates.put(match.group(1), Double.parseDouble(rate));
                }
            }
            costs.put(phase.equals("update") ? "patch" : phase, (double) spent);
        }
        return new Load(rates, costs, most);
    }

    private static String phase(List<String> command, String namespace, String phases)
            throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(command);
        line.addAll(List.of("-ns", namespace, "-phases", phases));
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException("the load generator failed: " + text);
        }
        Matcher errors = Pattern.compile("errors ([1-9][0-9]*)").matcher(text);
        if (errors.find()) {
            throw new IllegalStateException("requests were refused: " + text);
        }
        return text;
    }

    private static Path pem(Path directory, String name, String base64) throws IOException {
        return Files.write(directory.resolve(name), Base64.getDecoder().decode(base64));
    }
}
