package io.trimtab.client;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.RequestConfig;
import io.fabric8.kubernetes.client.RequestConfigBuilder;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.utils.HttpClientUtils;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Makes clients. */
public final class Clients {
    private Clients() {}

    /** Connects as the configuration says, with the HTTP client that is on the class path. */
    public static FabricClient connect(Config config, Driver driver) {
        return connect(config, driver, ClientOptions.DEFAULT);
    }

    /** Connects as the configuration says, with the HTTP client that is on the class path. */
    public static FabricClient connect(Config config, Driver driver, ClientOptions options) {
        return connect(HttpClientUtils.getHttpClientFactory(), config, driver, options);
    }

    /**
     * Connects as the configuration says, by a given transport: TLS, credentials, impersonation and proxies are set up by
     * Fabric8's own code.
     */
    public static FabricClient connect(
            HttpClient.Factory transport, Config config, Driver driver, ClientOptions options) {
        HttpClient http = transport.newBuilder(config).build();
        // Fabric8 would repeat failed requests on timers of its own; time and retries are ours here.
        RequestConfig once = new RequestConfigBuilder(config.getRequestConfig())
                .withRequestRetryBackoffLimit(0)
                .withRequestTimeout(0)
                .build();
        HttpClient quiet = http.newBuilder().tag(once).build();
        ListWatchSource source = http instanceof ListWatchSource s ? s : null;
        boolean agentByInterceptor =
                config.getUserAgent() != null && !config.getUserAgent().isEmpty();
        return FabricClient.create(quiet, config.getMasterUrl(), driver, options, source, agentByInterceptor);
    }

    /**
     * A client over a transport that is set up already; closing the client closes it.
     *
     * @param baseUrl such as {@code http://cluster.local}
     */
    public static FabricClient over(HttpClient http, String baseUrl, Driver driver, ClientOptions options) {
        return over(http, baseUrl, driver, options, http instanceof ListWatchSource s ? s : null);
    }

    /**
     * A client over a transport that is set up already, with a shorter way to list and watch.
     *
     * @param source null for HTTP
     */
    public static FabricClient over(
            HttpClient http, String baseUrl, Driver driver, ClientOptions options, @Nullable ListWatchSource source) {
        return FabricClient.create(http, baseUrl, driver, options, source, false);
    }

    /**
     * The configuration in a kubeconfig file, its current context.
     *
     * @throws UncheckedIOException if the file cannot be read
     */
    public static Config kubeconfig(Path file) {
        if (!Files.isReadable(file)) {
            throw new UncheckedIOException(
                    file + " cannot be read", new IOException(file + " is missing, or not readable"));
        }
        return Config.fromKubeconfig(file.toFile());
    }

    /** The configuration of the surroundings: {@code KUBECONFIG}, {@code ~/.kube/config}, or the pod's service account. */
    public static Config fromEnvironment() {
        return Config.autoConfigure(null);
    }

    /** This machine's name, as leases and events show it. */
    public static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }
}
