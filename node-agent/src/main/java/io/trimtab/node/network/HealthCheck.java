package io.trimtab.node.network;

import io.fabric8.kubernetes.api.model.Service;

/** What a node answers at a service's health check port, for load balancers. Stateless. */
final class HealthCheck {
    private HealthCheck() {}

    static Listener listener(Service service, int endpoints) {
        String body = "{\n\t\"service\": {\n\t\t\"namespace\": \""
                + service.getMetadata().getNamespace() + "\",\n\t\t\"name\": \""
                + service.getMetadata().getName() + "\"\n\t},\n\t\"localEndpoints\": " + endpoints
                + ",\n\t\"serviceProxyHealthy\": true\n}";
        String answer = "HTTP/1.1 " + (endpoints > 0 ? "200 OK" : "503 Service Unavailable")
                + "\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nX-Load-Balancing-Endpoint-Weight: "
                + endpoints + "\r\nContent-Length: " + body.length() + "\r\nConnection: close\r\n\r\n" + body;
        return (peer, outlet) -> new Session() {
            private final StringBuilder request = new StringBuilder();

            @Override
            public void receive(String bytes) {
                request.append(bytes);
                if (request.indexOf("\r\n\r\n") >= 0) {
                    request.setLength(0);
                    outlet.send(answer);
                    outlet.close();
                }
            }
        };
    }
}
