package io.trimtab.node.network;

import java.time.Instant;
import java.util.Optional;

/** What the programs of a node answer about themselves: its proxy and its kubelet. Stateless. */
final class NodeServers {
    private static final int PROXY_HEALTH = 10_256;
    private static final int PROXY_STATUS = 10_249;
    private static final int KUBELET_HEALTH = 10_248;

    private NodeServers() {}

    /** What listens at a port of every node; the status ports on the loopback only, as by default. */
    static Optional<Listener> at(int port, boolean loopback, Instant now) {
        if (port == PROXY_HEALTH) {
            String health =
                    "{\"lastUpdated\": \"" + now + "\",\"currentTime\": \"" + now + "\", \"nodeEligible\": true}";
            return Optional.of(answering("application/json", health, "/healthz", "/livez"));
        }
        if (loopback && port == PROXY_STATUS) {
            return Optional.of(answering("text/plain; charset=utf-8", "iptables", "/proxyMode"));
        }
        if (loopback && port == KUBELET_HEALTH) {
            return Optional.of(answering("text/plain; charset=utf-8", "ok", "/healthz"));
        }
        return Optional.empty();
    }

    private static Listener answering(String type, String body, String... paths) {
        return (peer, outlet) -> new Session() {
            private final StringBuilder request = new StringBuilder();

            @Override
            public void receive(String bytes) {
                request.append(bytes);
                if (request.indexOf("\r\n\r\n") < 0) {
                    return;
                }
                String[] line = request.toString().split("\\s", 3);
                boolean found = false;
                for (String path : paths) {
                    found |= line.length > 1 && line[1].equals(path);
                }
                String answer = found ? body : "404 page not found\n";
                request.setLength(0);
                outlet.send("HTTP/1.1 " + (found ? "200 OK" : "404 Not Found") + "\r\nContent-Type: " + type
                        + "\r\nX-Content-Type-Options: nosniff\r\nContent-Length: " + answer.length()
                        + "\r\nConnection: close\r\n\r\n" + answer);
                outlet.close();
            }
        };
    }
}
