package io.trimtab.apiserver.audit;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.callout.CalloutException;
import io.trimtab.apiserver.callout.CalloutTransport;
import io.trimtab.apiserver.callout.Target;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Posts batches of events to another server, as an {@code audit.k8s.io/v1} EventList. Safe for use by any thread. */
public final class AuditWebhook implements AuditBatches.Out {
    private static final int TRIES = 3;
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final CalloutTransport transport;
    private final Target target;
    private final Map<String, List<String>> headers;

    /** @param headers further ones, such as a credential */
    public AuditWebhook(CalloutTransport transport, Target target, Map<String, List<String>> headers) {
        this.transport = transport;
        this.target = target;
        Map<String, List<String>> all = new java.util.LinkedHashMap<>(headers);
        all.put("Content-Type", List.of("application/json"));
        all.put("Accept", List.of("application/json, */*"));
        this.headers = all;
    }

    @Override
    public void send(List<ObjectNode> events) {
        ObjectNode list = JsonNodeFactory.instance.objectNode();
        list.put("kind", "EventList").put("apiVersion", "audit.k8s.io/v1");
        list.putObject("metadata");
        ArrayNode items = list.putArray("items");
        for (ObjectNode event : events) {
            ObjectNode item = event.deepCopy();
            item.remove(List.of("kind", "apiVersion"));
            items.add(item);
        }
        byte[] body = AuditRecord.encode(list);
        RuntimeException last = null;
        for (int i = 0; i < TRIES; i++) {
            try {
                CalloutTransport.Reply reply =
                        transport.send(new CalloutTransport.Request(target, "POST", "", headers, body, TIMEOUT));
                if (reply.code() < 300) {
                    return;
                }
                last = new IllegalStateException(target.url("") + " answered " + reply.code());
                if (reply.code() < 500 && reply.code() != 429) {
                    break;
                }
            } catch (CalloutException e) {
                last = e;
            }
        }
        throw last == null ? new IllegalStateException("not sent") : last;
    }
}
