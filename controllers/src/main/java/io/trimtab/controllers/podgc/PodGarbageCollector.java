package io.trimtab.controllers.podgc;

import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Taint;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Periodic;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes, every 20 seconds, the pods that nobody else will: ended ones beyond a limit, those terminating on nodes that are out
 * of service, those of nodes that are gone, and those deleted before they were ever scheduled. State is touched on its lane
 * only.
 */
public final class PodGarbageCollector {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "pod-garbage-collector-controller";

    private static final Logger LOG = LoggerFactory.getLogger(PodGarbageCollector.class);
    private static final Duration PERIOD = Duration.ofSeconds(20);
    /** A node may be registered again within this time; until then its pods are left alone. */
    private static final Duration QUARANTINE = Duration.ofSeconds(40);

    private static final int DEFAULT_THRESHOLD = 12_500;
    private static final ResourceType<Node> NODES = ResourceType.of(Node.class);
    private static final String OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

    private final Client client;
    private final Driver driver;
    private final Lister<Pod> pods;
    private final Lister<Node> nodes;
    private final int threshold;
    /** When a node was first missed. */
    private final Map<String, Instant> missing = new HashMap<>();

    private PodGarbageCollector(Manager manager, int threshold) {
        this.client = manager.client("pod-garbage-collector");
        this.driver = manager.driver();
        this.pods = manager.informers().informer(Pod.class).lister();
        this.nodes = manager.informers().informer(Node.class).lister();
        this.threshold = threshold;
    }

    /** The collector, to be added to the manager. */
    public static Manager.Component component(Manager manager) {
        PodGarbageCollector collector = new PodGarbageCollector(manager, DEFAULT_THRESHOLD);
        return Periodic.of(NAME, manager.driver(), PERIOD, collector::pass);
    }

    private void pass() {
        List<Pod> all = pods.list();
        terminatedBeyond(all, threshold).forEach(pod -> collect(pod, null));
        outOfService(all).forEach(pod -> collect(pod, null));
        orphaned(all)
                .forEach(pod -> collect(
                        pod,
                        Map.of(
                                "type", "DisruptionTarget",
                                "status", "True",
                                "reason", "DeletionByPodGC",
                                "message", "PodGC: node no longer exists")));
        all.stream()
                .filter(pod -> Pods.isDeleting(pod) && Pods.nodeName(pod) == null)
                .forEach(pod -> collect(pod, null));
    }

    /** The ended pods beyond the threshold: evicted ones first, then the oldest. Pure. */
    static List<Pod> terminatedBeyond(List<Pod> all, int threshold) {
        List<Pod> ended = new ArrayList<>(all.stream().filter(Pods::isTerminal).toList());
        if (threshold <= 0 || ended.size() <= threshold) {
            return List.of();
        }
        ended.sort(Comparator.comparing(
                        (Pod pod) -> !"Evicted".equals(pod.getStatus().getReason()))
                .thenComparing(pod -> pod.getMetadata().getCreationTimestamp())
                .thenComparing(pod -> pod.getMetadata().getName()));
        return ended.subList(0, ended.size() - threshold);
    }

    private List<Pod> outOfService(List<Pod> all) {
        return all.stream()
                .filter(Pods::isDeleting)
                .filter(pod -> Pods.nodeName(pod) != null)
                .filter(pod -> nodes.get(null, String.valueOf(Pods.nodeName(pod)))
                        .filter(node -> !isReady(node) && hasTaint(node))
                        .isPresent())
                .toList();
    }

    private static boolean isReady(Node node) {
        return node.getStatus() != null
                && node.getStatus().getConditions().stream()
                        .anyMatch(c -> "Ready".equals(c.getType()) && "True".equals(c.getStatus()));
    }

    private static boolean hasTaint(Node node) {
        return node.getSpec() != null
                && node.getSpec().getTaints().stream().map(Taint::getKey).anyMatch(OUT_OF_SERVICE::equals);
    }

    private List<Pod> orphaned(List<Pod> all) {
        Map<String, List<Pod>> lost = new HashMap<>();
        for (Pod pod : all) {
            String node = Pods.nodeName(pod);
            if (node != null && nodes.get(null, node).isEmpty()) {
                lost.computeIfAbsent(node, n -> new ArrayList<>()).add(pod);
            }
        }
        missing.keySet().retainAll(lost.keySet());
        Set<String> gone = new HashSet<>();
        for (String node : lost.keySet()) {
            Instant since = missing.computeIfAbsent(node, n -> driver.now());
            boolean over = !since.plus(QUARANTINE).isAfter(driver.now());
            if (over && isGone(node)) {
                gone.add(node);
            }
        }
        return gone.stream()
                .flatMap(node -> lost.getOrDefault(node, List.of()).stream())
                .toList();
    }

    /** Asks the server: the cache may be behind. */
    private boolean isGone(String node) {
        try {
            return client.get(NODES, null, node).isEmpty();
        } catch (ApiException e) {
            LOG.atWarn().addKeyValue("node", node).setCause(e).log("Cannot tell whether the node is gone");
            return false;
        }
    }

    private void collect(Pod pod, @Nullable Map<String, String> condition) {
        String namespace = pod.getMetadata().getNamespace();
        String name = pod.getMetadata().getName();
        try {
            if (!Pods.isTerminal(pod)) {
                Map<String, Object> status = new HashMap<>();
                status.put("phase", "Failed");
                if (condition != null) {
                    Map<String, String> stamped = new HashMap<>(condition);
                    stamped.put("lastTransitionTime", Pods.time(driver.now()));
                    status.put("conditions", List.of(stamped));
                }
                Map<String, Object> body =
                        Map.of("metadata", Map.of("uid", pod.getMetadata().getUid()), "status", status);
                client.patch(
                        PodControl.PODS,
                        namespace,
                        name,
                        Patch.strategic(Serialization.asJson(body)).on("status"));
            }
            client.delete(
                    PodControl.PODS,
                    namespace,
                    name,
                    new DeleteOptionsBuilder()
                            .withGracePeriodSeconds(0L)
                            .withNewPreconditions()
                            .withUid(pod.getMetadata().getUid())
                            .endPreconditions()
                            .build());
        } catch (ApiException e) {
            if (!e.isNotFound()) {
                LOG.atWarn()
                        .addKeyValue("controller", NAME)
                        .addKeyValue("namespace", namespace)
                        .addKeyValue("name", name)
                        .setCause(e)
                        .log("A pod could not be collected; it is tried again in the next pass");
            }
        }
    }
}
