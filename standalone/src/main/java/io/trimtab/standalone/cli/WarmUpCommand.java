package io.trimtab.standalone.cli;

import io.trimtab.apiserver.store.RocksStore;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.standalone.AdminAccess;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import io.trimtab.standalone.ApiServerOptions.StoreKind;
import io.trimtab.standalone.Cluster;
import io.trimtab.standalone.ClusterOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Starts a cluster, does with it what a person first does, and stops: so that the JVM can note which classes that takes, and
 * map them at the next start instead of reading them.
 */
@Command(name = "warm-up", hidden = true, description = "Exercises a cluster once, for the JVM's class-data archive.")
final class WarmUpCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

    @Option(names = "--data-dir", required = true, paramLabel = "DIR")
    private Path dataDir = Path.of(".");

    @Option(names = "--library-dir", paramLabel = "DIR", description = "Where RocksDB's library is unpacked to.")
    private @Nullable Path libraryDir;

    @Parameters(index = "0", defaultValue = "up", paramLabel = "COMMAND", description = "up, or apiserver")
    private String command = "up";

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (libraryDir != null) {
            RocksStore.unpackLibrary(libraryDir);
        }
        HeadStart.begin(command);
        if (command.equals("apiserver")) {
            // Alone it takes half of the classes; what lies in the archive takes memory, used or not.
            alone(ApiServerOptions.IN_MEMORY
                    .withStore(StoreKind.ROCKSDB, dataDir)
                    .withPorts(0, 0));
            return 0;
        }
        String[] args = {"up", "--data-dir", dataDir.toString(), "--secure-port", "0"};
        CommandLine line = Trimtab.commandLine(args);
        UpCommand up =
                (UpCommand) line.parseArgs(args).subcommand().commandSpec().userObject();
        ClusterOptions options = up.options();
        options = options.withApiServer(options.apiServer().withPorts(0, 0));
        try (Driver driver = RealDriver.create("trimtab");
                Cluster cluster = Cluster.start(options, driver)) {
            ApiServerInstance server = cluster.apiServer();
            Path kubeconfig = dataDir.resolve("admin.kubeconfig");
            AdminAccess.write(kubeconfig, server);
            boolean ready = cluster.awaitReady(PATIENCE);
            AdminAccess.signalReady(dataDir.resolve("ready"), server);
            UpCommand.print(line.getOut(), options, server, kubeconfig, ready);
            HttpClient client = HttpClient.newHttpClient();
            String base = "http://127.0.0.1:" + server.insecurePort();
            send(client, "GET", base + "/version", null);
            send(client, "GET", base + "/api/v1/nodes", null);
            String deployment = "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"},"
                    + "\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{"
                    + "\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":{\"containers\":[{\"name\":\"web\","
                    + "\"image\":\"nginx\"}]}}}}";
            send(client, "POST", base + "/apis/apps/v1/namespaces/default/deployments", deployment);
            send(client, "GET", base + "/api/v1/pods?watch=true&timeoutSeconds=3", null);
            for (String path : List.of(
                    "/apis", "/api/v1", "/api/v1/pods", "/apis/apps/v1/deployments", "/api/v1/events", "/readyz")) {
                send(client, "GET", base + path, null);
            }
            send(client, "DELETE", base + "/apis/apps/v1/namespaces/default/deployments/web", null);
        }
        return 0;
    }

    private void alone(ApiServerOptions options) throws IOException, InterruptedException {
        try (Driver driver = RealDriver.create("trimtab");
                ApiServerInstance server = ApiServerInstance.start(options, driver)) {
            AdminAccess.write(dataDir.resolve("admin.kubeconfig"), server);
            HttpClient client = HttpClient.newHttpClient();
            String base = "http://127.0.0.1:" + server.insecurePort();
            String maps = base + "/api/v1/namespaces/default/configmaps";
            send(client, "GET", base + "/version", null);
            send(
                    client,
                    "POST",
                    maps,
                    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"one\"},\"data\":{\"a\":\"b\"}}");
            for (String path : List.of("/apis", "/api/v1", "/api/v1/pods", "/apis/apps/v1/deployments", "/readyz")) {
                send(client, "GET", base + path, null);
            }
            send(client, "GET", maps + "?watch=true&timeoutSeconds=1", null);
            send(client, "DELETE", maps + "/one", null);
            // Operators come with definitions, many at once: with these classes at hand they are served in half of the
            // time.
            String definitions = base + "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            send(
                    client,
                    "POST",
                    definitions,
                    "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\",\"metadata\":{\"name\":"
                            + "\"ones.warm.up\"},\"spec\":{\"group\":\"warm.up\",\"scope\":\"Namespaced\",\"names\":{"
                            + "\"plural\":\"ones\",\"kind\":\"One\"},\"versions\":[{\"name\":\"v1\",\"served\":true,"
                            + "\"storage\":true,\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\",\"properties\":{"
                            + "\"spec\":{\"type\":\"object\",\"properties\":{\"size\":{\"type\":\"integer\"},\"names\":{"
                            + "\"type\":\"array\",\"maxItems\":9,\"items\":{\"type\":\"string\",\"maxLength\":9}}},"
                            + "\"x-kubernetes-validations\":[{\"rule\":\"!has(self.size) || self.size > 1\"},{\"rule\":"
                            + "\"self.names.all(n, n.startsWith('a'))\"}]}}}}}]}}");
            send(client, "GET", base + "/apis/warm.up/v1/ones", null);
            send(client, "DELETE", definitions + "/ones.warm.up", null);
        }
    }

    private static void send(HttpClient client, String method, String url, @Nullable String body)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .timeout(PATIENCE)
                .header("Accept", TABLE)
                .header("Content-Type", "application/json")
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build();
        // What comes back does not matter here: only that it was asked for.
        client.send(request, BodyHandlers.discarding());
    }
}
