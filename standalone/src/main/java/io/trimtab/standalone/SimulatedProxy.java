package io.trimtab.standalone;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.rest.NodeProxy;
import io.trimtab.client.KubernetesJson;
import io.trimtab.node.network.Fabric;
import io.trimtab.node.network.Origin;
import io.trimtab.node.network.Protocol;
import io.trimtab.node.network.Verdict;
import io.trimtab.node.simulated.HttpExchange;
import io.trimtab.node.simulated.SimulatedRuntime;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Hands requests on to what simulated pods and nodes serve. Immutable. */
final class SimulatedProxy {
    private static final Set<String> NOT_HANDED_ON = Set.of(
            "connection",
            "keep-alive",
            "transfer-encoding",
            "te",
            "trailer",
            "upgrade",
            "content-length",
            "host",
            "authorization",
            "accept-encoding",
            "proxy-authorization");
    /** Where the API server is, as pods see it: on no node of ours. */
    private static final Origin API_SERVER = new Origin.Outside("10.0.0.1");

    /** An attribute that holds a link to the server's own root, up to the slash that it begins with. */
    private static final Pattern LINK = Pattern.compile(
            "((?:href|src|action|cite|codebase|background|data|formaction|longdesc|poster|usemap|manifest)\\s*=\\s*[\"'])/(?!/)",
            Pattern.CASE_INSENSITIVE);

    private final SimulatedRuntime simulated;

    SimulatedProxy(SimulatedRuntime simulated) {
        this.simulated = simulated;
    }

    Optional<ApiResponse> answer(NodeProxy.Target target, ApiRequest request) {
        Fabric fabric = simulated.fabric().orElse(null);
        if (fabric == null) {
            return Optional.empty();
        }
        String kind = target.object().path("kind").asText("");
        if (kind.equals("Node") || target.object().path("status").has("nodeInfo")) {
            return Optional.of(node(fabric, target, request));
        }
        return Optional.of(hand(fabric, target, request));
    }

    // ---- pods and services

