package io.trimtab.node.simulated;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.HTTPGetAction;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.trimtab.node.network.Fabric;
import io.trimtab.node.network.Listener;
import io.trimtab.node.network.Origin;
import io.trimtab.node.network.Peer;
import io.trimtab.node.network.Protocol;
import io.trimtab.node.network.Verdict;
import io.trimtab.node.runtime.ContainerRuntime.Probed;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a node asks its pods' servers: by HTTP, TCP and gRPC (pkg/probe). Safe for use by any thread. */
final class Probes {
    private static final int REDIRECTS = 10;

    private final SimulatedRuntime runtime;

    Probes(SimulatedRuntime runtime) {
        this.runtime = runtime;
    }

    /** Carries a probe out. */
    Probed look(Pod pod, Container container, Probe probe, Duration timeout) {
        if (probe.getHttpGet() != null) {
            return get(pod, container, probe.getHttpGet(), timeout);
        }
        Integer port = ImageServers.port(container, probe);
        if (port == null) {
            return Probed.SUCCESS;
        }
        String host = probe.getTcpSocket() == null ? null : probe.getTcpSocket().getHost();
        Reached reached = reach(pod, host, port);
        if (reached.listener() == null) {
            return Probed.failed(
                    probe.getGrpc() == null
                            ? reached.failure()
                            : "timeout: failed to connect service \"" + address(pod, host) + ":" + port
                                    + "\" within 1s: context deadline exceeded");
        }
        if (probe.getGrpc() == null) {
            return Probed.SUCCESS;
        }
        String service = Objects.requireNonNullElse(probe.getGrpc().getService(), "");
        Boolean serving = reached.listener() instanceof GrpcHealth health ? health.isServing(service) : Boolean.TRUE;
        if (serving == null) {
            return Probed.failed("service health check failed: service unknown");
        }
        return serving ? Probed.SUCCESS : Probed.failed("service unhealthy (responded with \"NOT_SERVING\")");
    }

    /** What answers, or why nothing does. */
    private record Reached(@Nullable Listener listener, Peer peer, String failure) {}

    private static String address(Pod pod, @Nullable String host) {
        if (host != null && !host.isEmpty()) {
            return host;
        }
        String own = pod.getStatus() == null ? null : pod.getStatus().getPodIP();
        return own == null ? "127.0.0.1" : own;
    }

    private Reached reach(Pod pod, @Nullable String host, int port) {
        String address = address(pod, host);
        Fabric fabric = runtime.fabric().orElse(null);
        String node = Objects.requireNonNullElse(pod.getSpec().getNodeName(), "");
        Peer peer = new Peer(
                fabric == null ? "127.0.0.1" : fabric.sourceOf(new Origin.OnNode(node)), 40_000, address, port);
        String failure = "dial tcp " + address + ":" + port + ": connect: connection refused";
        if (host == null || host.isEmpty() || fabric == null) {
            return new Reached(
                    runtime.listener(pod, Protocol.TCP, port)
                            .filter(l -> !l.isLocal())
                            .orElse(null),
                    peer,
                    failure);
        }
        Verdict verdict = fabric.dial(new Origin.OnNode(node), address, port, Protocol.TCP);
        return verdict instanceof Verdict.Reached reached
                ? new Reached(reached.listener(), reached.peer(), "")
                : new Reached(null, peer, failure);
    }

    /** Asks once. */
    Probed get(Pod pod, Container container, HTTPGetAction action, Duration timeout) {
        Probe probe = new ProbeBuilder().withHttpGet(action).build();
        Integer port = ImageServers.port(new ContainerBuilder(container).build(), probe);
        if (port == null) {
            return Probed.failed("couldn't find port: " + action.getPort());
        }
        boolean tls = "HTTPS".equals(action.getScheme());
        String host = action.getHost();
        String path = action.getPath() == null || action.getPath().isEmpty() ? "/" : action.getPath();
        path = path.startsWith("/") ? path : "/" + path;
        String url = (tls ? "https://" : "http://") + address(pod, host) + ":" + port;
        Reached reached = reach(pod, host, port);
        if (reached.listener() == null) {
            return Probed.failed("Get \"" + url + path + "\": " + reached.failure());
        }
        Listener listener = reached.listener() instanceof Tls inner && tls ? inner.inner() : reached.listener();
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Host", address(pod, host) + ":" + port);
        headers.put("User-Agent", "kube-probe/1.34");
        headers.put("Accept", "*/*");
        headers.put("Connection", "close");
        if (action.getHttpHeaders() != null) {
            action.getHttpHeaders().forEach(h -> headers.put(h.getName(), h.getValue()));
        }
        for (int i = 0; ; i++) {
            Http.Answer answer = Http.ask(listener, reached.peer(), "GET", path, headers, "");
            if (answer.took().compareTo(timeout) > 0 || answer.raw().isEmpty()) {
                return Probed.failed("Get \"" + url + path
                        + "\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
            }
            String location = answer.headers().get("location");
            if (answer.code() / 100 == 3 && location != null) {
                // To another host is an answer of a kind; to the same is gone along with.
                if (!location.startsWith("/") && !location.startsWith(url + "/")) {
                    return new Probed(
                            true, "Probe terminated redirects, Response body: " + SimulatedRuntime.utf8(answer.body()));
                }
                if (i >= REDIRECTS) {
                    return Probed.failed("Get \"" + path + "\": stopped after 10 redirects");
                }
                path = location.startsWith("/") ? location : location.substring(url.length());
                continue;
            }
            return answer.code() >= 200 && answer.code() < 400
                    ? Probed.SUCCESS
                    : Probed.failed("HTTP probe failed with statuscode: " + answer.code());
        }
    }
}
