package io.trimtab.standalone;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.trimtab.apiserver.callout.CalloutTransport.Reply;
import io.trimtab.apiserver.callout.CalloutTransport.Request;
import io.trimtab.apiserver.callout.LocalCallouts;
import io.trimtab.apiserver.http.Requests;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Manager;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import io.trimtab.selector.InvalidSelectorException;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The resource metrics API of simulated nodes, as metrics-server offers it: {@code kubectl top} and autoscalers ask it. What a
 * container uses is what its pod's annotations {@code simulation.trimtab.io/cpu} and {@code simulation.trimtab.io/memory} say, or
 * next to nothing. An aggregated API whose server is this process. Thread-safe.
 */
final class SimulatedMetrics implements Manager.Component {
    private static final String GROUP_VERSION = "metrics.k8s.io/v1beta1";
    private static final String ROOT = "/apis/" + GROUP_VERSION;
    private static final String SERVICE = "metrics-server";
    private static final String NAMESPACE = "kube-system";
    private static final ResourceType<GenericKubernetesResource> API_SERVICES =
            ResourceType.dynamic("apiregistration.k8s.io", "v1", "apiservices", "APIService", false);
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final Map<String, BigDecimal> IDLE =
            Map.of("cpu", new BigDecimal("0.001"), "memory", new BigDecimal(16 << 20));

    private final Driver driver;
    private final LocalCallouts callouts;
    private final Client client;
    private final Lister<Pod> pods;
    private final Lister<Node> nodes;
    private @Nullable AutoCloseable registration;

    /** @param client may register the API */
    SimulatedMetrics(Manager manager, Client client, LocalCallouts callouts) {
        this.driver = manager.driver();
        this.callouts = callouts;
        this.client = client;
        this.pods = manager.informers().informer(Pod.class).lister();
        this.nodes = manager.informers().informer(Node.class).lister();
    }

    @Override
    public String name() {
        return SERVICE;
    }

    @Override
    public synchronized void start() {
        registration = callouts.register(SERVICE + "." + NAMESPACE + ".svc", this::answer);
        GenericKubernetesResource service = new GenericKubernetesResourceBuilder()
                .withApiVersion(API_SERVICES.apiVersion())
                .withKind(API_SERVICES.kind())
                .withNewMetadata()
                .withName("v1beta1.metrics.k8s.io")
                .endMetadata()
                .addToAdditionalProperties(
                        "spec",
                        Map.of(
                                "group",
                                "metrics.k8s.io",
                                "version",
                                "v1beta1",
                                "groupPriorityMinimum",
                                100,
                                "versionPriority",
                                100,
                                "insecureSkipTLSVerify",
                                true,
                                "service",
                                Map.of("name", SERVICE, "namespace", NAMESPACE)))
                .build();
        driver.execute(() -> {
            try {
                client.create(API_SERVICES, service);
            } catch (ApiException e) {
                if (!e.isAlreadyExists()) {
                    throw e;
                }
            }
        });
    }

    @Override
    public synchronized void close() {
        AutoCloseable registered = registration;
        if (registered != null) {
            try {
                registered.close();
            } catch (Exception e) {
                throw new IllegalStateException("the metrics API did not close", e);
            }
            registration = null;
        }
    }

    // ---- the API

    private Reply answer(Request request) {
        String[] url = request.pathAndQuery().split("\\?", 2);
        String selector = url.length < 2
                ? ""
                : Requests.parseQuery(url[1])
                        .getOrDefault("labelSelector", List.of(""))
                        .get(0);
        if (!request.method().equals("GET")) {
            return status(405, "MethodNotAllowed", "the metrics API is read-only");
        }
        if (url[0].equals(ROOT)) {
            return reply(200, resources());
        }
        if (!url[0].startsWith(ROOT + "/")) {
            return status(404, "NotFound", "the server could not find the requested resource");
        }
        List<String> path = Arrays.asList(url[0].substring(ROOT.length() + 1).split("/"));
        try {
            LabelSelector wanted = LabelSelectors.parse(selector);
            if (path.get(0).equals("nodes") && path.size() <= 2) {
                return answer(nodes.list(null, wanted), path, 1, "NodeMetrics", this::metrics);
            }
            if (path.get(0).equals("pods") && path.size() == 1) {
                return answer(running(pods.list(null, wanted)), path, 1, "PodMetrics", this::metrics);
            }
            if (path.get(0).equals("namespaces")
                    && path.size() >= 3
                    && path.size() <= 4
                    && path.get(2).equals("pods")) {
                return answer(running(pods.list(path.get(1), wanted)), path, 3, "PodMetrics", this::metrics);
            }
        } catch (InvalidSelectorException e) {
            return status(400, "BadRequest", String.valueOf(e.getMessage()));
        }
        return status(404, "NotFound", "the server could not find the requested resource");
    }

    private interface Measure<T> {
        ObjectNode of(T object);
    }

