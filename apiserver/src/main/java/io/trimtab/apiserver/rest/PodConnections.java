package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Log, exec, attach, port-forward and proxy: checks what the API server knows, and leaves the rest to the node
 * (registry/core/pod/strategy.go, registry/core/node, registry/core/service). Stateless.
 */
final class PodConnections {
    private static final Set<String> ADDRESS_TYPES =
            Set.of("Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP");

    /** Whose turn it is among a service's endpoints. */
    private static final AtomicLong TURN = new AtomicLong();

    private PodConnections() {}

    static ApiResponse handle(Call call) {
        String subresource = call.info.subresource();
        if (subresource.equals("proxy")) {
            return proxy(call);
        }
        if (subresource.equals("log")) {
            checkLogOptions(call);
        }
        StoredObject pod = Reads.find(call);
        JsonNode tree = pod.tree();
        if (!subresource.equals("log")) {
            Admission.connect(call, subresource, options(call, subresource));
        }
        String container = subresource.equals("portforward") ? "" : container(call, tree);
        String nodeName = tree.path("spec").path("nodeName").asText("");
        if (nodeName.isEmpty()) {
            if (subresource.equals("log")) {
                // There is nothing to read yet, and that is no error.
                return new ApiResponse.Whole(204, Map.of(), new byte[0]);
            }
            throw Statuses.badRequest("pod " + pod.name() + " does not have a host assigned");
        }
        JsonNode node = node(call, nodeName);
        return connect(call, new NodeProxy.Target(subresource, tree, container, node, "", ""));
    }

    private static ObjectNode options(Call call, String subresource) {
        String kind =
                switch (subresource) {
                    case "exec" -> "PodExecOptions";
                    case "attach" -> "PodAttachOptions";
                    default -> "PodPortForwardOptions";
                };
        ObjectNode options = Json.object().put("kind", kind).put("apiVersion", "v1");
        for (String flag : List.of("stdin", "stdout", "stderr", "tty")) {
            String value = call.request.queryParameter(flag);
            if (value != null) {
                options.put(flag, Query.isTrue(value) || value.isEmpty());
            }
        }
        String container = call.request.queryParameter("container");
        if (container != null && !container.isEmpty()) {
            options.put("container", container);
        }
        List<String> command = call.request.query().getOrDefault("command", List.of());
        if (!command.isEmpty()) {
            var array = options.putArray("command");
            command.forEach(array::add);
        }
        return options;
    }

    private static String container(Call call, JsonNode pod) {
        String asked = WriteOptions.orEmpty(call.request.queryParameter("container"));
        List<String> containers = names(pod, "containers");
        List<String> inits = names(pod, "initContainers");
        String name = Metadata.name(pod);
        if (asked.isEmpty()) {
            if (containers.size() == 1) {
                return containers.get(0);
            }
            if (containers.isEmpty()) {
                throw Statuses.badRequest("a container name must be specified for pod " + name);
            }
            String message =
                    "a container name must be specified for pod " + name + ", choose one of: " + list(containers);
            throw Statuses.badRequest(
                    inits.isEmpty() ? message : message + " or one of the init containers: " + list(inits));
        }
        if (!containers.contains(asked)
                && !inits.contains(asked)
                && !names(pod, "ephemeralContainers").contains(asked)) {
            throw Statuses.badRequest("container " + asked + " is not valid for pod " + name);
        }
        return asked;
    }

    private static String list(List<String> names) {
        return "[" + String.join(" ", names) + "]";
    }

    private static List<String> names(JsonNode pod, String field) {
        List<String> names = new ArrayList<>();
        pod.path("spec").path(field).forEach(c -> names.add(c.path("name").asText()));
        return names;
    }

