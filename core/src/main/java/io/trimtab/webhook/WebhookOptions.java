package io.trimtab.webhook;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where webhooks are served and how the API server finds them. Immutable.
 *
 * @param namespace of the Secret, and of the Service if there is one
 * @param service through which the API server calls; null if it calls {@code url}
 * @param servicePort of the Service
 * @param url such as {@code https://127.0.0.1:9443}, for programs outside the cluster; null if there is a Service
 * @param bindAddress what the port listens on; loopback unless told otherwise, a pod says {@code 0.0.0.0}
 * @param port 0 for any, negative for none: then somebody else hands requests to {@link Webhooks#handle}
 * @param configure make the webhook configurations and set the CRDs' conversion; if false, only the trusted certificates are
 *     put into configurations that somebody else keeps, those of the webhooks' name
 * @param authorityLife of the authority's certificate
 * @param serverLife of the serving certificate; each is replaced when two thirds of its life are over
 * @param checkEvery how often all this is looked after
 * @since 0.1
 */
public record WebhookOptions(
        String namespace,
        @Nullable String service,
        int servicePort,
        @Nullable String url,
        String bindAddress,
        int port,
        boolean configure,
        Duration authorityLife,
        Duration serverLife,
        Duration checkEvery) {

    private static final Duration CHECK = Duration.ofMinutes(10);

    public WebhookOptions {
        if ((service == null) == (url == null)) {
            throw new IllegalArgumentException("the API server calls either a service or a URL");
        }
        if (url != null && !url.startsWith("https://")) {
            throw new IllegalArgumentException("API servers call webhooks by https only, not " + url);
        }
    }

    /** Behind a Service of port 443, listening on loopback's port 9443. */
    public static WebhookOptions service(String namespace, String service) {
        return new WebhookOptions(
                namespace,
                service,
                443,
                null,
                "127.0.0.1",
                9443,
                true,
                ServingKeys.Lives.DEFAULT.authority(),
                ServingKeys.Lives.DEFAULT.server(),
                CHECK);
    }

    /** At a URL, for a program outside the cluster. The Secret is in the namespace all the same. */
    public static WebhookOptions url(String namespace, String url, int port) {
        return new WebhookOptions(
                namespace,
                null,
                443,
                url,
                "127.0.0.1",
                port,
                true,
                ServingKeys.Lives.DEFAULT.authority(),
                ServingKeys.Lives.DEFAULT.server(),
                CHECK);
    }

    /** The same, listening there. */
    public WebhookOptions listening(String address, int onPort) {
        return new WebhookOptions(
                namespace,
                service,
                servicePort,
                url,
                address,
                onPort,
                configure,
                authorityLife,
                serverLife,
                checkEvery);
    }

    /** The same without a port of its own. */
    public WebhookOptions withoutPort() {
        return listening(bindAddress, -1);
    }

    /** The same, making configurations or only putting certificates into those that are there. */
    public WebhookOptions withConfigure(boolean make) {
        return new WebhookOptions(
                namespace, service, servicePort, url, bindAddress, port, make, authorityLife, serverLife, checkEvery);
    }

    /** The same with other lives of its certificates. */
    public WebhookOptions withLives(Duration authority, Duration server) {
        return new WebhookOptions(
                namespace, service, servicePort, url, bindAddress, port, configure, authority, server, checkEvery);
    }

    /** The names that the serving certificate is for. */
    List<String> names() {
        if (service != null) {
            String base = service + "." + namespace;
            return List.of(base + ".svc", base, base + ".svc.cluster.local", "localhost", "127.0.0.1");
        }
        String host = java.net.URI.create(String.valueOf(url)).getHost();
        return host.equals("localhost") || host.equals("127.0.0.1")
                ? List.of("localhost", "127.0.0.1")
                : List.of(host, "localhost", "127.0.0.1");
    }
}