    private static ApiResponse hand(Fabric fabric, NodeProxy.Target target, ApiRequest request) {
        String place = target.port(); // address:port
        int colon = place.lastIndexOf(':');
        String address = place.substring(0, colon).replaceAll("[\\[\\]]", "");
        int port = Integer.parseInt(place.substring(colon + 1));
        Verdict verdict = fabric.dial(API_SERVER, address, port, Protocol.TCP);
        if (!(verdict instanceof Verdict.Reached reached)) {
            String failure = verdict instanceof Verdict.Refused
                    ? "connect: connection refused"
                    : verdict instanceof Verdict.Silent ? "i/o timeout" : "connect: no route to host";
            throw Statuses.of(
                    503,
                    "ServiceUnavailable",
                    "error trying to reach service: dial tcp " + place + ": " + failure,
                    null);
        }
        String query = query(request);
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Host", place);
        request.headers().forEach((name, values) -> {
            if (!NOT_HANDED_ON.contains(name)) {
                headers.put(canonical(name), String.join(", ", values));
            }
        });
        headers.put("X-Forwarded-For", request.peer().address());
        headers.put("X-Forwarded-Uri", request.path());
        HttpExchange.Answer answer = HttpExchange.ask(
                reached.listener(),
                reached.peer(),
                "https".equals(target.container()),
                request.method(),
                (target.path().isEmpty() ? "/" : target.path()) + query,
                headers,
                new String(request.body(), StandardCharsets.ISO_8859_1));
        if (answer.code() == 0) {
            throw Statuses.of(503, "ServiceUnavailable", "error trying to reach service: EOF", null);
        }
        Map<String, List<String>> given = new LinkedHashMap<>();
        answer.headers().forEach((name, value) -> {
            if (!NOT_HANDED_ON.contains(name)) {
                given.put(canonical(name), List.of(name.equals("location") ? moved(value, request, target) : value));
            }
        });
        boolean page = answer.headers().getOrDefault("content-type", "").startsWith("text/html");
        String body = page ? linked(answer.body(), request, target) : answer.body();
        return new ApiResponse.Whole(answer.code(), given, body.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** The links of a page that lead to its own server lead through the proxy again. */
    private static String linked(String page, ApiRequest request, NodeProxy.Target target) {
        String path = request.path();
        if (!path.endsWith(target.path())) {
            return page;
        }
        String prefix = path.substring(0, path.length() - target.path().length());
        return LINK.matcher(page).replaceAll(match -> Matcher.quoteReplacement(match.group(1) + prefix + "/"));
    }

    /** A redirection within the server leads through the proxy again. */
    private static String moved(String location, ApiRequest request, NodeProxy.Target target) {
        if (!location.startsWith("/") || !request.path().endsWith(target.path())) {
            return location;
        }
        return request.path()
                        .substring(0, request.path().length() - target.path().length())
                + location;
    }

    private static String query(ApiRequest request) {
        String whole = request.target();
        int mark = whole.indexOf('?');
        return mark < 0 ? "" : whole.substring(mark);
    }

    private static String canonical(String name) {
        StringBuilder text = new StringBuilder();
        for (String part : name.split("-")) {
            text.append(text.length() > 0 ? "-" : "")
                    .append(part.isEmpty() ? "" : part.substring(0, 1).toUpperCase(Locale.ROOT) + part.substring(1));
        }
        return text.toString();
    }

    // ---- nodes

    private ApiResponse node(Fabric fabric, NodeProxy.Target target, ApiRequest request) {
        String name = target.object().path("metadata").path("name").asText();
        String path = target.path();
        if (path.equals("/healthz")) {
            return text("ok");
        }
        if (path.equals("/pods")
                || path.equals("/pods/")
                || path.equals("/runningpods")
                || path.equals("/runningpods/")) {
            return json(pods(fabric.cluster().podsOn(name)));
        }
        if (path.equals("/logs") || path.equals("/logs/")) {
            List<String> files = simulated.hostFiles(name, "/var/log");
            StringBuilder list = new StringBuilder(
                    "<!doctype html>\n<meta name=\"viewport\"" + " content=\"width=device-width\">\n<pre>\n");
            files.forEach(file -> list.append("<a href=\"")
                    .append(file)
                    .append("\">")
                    .append(file)
                    .append("</a>\n"));
            return new ApiResponse.Whole(
                    200,
                    Map.of("Content-Type", List.of("text/html; charset=utf-8")),
                    (list + "</pre>\n").getBytes(StandardCharsets.UTF_8));
        }
        if (path.startsWith("/containerLogs/")) {
            String[] parts = path.split("/");
            if (parts.length == 5) {
                for (Pod pod : fabric.cluster().podsOn(name)) {
                    if (pod.getMetadata().getNamespace().equals(parts[2])
                            && pod.getMetadata().getName().equals(parts[3])) {
                        StringBuilder all = new StringBuilder();
                        simulated.log(pod, parts[4], false).orElse(List.of()).forEach(line -> all.append(line.text()));
                        return new ApiResponse.Whole(
                                200,
                                Map.of("Content-Type", List.of("text/plain")),
                                all.toString().getBytes(StandardCharsets.ISO_8859_1));
                    }
                }
                return new ApiResponse.Whole(
                        404,
                        Map.of("Content-Type", List.of("text/plain; charset=utf-8")),
                        ("pod does not exist: " + parts[2] + "/" + parts[3] + "\n").getBytes(StandardCharsets.UTF_8));
            }
        }
        return new ApiResponse.Whole(
                404,
                Map.of("Content-Type", List.of("text/plain; charset=utf-8")),
                "404 page not found\n".getBytes(StandardCharsets.UTF_8));
    }

    private static ObjectNode pods(List<Pod> pods) {
        ObjectNode list = JsonNodeFactory.instance.objectNode();
        list.put("kind", "PodList").put("apiVersion", "v1");
        list.putObject("metadata");
        List<JsonNode> items = new ArrayList<>();
        pods.forEach(pod -> items.add(KubernetesJson.mapper().valueToTree(pod)));
        list.putArray("items").addAll(items);
        return list;
    }

    private static ApiResponse json(JsonNode tree) {
        try {
            return new ApiResponse.Whole(
                    200,
                    Map.of("Content-Type", List.of("application/json")),
                    KubernetesJson.mapper().writeValueAsBytes(tree));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a list of pods cannot be written", e);
        }
    }

    private static ApiResponse text(String body) {
        return new ApiResponse.Whole(
                200,
                Map.of("Content-Type", List.of("text/plain; charset=utf-8")),
                body.getBytes(StandardCharsets.UTF_8));
    }
}
