package io.trimtab.controllers.nodelifecycle;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Taint;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.nodes.NodeTaints;
import io.trimtab.controllers.nodes.Nodes;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What follows a node's conditions at once: its NoSchedule taints, its old-style labels, and that a pod which reports ready on a
 * node that is not ready is marked not ready. Keys without a namespace are nodes, the others pods.
 */
final class NodeConditionTaints implements Reconciler {
    private static final String UNSCHEDULABLE = "node.kubernetes.io/unschedulable";

    /** Condition, then status, then the taint it asks for. */
    private static final Map<String, Map<String, String>> TAINTS = Map.of(
            "Ready", Map.of("False", NodeTaints.NOT_READY, "Unknown", NodeTaints.UNREACHABLE),
            "MemoryPressure", Map.of("True", "node.kubernetes.io/memory-pressure"),
            "DiskPressure", Map.of("True", "node.kubernetes.io/disk-pressure"),
            "PIDPressure", Map.of("True", "node.kubernetes.io/pid-pressure"),
            "NetworkUnavailable", Map.of("True", "node.kubernetes.io/network-unavailable"));

    private static final Map<String, String> LABELS = Map.of(
            "kubernetes.io/os", "beta.kubernetes.io/os",
            "kubernetes.io/arch", "beta.kubernetes.io/arch");

    private final Client client;
    private final Driver driver;
    private final EventRecorder events;
    private final Lister<Node> nodes;
    private final Lister<Pod> pods;

    private NodeConditionTaints(Manager manager) {
        this.client = manager.client(NodeLifecycleController.COMPONENT);
        this.driver = manager.driver();
        this.events = manager.events(NodeLifecycleController.COMPONENT);
        this.nodes = manager.informers().informer(Node.class).lister();
        this.pods = manager.informers().informer(Pod.class).lister();
    }

    static Controller controller(Manager manager) {
        NodeConditionTaints reconciler = new NodeConditionTaints(manager);
        return Controller.of(NodeLifecycleController.NAME, Node.class)
                .watches(ResourceType.of(Pod.class), WatchScope.ALL, reconciler::onPod)
                .workers(8)
                .reconcile(reconciler);
    }

    private void onPod(Change<Pod> change, Enqueuer queue) {
        Pod pod = change.object();
        String node = pod == null ? null : Pods.nodeName(pod);
        if (pod == null || node == null || !Pods.isReady(pod)) {
            return;
        }
        Pod old = change.old();
        boolean news = old == null || !Pods.isReady(old) || !node.equals(Pods.nodeName(old));
        if (news && isFailed(node)) {
            queue.add(Request.of(pod));
        }
    }

    /** The node says that it is not ready, or nothing is heard of it. */
    private boolean isFailed(String name) {
        return nodes.get(null, name)
                .flatMap(node -> Nodes.condition(node, "Ready"))
                .filter(ready -> !"True".equals(ready.getStatus()))
                .isPresent();
    }

    @Override
    public Result reconcile(Request request) {
        if (request.namespace().isEmpty()) {
            nodes.get(null, request.name()).ifPresent(this::reconcile);
        } else {
            pods.get(request.namespace(), request.name())
                    .filter(pod -> isFailed(String.valueOf(Pods.nodeName(pod))))
                    .ifPresent(pod -> PodReadiness.markNotReady(client, events, pod, driver.now()));
        }
        return Result.done();
    }

    private void reconcile(Node node) {
        List<Taint> wanted = wanted(node, Pods.time(driver.now()));
        List<Taint> surplus = Nodes.taints(node).stream()
                .filter(NodeConditionTaints::isOurs)
                .filter(taint -> wanted.stream().noneMatch(w -> w.getKey().equals(taint.getKey())))
                .toList();
        NodeTaints.swap(client, node, wanted, surplus);
        reconcileLabels(node);
    }

    private static boolean isOurs(Taint taint) {
        return NodeTaints.NO_SCHEDULE.equals(taint.getEffect())
                && (UNSCHEDULABLE.equals(taint.getKey())
                        || TAINTS.values().stream().anyMatch(byStatus -> byStatus.containsValue(taint.getKey())));
    }

    /** The taints that a node's conditions ask for. Pure. */
    static List<Taint> wanted(Node node, String now) {
        List<Taint> wanted = new ArrayList<>();
        if (node.getStatus() != null) {
            node.getStatus().getConditions().forEach(condition -> {
                String key = TAINTS.getOrDefault(String.valueOf(condition.getType()), Map.of())
                        .get(String.valueOf(condition.getStatus()));
                if (key != null) {
                    wanted.add(NodeTaints.of(key, NodeTaints.NO_SCHEDULE, now));
                }
            });
        }
        if (node.getSpec() != null && Boolean.TRUE.equals(node.getSpec().getUnschedulable())) {
            wanted.add(NodeTaints.of(UNSCHEDULABLE, NodeTaints.NO_SCHEDULE, now));
        }
        return wanted;
    }

    private void reconcileLabels(Node node) {
        Map<String, String> labels = Nodes.labels(node);
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        ObjectNode changed = body.putObject("metadata").putObject("labels");
        LABELS.forEach((primary, secondary) -> {
            String value = labels.get(primary);
            if (value != null && !Objects.equals(value, labels.get(secondary))) {
                changed.put(secondary, value);
            }
        });
        if (!changed.isEmpty()) {
            client.patch(NodeTaints.NODES, null, node.getMetadata().getName(), Patch.strategic(body.toString()));
        }
    }
}
