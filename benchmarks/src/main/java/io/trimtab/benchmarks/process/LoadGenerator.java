package io.trimtab.benchmarks.process;

import io.fabric8.kubernetes.client.Config;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Runs the same client program against any API server, and reads its figures. Stateless. */
final class LoadGenerator {
    private static final Pattern LINE = Pattern.compile("^(\\S+)\\s+([0-9.]+) (\\S+/s).*");

    private LoadGenerator() {}

    /** Operations a second by what was done, in the order in which it was done. */
    static Map<String, Double> run(Path program, Path kubeconfig, Path directory, int objects)
            throws IOException, InterruptedException {
        Config config = Config.fromKubeconfig(kubeconfig.toFile());
        Path ca = pem(directory, "load-ca.pem", config.getCaCertData());
        Path certificate = pem(directory, "load-client.pem", config.getClientCertData());
        Path key = pem(directory, "load-client.key", config.getClientKeyData());
        Process process = new ProcessBuilder(
                        program.toString(),
                        "-server",
                        config.getMasterUrl().replaceAll("/$", ""),
                        "-ca",
                        ca.toString(),
                        "-cert",
                        certificate.toString(),
                        "-key",
                        key.toString(),
                        "-n",
                        Integer.toString(objects),
                        "-phases",
                        "create,get,list,watch,update,delete")
                .redirectErrorStream(true)
                .start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException("the load generator failed: " + text);
        }
        System.out.print(text);
        Map<String, Double> rates = new LinkedHashMap<>();
        for (String line : List.of(text.split("\n"))) {
            Matcher match = LINE.matcher(line);
            if (match.matches()) {
                rates.put(match.group(1) + " (" + match.group(3) + ")", Double.parseDouble(match.group(2)));
            }
        }
        return rates;
    }

    private static Path pem(Path directory, String name, String base64) throws IOException {
        return Files.write(directory.resolve(name), Base64.getDecoder().decode(base64));
    }
}
