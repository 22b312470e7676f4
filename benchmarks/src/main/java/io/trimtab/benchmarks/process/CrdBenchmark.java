package io.trimtab.benchmarks.process;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * What many custom resource definitions cost: from cold until so many that were created at once are all served, and what a
 * thousand more hold. Arguments: {@code --program FILE --kube-bin DIR --definitions 115 --more 1000 --runs 3}.
 */
public final class CrdBenchmark {
    /** Clients such as kubectl send so many at once. */
    private static final int AT_ONCE = 8;

    private static final int GROUPS = 12;
    private static final int FIELDS = 40;

    private CrdBenchmark() {}

    public static void main(String[] args) throws Exception {
        Map<String, String> flags = Flags.of(args);
        int definitions = Integer.parseInt(flags.getOrDefault("--definitions", "115"));
        int more = Integer.parseInt(flags.getOrDefault("--more", "1000"));
        int runs = Integer.parseInt(flags.getOrDefault("--runs", "3"));
        String kubeBin = flags.getOrDefault("--kube-bin", "");
        System.out.println("each definition has " + definition(0).length() + " bytes");
        for (int run = 0; run < runs; run++) {
            Path directory = Files.createTempDirectory("trimtab-crds");
            try (ControlPlane plane = new ControlPlane(directory)) {
                plane.startTrimtab(Path.of(flags.get("--program")), "apiserver");
                Client client = new Client(directory.resolve("data/admin.kubeconfig"));
                measure("Trimtab", plane, client, definitions, run == runs - 1 ? more : 0);
            } finally {
                Directories.delete(directory);
            }
        }
        if (!kubeBin.isEmpty()) {
            Path directory = Files.createTempDirectory("real-crds");
            try (ControlPlane plane = RealControlPlane.start(Path.of(kubeBin), directory, false)) {
                Client client = new Client(directory.resolve("admin.kubeconfig"));
                while (client.get("/readyz") != 200) {
                    plane.requireAlive();
                    Thread.sleep(100);
                }
                measure("Kubernetes", plane, client, definitions, more);
            } finally {
                Directories.delete(directory);
            }
        }
        System.exit(0); // the clients' threads would keep the process
    }

    private static void measure(String who, ControlPlane plane, Client client, int definitions, int more)
            throws Exception {
        step(who + ", from cold", plane, client, 0, definitions);
        if (more > 0) {
            step(who + ", more", plane, client, definitions, definitions + more);
        }
    }

    private static void step(String what, ControlPlane plane, Client client, int from, int to) throws Exception {
        long processor = plane.processorMillis();
        long resident = plane.residentKilobytes();
        long start = System.nanoTime();
        client.each(
                to - from,
                AT_ONCE,
                i -> client.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition(from + i)));
        double created = (System.nanoTime() - start) / 1e9;
        for (int i = from; i < to; i++) {
            while (client.get("/apis/" + group(i) + "/v1/" + plural(i) + "?limit=1") != 200) {
                Thread.sleep(5);
            }
        }
        System.out.printf(
                Locale.ROOT,
                "%-24s %5d definitions: created in %.2f s, all served after %.2f s; %.2f s of processor time;"
                        + " resident %d MB, %d kB more for each%n",
                what,
                to - from,
                created,
                (System.nanoTime() - start) / 1e9,
                (plane.processorMillis() - processor) / 1e3,
                plane.residentKilobytes() / 1024,
                (plane.residentKilobytes() - resident) / (to - from));
    }

    private static String group(int i) {
        return "g" + i % GROUPS + ".bench.example.com";
    }

    private static String plural(int i) {
        return "things" + i + "s";
    }

    /** Of the size and shape that operators' definitions have: fields with prose, a list, a status, a rule here and there. */
    private static String definition(int i) {
        StringBuilder fields = new StringBuilder();
        for (int f = 0; f < FIELDS; f++) {
            String type =
                    switch (f % 4) {
                        case 0 -> "\"type\":\"string\",\"maxLength\":63,\"pattern\":\"^[a-z0-9-]*$\"";
                        case 1 -> "\"type\":\"integer\",\"format\":\"int32\",\"minimum\":0,\"default\":" + f;
                        case 2 -> "\"type\":\"boolean\"";
                        default -> "\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}";
                    };
            fields.append(",\"field")
                    .append(f)
                    .append("\":{\"description\":\"What field ")
                    .append(f)
                    .append(
                            " of this kind of thing is for, and what becomes of it if it is left out or changed later.\",")
                    .append(type)
                    .append('}');
        }
        String kind = "Thing" + i;
        return "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\",\"metadata\":{\"name\":\""
                + plural(i) + "." + group(i) + "\"},\"spec\":{\"group\":\"" + group(i)
                + "\",\"scope\":\"Namespaced\",\"names\":{\"plural\":\"" + plural(i) + "\",\"singular\":\"thing" + i
                + "\",\"kind\":\"" + kind + "\",\"listKind\":\"" + kind
                + "List\"},\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true,\"subresources\":{\"status\":{}},"
                + "\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\","
                + "\"x-kubernetes-validations\":[{\"rule\":\"!has(self.replicas) || self.replicas <= 100\",\"message\":"
                + "\"too many\"}],\"properties\":{\"replicas\":{\"type\":\"integer\"},\"items\":{\"type\":\"array\","
                + "\"maxItems\":64,\"items\":{\"type\":\"object\",\"required\":[\"name\"],\"properties\":{\"name\":{"
                + "\"type\":\"string\",\"maxLength\":63},\"value\":{\"type\":\"string\"}},\"x-kubernetes-validations\":[{"
                + "\"rule\":\"self.name.size() > 0\"}]}}" + fields
                + "}},\"status\":{\"type\":\"object\",\"properties\":{\"phase\":{\"type\":\"string\"},\"conditions\":{"
                + "\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\"},"
                + "\"status\":{\"type\":\"string\"}}}}}}}}}}]}}";
    }
}