    private static void checkLogOptions(Call call) {
        FieldErrors errors = new FieldErrors();
        Long tail = number(call, "tailLines");
        Long limit = number(call, "limitBytes");
        Long since = number(call, "sinceSeconds");
        String sinceTime = WriteOptions.orEmpty(call.request.queryParameter("sinceTime"));
        String stream = WriteOptions.orEmpty(call.request.queryParameter("stream"));
        if (tail != null && tail < 0) {
            errors.invalid("tailLines", tail, "must be greater than or equal to 0");
        }
        if (limit != null && limit < 1) {
            errors.invalid("limitBytes", limit, "must be greater than 0");
        }
        if (since != null && !sinceTime.isEmpty()) {
            errors.forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified");
        } else if (since != null && since < 1) {
            errors.invalid("sinceSeconds", since, "must be greater than 0");
        }
        if (!stream.isEmpty()) {
            errors.forbidden("stream", "may not be specified"); // behind a feature gate that is off in 1.34
        }
        if (!errors.isEmpty()) {
            throw Statuses.invalid("", "PodLogOptions", call.info.name(), errors);
        }
    }

    private static @Nullable Long number(Call call, String name) {
        String text = call.request.queryParameter(name);
        if (text == null || text.isEmpty()) {
            return null;
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw Statuses.badRequest("strconv.ParseInt: parsing " + FieldErrors.quote(text) + ": invalid syntax");
        }
    }

    private static JsonNode node(Call call, String name) {
        Served nodes = call.env.resources().find("", "v1", "nodes");
        Optional<StoredObject> found =
                nodes == null ? Optional.empty() : call.env.storage().get(nodes.storage(), null, name);
        // Kubernetes names the pods' resource here, though it is the node that is missing.
        JsonNode node = found.orElseThrow(() -> call.notFound(name)).tree();
        JsonNode addresses = node.path("status").path("addresses");
        for (JsonNode address : addresses) {
            if (ADDRESS_TYPES.contains(address.path("type").asText())) {
                return node;
            }
        }
        List<String> known = new ArrayList<>();
        addresses.forEach(a -> known.add(
                "{" + a.path("type").asText() + " " + a.path("address").asText() + "}"));
        throw Statuses.raw("no preferred addresses found; known addresses: " + list(known));
    }

    private static ApiResponse proxy(Call call) {
        String plural = call.resource().plural();
        // [scheme:]name[:port]
        String[] parts = call.info.name().split(":", -1);
        String name = parts.length == 3 ? parts[1] : parts[0];
        String port = parts.length == 3 ? parts[2] : parts.length == 2 ? parts[1] : "";
        if (parts.length > 3) {
            throw Statuses.badRequest(
                    "invalid " + call.resource().singular() + " request \"" + call.info.name() + "\"");
        }
        StoredObject object = call.env
                .storage()
                .get(call.served.storage(), call.namespace(), name)
                .orElseThrow(() -> call.notFound(name));
        String kind =
                switch (plural) {
                    case "pods" -> "PodProxyOptions";
                    case "services" -> "ServiceProxyOptions";
                    default -> "NodeProxyOptions";
                };
        // Not the first "/proxy" there is: namespaces and pods have such names, too.
        String before = "/" + plural + "/" + call.info.name() + "/proxy";
        int at = call.info.path().indexOf(before);
        String path = at < 0 ? "" : call.info.path().substring(at + before.length());
        Admission.connect(
                call,
                "proxy",
                Json.object().put("kind", kind).put("apiVersion", "v1").put("path", path));
        if (path.isEmpty()
                && (call.request.method().equals("GET") || call.request.method().equals("HEAD"))) {
            String target = call.request.target();
            int mark = target.indexOf('?');
            String to = mark < 0 ? target + "/" : target.substring(0, mark) + "/" + target.substring(mark);
            return new ApiResponse.Whole(301, Map.of("Location", List.of(to)), new byte[0]);
        }
        JsonNode tree = object.tree();
        String scheme = parts.length == 3 ? parts[0] : "";
        if (!scheme.isEmpty() && !scheme.equals("http") && !scheme.equals("https")) {
            throw Statuses.badRequest(
                    "invalid " + call.resource().singular() + " request \"" + call.info.name() + "\"");
        }
        return switch (plural) {
            case "pods" -> {
                String address = tree.path("status").path("podIP").asText("");
                checkAddress(address);
                yield connect(
                        call,
                        new NodeProxy.Target(
                                "proxy", tree, scheme, nodeOf(call, tree), address + ":" + podPort(tree, port), path));
            }
            case "services" ->
                connect(
                        call,
                        new NodeProxy.Target(
                                "proxy",
                                tree,
                                scheme,
                                MissingNode.getInstance(),
                                endpoint(call, tree, name, port),
                                path));
            default -> connect(call, new NodeProxy.Target("proxy", tree, scheme, node(call, name), port, path));
        };
    }

