package io.trimtab.standalone;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.rest.NodeProxy;
import io.trimtab.client.KubernetesJson;
import io.trimtab.node.simulated.SimulatedRuntime;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Answers for the simulated nodes of this process what a kubelet's own port answers: what containers have printed, and what a
 * pod's server says. Thread-safe.
 */
final class SimulatedNodes implements NodeProxy {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.nnnnnnnnn'Z'").withZone(ZoneOffset.UTC);

    private final Driver driver;
    private volatile @Nullable SimulatedRuntime runtime;

    SimulatedNodes(Driver driver) {
        this.driver = driver;
    }

    /** To be called once there are nodes. */
    void serve(SimulatedRuntime simulated) {
        this.runtime = simulated;
    }

    @Override
    public Optional<ApiResponse> connect(Target target, ApiRequest request, UserInfo user) {
        SimulatedRuntime simulated = runtime;
        if (simulated == null) {
            return Optional.empty();
        }
        return switch (target.subresource()) {
            case "log" -> Optional.of(log(simulated, target, request));
            case "proxy" -> proxy(simulated, target);
            case "exec" -> Optional.of(exec(simulated, target, request));
            default -> Optional.empty();
        };
    }

    private static Pod pod(JsonNode tree) {
        try {
            return KubernetesJson.mapper().treeToValue(tree, Pod.class);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored pod cannot be read", e);
        }
    }

    // ---- logs

    private ApiResponse log(SimulatedRuntime simulated, Target target, ApiRequest request) {
        Pod pod = pod(target.object());
        boolean previous = "true".equals(request.queryParameter("previous"));
        List<SimulatedRuntime.LogLine> lines = simulated
                .log(pod, target.container(), previous)
                .orElseThrow(() -> Statuses.badRequest(
                        previous
                                ? "previous terminated container \"" + target.container() + "\" in pod \""
                                        + pod.getMetadata().getName() + "\" not found"
                                : "container \"" + target.container() + "\" in pod \""
                                        + pod.getMetadata().getName() + "\" is waiting to start: " + waiting(target)));
        lines = since(lines, request);
        Long tail = number(request, "tailLines");
        if (tail != null && tail < lines.size()) {
            lines = lines.subList(lines.size() - tail.intValue(), lines.size());
        }
        boolean times = "true".equals(request.queryParameter("timestamps"));
        StringBuilder text = new StringBuilder();
        for (SimulatedRuntime.LogLine line : lines) {
            if (times) {
                text.append(TIME.format(line.time())).append(' ');
            }
            text.append(line.text());
        }
        byte[] body = text.toString().getBytes(StandardCharsets.ISO_8859_1);
        Long limit = number(request, "limitBytes");
        if (limit != null && limit < body.length) {
            body = Arrays.copyOf(body, limit.intValue());
        }
        byte[] whole = body;
        return isWebSocket(request)
                ? new ApiResponse.Conversation(101, Map.of(), false, nothing -> List.of(whole))
                : new ApiResponse.Whole(200, Map.of("Content-Type", List.of("text/plain")), whole);
    }

    // ---- commands

    private static boolean isWebSocket(ApiRequest request) {
        return request.headers().getOrDefault("upgrade", List.of()).stream().anyMatch("websocket"::equalsIgnoreCase);
    }

    /** Only over WebSockets: who asks for SPDY first falls back to them or goes without. */
    private static ApiResponse exec(SimulatedRuntime simulated, Target target, ApiRequest request) {
        if (!isWebSocket(request)) {
            throw Statuses.badRequest("Upgrade request required");
        }
        Pod pod = pod(target.object());
        List<String> command = request.query().getOrDefault("command", List.of());
        boolean reads = List.of("true", "1").contains(String.valueOf(request.queryParameter("stdin")));
        boolean status = request.headers().getOrDefault("sec-websocket-protocol", List.of()).stream()
                .anyMatch(p -> p.contains("v4.channel.k8s.io") || p.contains("v5.channel.k8s.io"));
        return new ApiResponse.Conversation(101, Map.of(), reads, input -> {
            SimulatedRuntime.Executed result = simulated
                    .exec(pod, target.container(), command, new String(input, StandardCharsets.ISO_8859_1))
                    .orElse(null);
            List<byte[]> messages = new ArrayList<>();
            if (result != null) {
                addMessage(messages, 1, result.output());
                addMessage(messages, 2, result.errors());
            }
            if (status || result == null || result.code() != 0) {
                addMessage(messages, 3, result == null ? notRunning(target.container()) : ended(result.code()));
            }
            return messages;
        });
    }

    private static void addMessage(List<byte[]> messages, int channel, String text) {
        if (!text.isEmpty()) {
            byte[] bytes = ((char) channel + text).getBytes(StandardCharsets.ISO_8859_1);
            messages.add(bytes);
        }
    }

    private static String ended(int code) {
        return code == 0
                ? "{\"metadata\":{},\"status\":\"Success\"}"
                : "{\"metadata\":{},\"status\":\"Failure\",\"message\":\"command terminated with non-zero exit code: exit"
                        + " status " + code + "\",\"reason\":\"NonZeroExitCode\",\"details\":{\"causes\":[{\"reason\":"
                        + "\"ExitCode\",\"message\":\"" + code + "\"}]}}";
    }

    private static String notRunning(String container) {
        return "{\"metadata\":{},\"status\":\"Failure\",\"message\":\"container not found (\\\"" + container
                + "\\\")\",\"reason\":\"InternalError\",\"code\":500}";
    }

    private static String waiting(Target target) {
        for (String field : List.of("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")) {
            for (JsonNode status : target.object().path("status").path(field)) {
                String reason =
                        status.path("state").path("waiting").path("reason").asText("");
                if (status.path("name").asText().equals(target.container()) && !reason.isEmpty()) {
                    return reason;
                }
            }
        }
        return "ContainerCreating";
    }

    private List<SimulatedRuntime.LogLine> since(List<SimulatedRuntime.LogLine> lines, ApiRequest request) {
        Long seconds = number(request, "sinceSeconds");
        String time = request.queryParameter("sinceTime");
        Instant from = seconds != null
                ? driver.now().minusSeconds(seconds)
                : time == null || time.isEmpty() ? Instant.MIN : Instant.parse(time);
        List<SimulatedRuntime.LogLine> kept = new ArrayList<>(lines);
        kept.removeIf(line -> line.time().isBefore(from));
        return kept;
    }

    private static @Nullable Long number(ApiRequest request, String name) {
        String text = request.queryParameter(name);
        return text == null || text.isEmpty() ? null : Long.valueOf(text);
    }

    // ---- what servers say

    private static Optional<ApiResponse> proxy(SimulatedRuntime simulated, Target target) {
        if (!"Pod".equals(target.object().path("kind").asText())
                && !target.object().path("spec").has("containers")) {
            return Optional.empty();
        }
        return simulated
                .http(pod(target.object()), target.path())
                .map(text -> new ApiResponse.Whole(
                        200,
                        Map.of("Content-Type", List.of("text/plain; charset=utf-8")),
                        text.getBytes(StandardCharsets.ISO_8859_1)));
    }
}
