package io.trimtab.controllers.tainteviction;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Taint;
import io.fabric8.kubernetes.api.model.Toleration;
import io.trimtab.client.ApiException;
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
import io.trimtab.controllers.nodes.Tolerations;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Evicts pods from nodes with NoExecute taints: at once if a taint is not tolerated, after the shortest {@code tolerationSeconds}
 * if all are, and never if all are for ever. Keys are pods; a node whose taints change wakes its pods.
 */
public final class TaintEvictionController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "taint-eviction-controller";

    private static final String COMPONENT = "node-controller";

    /** A pod that is to go. */
    private record Eviction(String uid, Instant since, Instant due, boolean done) {}

    private final Client client;
    private final Driver driver;
    private final EventRecorder events;
    private final Lister<Node> nodes;
    private final Lister<Pod> pods;
    private final Map<Request, Eviction> evictions = new ConcurrentHashMap<>();

    private TaintEvictionController(Manager manager) {
        this.client = manager.client(COMPONENT);
        this.driver = manager.driver();
        this.events = manager.events(NAME);
        this.nodes = manager.informers().informer(Node.class).lister();
        SharedInformer<Pod> podInformer = manager.informers().informer(Pod.class);
        Pods.indexByNode(podInformer);
        this.pods = podInformer.lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        TaintEvictionController controller = new TaintEvictionController(manager);
        return Controller.of(NAME, ResourceType.of(Pod.class), controller::concerns)
                .watches(ResourceType.of(Node.class), WatchScope.ALL, controller::onNode)
                .workers(8)
                .reconcile(controller);
    }

    private boolean concerns(Change<Pod> change) {
        Pod pod = change.latest();
        if (change.isDeleted()) {
            return evictions.containsKey(Request.of(pod));
        }
        String node = Pods.nodeName(pod);
        if (node == null) {
            return false;
        }
        Pod old = change.old();
        boolean news = old == null
                || !node.equals(Pods.nodeName(old))
                || !Objects.equals(old.getSpec().getTolerations(), pod.getSpec().getTolerations());
        // Taints may reach us after the pod: then the node's own change wakes the pod.
        return news
                && nodes.get(null, node).filter(n -> !noExecute(n).isEmpty()).isPresent();
    }

    private void onNode(Change<Node> change, Enqueuer queue) {
        Node old = change.old();
        Node node = change.object();
        List<Taint> before = old == null ? List.of() : noExecute(old);
        List<Taint> after = node == null ? List.of() : noExecute(node);
        if (!before.equals(after)) {
            pods.byIndex(Pods.BY_NODE, change.latest().getMetadata().getName())
                    .forEach(pod -> queue.add(Request.of(pod)));
        }
    }

    static List<Taint> noExecute(Node node) {
        return Nodes.taints(node).stream()
                .filter(taint -> NodeTaints.NO_EXECUTE.equals(taint.getEffect()))
                .toList();
    }

    @Override
    public Result reconcile(Request request) {
        Pod pod = pods.get(request.namespace(), request.name()).orElse(null);
        Eviction planned = evictions.get(request);
        if (planned != null
                && (pod == null || !planned.uid.equals(pod.getMetadata().getUid()))) {
            cancel(request, planned);
            planned = null;
        }
        if (pod == null) {
            return Result.done();
        }
        String nodeName = Pods.nodeName(pod);
        List<Taint> taints = nodeName == null
                ? List.of()
                : nodes.get(null, nodeName)
                        .map(TaintEvictionController::noExecute)
                        .orElse(List.of());
        Duration tolerated = toleratedFor(taints, pod.getSpec().getTolerations());
        if (tolerated == null) {
            if (planned != null) {
                cancel(request, planned);
            }
            return Result.done();
        }
        if (planned != null && planned.done) {
            return Result.done();
        }
        Instant now = driver.now();
        String uid = pod.getMetadata().getUid();
        if (planned == null || tolerated.isZero() && planned.due.isAfter(now)) {
            Instant since = planned == null ? now : planned.since;
            planned = new Eviction(uid, since, now.plus(tolerated), false);
            evictions.put(request, planned);
        }
        if (planned.due.isAfter(now)) {
            return Result.after(Duration.between(now, planned.due));
        }
        if (!Pods.isDeleting(pod)) {
            evict(request, pod);
        }
        evictions.put(request, new Eviction(uid, planned.since, planned.due, true));
        return Result.done();
    }

    /** How long all of these taints are tolerated together: zero if one is not, null if for ever. Pure. */
    static @Nullable Duration toleratedFor(List<Taint> taints, List<Toleration> tolerations) {
        Long seconds = null;
        for (Taint taint : taints) {
            if (!Tolerations.anyTolerates(tolerations, taint)) {
                return Duration.ZERO;
            }
        }
        for (Toleration toleration : tolerations) {
            boolean used = taints.stream().anyMatch(taint -> Tolerations.tolerates(toleration, taint));
            Long own = toleration.getTolerationSeconds();
            if (used && own != null) {
                long atLeastNothing = Math.max(0, own);
                seconds = seconds == null ? atLeastNothing : Math.min(seconds, atLeastNothing);
            }
        }
        return seconds == null ? null : Duration.ofSeconds(seconds);
    }

    private void cancel(Request request, Eviction planned) {
        evictions.remove(request);
        if (!planned.done) {
            events.record(
                    reference(request, planned.uid),
                    "Normal",
                    "TaintManagerEviction",
                    "Cancelling deletion of Pod " + request);
        }
    }

    private void evict(Request request, Pod pod) {
        events.record(
                reference(request, pod.getMetadata().getUid()),
                "Normal",
                "TaintManagerEviction",
                "Marking for deletion Pod " + request);
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("metadata").put("uid", pod.getMetadata().getUid());
        body.putObject("status")
                .putArray("conditions")
                .addObject()
                .put("type", "DisruptionTarget")
                .put("status", "True")
                .put("reason", "DeletionByTaintManager")
                .put("message", "Taint manager: deleting due to NoExecute taint")
                .put("lastTransitionTime", Pods.time(driver.now()));
        try {
            client.patch(
                    PodControl.PODS,
                    request.namespace(),
                    request.name(),
                    Patch.strategic(body.toString()).on("status"));
            client.delete(PodControl.PODS, request.namespace(), request.name(), new DeleteOptions());
        } catch (ApiException e) {
            if (!e.isNotFound()) {
                throw e;
            }
        }
    }

    private static ObjectReference reference(Request request, String uid) {
        ObjectReference reference = new ObjectReference();
        reference.setApiVersion("v1");
        reference.setKind("Pod");
        reference.setNamespace(request.namespace());
        reference.setName(request.name());
        reference.setUid(uid);
        return reference;
    }
}