    private static JsonNode nodeOf(Call call, JsonNode pod) {
        String nodeName = pod.path("spec").path("nodeName").asText("");
        Served nodes = call.env.resources().find("", "v1", "nodes");
        if (nodes == null || nodeName.isEmpty()) {
            return MissingNode.getInstance();
        }
        return call.env
                .storage()
                .get(nodes.storage(), null, nodeName)
                .<JsonNode>map(StoredObject::tree)
                .orElse(MissingNode.getInstance());
    }

    /** The port that was named, by number or by name; the first that the pod declares; or that of HTTP. */
    private static int podPort(JsonNode pod, String asked) {
        for (JsonNode container : pod.path("spec").path("containers")) {
            for (JsonNode port : container.path("ports")) {
                if (asked.isEmpty() || port.path("name").asText("").equals(asked)) {
                    return port.path("containerPort").asInt();
                }
            }
        }
        if (asked.isEmpty()) {
            return 80;
        }
        try {
            return Integer.parseInt(asked);
        } catch (NumberFormatException e) {
            throw Statuses.badRequest("invalid port \"" + asked + "\"");
        }
    }

    private static void checkAddress(String address) {
        boolean local = address.isEmpty()
                || address.startsWith("127.")
                || address.equals("::1")
                || address.startsWith("169.254.")
                || address.toLowerCase(java.util.Locale.ROOT).startsWith("fe80:")
                || address.equals("0.0.0.0")
                || address.equals("::");
        if (local) {
            throw Statuses.badRequest("address not allowed");
        }
    }

    /** The address and port of one of a service's endpoints. */
    private static String endpoint(Call call, JsonNode service, String name, String asked) {
        String port = asked;
        if (!asked.isEmpty() && asked.chars().allMatch(Character::isDigit)) {
            // A number is one of the service's ports: its name leads to the endpoints' own.
            JsonNode found = MissingNode.getInstance();
            for (JsonNode candidate : service.path("spec").path("ports")) {
                if (found.isMissingNode() && candidate.path("port").asText().equals(asked)) {
                    found = candidate;
                }
            }
            if (found.isMissingNode()) {
                throw unavailable("no service port " + asked + " found for service \"" + name + "\"");
            }
            port = found.path("name").asText("");
        }
        Served endpoints = call.env.resources().find("", "v1", "endpoints");
        Optional<StoredObject> found = endpoints == null
                ? Optional.empty()
                : call.env.storage().get(endpoints.storage(), call.namespace(), name);
        if (found.isEmpty()) {
            throw call.notFound(name);
        }
        JsonNode subsets = found.get().tree().path("subsets");
        if (subsets.isEmpty()) {
            throw unavailable("no endpoints available for service \"" + name + "\"");
        }
        List<String> places = new ArrayList<>();
        for (JsonNode subset : subsets) {
            for (JsonNode candidate : subset.path("ports")) {
                if (candidate.path("name").asText("").equals(port)) {
                    subset.path("addresses")
                            .forEach(a -> places.add(a.path("ip").asText() + ":"
                                    + candidate.path("port").asText()));
                }
            }
        }
        if (places.isEmpty()) {
            throw unavailable("no endpoints available for service \"" + name + "\"");
        }
        // Any of them will do; which one is up to the turn of requests.
        return places.get((int) Math.floorMod(TURN.getAndIncrement(), (long) places.size()));
    }

    private static StatusException unavailable(String message) {
        return Statuses.of(503, "ServiceUnavailable", message, null);
    }

    private static ApiResponse connect(Call call, NodeProxy.Target target) {
        return call.env
                .nodes()
                .connect(target, call.request, call.user)
                .orElseThrow(() -> Statuses.internal("error dialing backend: no route to " + address(target)));
    }

    private static String address(NodeProxy.Target target) {
        for (JsonNode address : target.node().path("status").path("addresses")) {
            if (address.path("type").asText().equals("InternalIP")) {
                return address.path("address").asText();
            }
        }
        return Metadata.name(target.node().isMissingNode() ? target.object() : target.node());
    }
}
