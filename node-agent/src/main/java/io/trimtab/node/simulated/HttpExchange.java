package io.trimtab.node.simulated;

import io.trimtab.node.network.Listener;
import io.trimtab.node.network.Peer;
import java.util.Map;

/** Asks a simulated server by HTTP, for those who are no program in a pod. Bytes are Latin-1 text. Stateless. */
public final class HttpExchange {
    private HttpExchange() {}

    /**
     * What came back.
     *
     * @param code 0 if it was no HTTP
     * @param headers names in lower case
     */
    public record Answer(int code, Map<String, String> headers, String body) {}

    /**
     * Sends one request.
     *
     * @param tls whether by TLS
     * @param target path and query
     */
    public static Answer ask(
            Listener listener,
            Peer peer,
            boolean tls,
            String method,
            String target,
            Map<String, String> headers,
            String body) {
        Listener inner = listener;
        if (tls) {
            if (!(listener instanceof Tls secured)) {
                return new Answer(0, Map.of(), "");
            }
            inner = secured.inner();
        }
        Http.Answer answer = Http.ask(inner, peer, method, target, headers, body);
        return new Answer(answer.code(), answer.headers(), answer.body());
    }
}