    /** @param at where in the path the object's name is, if there is one */
    private <T extends HasMetadata> Reply answer(
            List<T> all, List<String> path, int at, String kind, Measure<T> measure) {
        if (path.size() > at) {
            return all.stream()
                    .filter(object -> object.getMetadata().getName().equals(path.get(at)))
                    .findFirst()
                    .map(object -> reply(200, measure.of(object)))
                    .orElseGet(() -> status(
                            404, "NotFound", path.get(at - 1) + ".metrics.k8s.io \"" + path.get(at) + "\" not found"));
        }
        ObjectNode list = NODES.objectNode().put("kind", kind + "List").put("apiVersion", GROUP_VERSION);
        list.putObject("metadata");
        ArrayNode items = list.putArray("items");
        List<T> sorted = new ArrayList<>(all);
        sorted.sort(Comparator.comparing(
                        (T object) -> String.valueOf(object.getMetadata().getNamespace()))
                .thenComparing(object -> object.getMetadata().getName()));
        sorted.forEach(object -> items.add(measure.of(object)));
        return reply(200, list);
    }

    private static List<Pod> running(List<Pod> pods) {
        return pods.stream()
                .filter(pod -> pod.getStatus() != null
                        && "Running".equals(pod.getStatus().getPhase()))
                .toList();
    }

    private ObjectNode metrics(Pod pod) {
        ObjectNode metrics = head("PodMetrics", pod);
        ArrayNode containers = metrics.putArray("containers");
        pod.getSpec().getContainers().forEach(container -> {
            ObjectNode usage =
                    containers.addObject().put("name", container.getName()).putObject("usage");
            write(usage, used(pod, "cpu"), used(pod, "memory"));
        });
        return metrics;
    }

    private ObjectNode metrics(Node node) {
        BigDecimal cpu = BigDecimal.ZERO;
        BigDecimal memory = BigDecimal.ZERO;
        for (Pod pod : running(pods.list())) {
            if (node.getMetadata().getName().equals(pod.getSpec().getNodeName())) {
                BigDecimal containers =
                        BigDecimal.valueOf(pod.getSpec().getContainers().size());
                cpu = cpu.add(used(pod, "cpu").multiply(containers));
                memory = memory.add(used(pod, "memory").multiply(containers));
            }
        }
        ObjectNode metrics = head("NodeMetrics", node);
        write(metrics.putObject("usage"), cpu, memory);
        return metrics;
    }

    private static void write(ObjectNode usage, BigDecimal cpu, BigDecimal memory) {
        usage.put("cpu", cpu.movePointRight(9).toBigInteger() + "n");
        usage.put("memory", memory.toBigInteger().shiftRight(10) + "Ki");
    }

    /** What each container of a pod uses. */
    private static BigDecimal used(Pod pod, String resource) {
        Map<String, String> annotations = pod.getMetadata().getAnnotations();
        String said = annotations == null ? null : annotations.get("simulation.trimtab.io/" + resource);
        BigDecimal idle = IDLE.getOrDefault(resource, BigDecimal.ZERO);
        if (said == null) {
            return idle;
        }
        try {
            return new Quantity(said).getNumericalAmount();
        } catch (RuntimeException e) {
            return idle; // an annotation can say anything; a measurement is never an error
        }
    }

    private ObjectNode head(String kind, HasMetadata object) {
        ObjectNode head = NODES.objectNode().put("kind", kind).put("apiVersion", GROUP_VERSION);
        ObjectNode metadata = head.putObject("metadata")
                .put("name", object.getMetadata().getName())
                .put("creationTimestamp", now());
        if (object.getMetadata().getNamespace() != null) {
            metadata.put("namespace", object.getMetadata().getNamespace());
        }
        if (object.getMetadata().getLabels() != null) {
            ObjectNode labels = metadata.putObject("labels");
            object.getMetadata().getLabels().forEach(labels::put);
        }
        return head.put("timestamp", now()).put("window", "15s");
    }

    private String now() {
        return driver.now().truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private static ObjectNode resources() {
        ObjectNode list = NODES.objectNode()
                .put("kind", "APIResourceList")
                .put("apiVersion", "v1")
                .put("groupVersion", GROUP_VERSION);
        ArrayNode resources = list.putArray("resources");
        for (String name : List.of("nodes", "pods")) {
            resources
                    .addObject()
                    .put("name", name)
                    .put("singularName", "")
                    .put("namespaced", name.equals("pods"))
                    .put("kind", name.equals("pods") ? "PodMetrics" : "NodeMetrics")
                    .putArray("verbs")
                    .add("get")
                    .add("list");
        }
        return list;
    }

    private static Reply status(int code, String reason, String message) {
        ObjectNode status = NODES.objectNode().put("kind", "Status").put("apiVersion", "v1");
        status.putObject("metadata");
        return reply(
                code,
                status.put("status", "Failure")
                        .put("message", message)
                        .put("reason", reason)
                        .put("code", code));
    }

    private static Reply reply(int code, ObjectNode body) {
        return new Reply(
                code,
                Map.of("content-type", List.of("application/json")),
                body.toString().getBytes(StandardCharsets.UTF_8));
    }
}
