package io.trimtab.controllers.nodettl;

import io.fabric8.kubernetes.api.model.Node;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.informer.Lister;
import java.util.List;

/**
 * Writes into each node, as annotation, for how many seconds it may believe what it read of Secrets and ConfigMaps: the longer, the
 * more nodes there are.
 */
public final class NodeTtlController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "ttl-controller";

    static final String ANNOTATION = "node.alpha.kubernetes.io/ttl";
    private static final ResourceType<Node> NODES = ResourceType.of(Node.class);

    /** How many nodes a step is good for. Steps overlap, so that a cluster at their border does not go to and fro. */
    private record Step(int min, int max, int seconds) {}

    private static final List<Step> STEPS = List.of(
            new Step(0, 100, 0),
            new Step(90, 500, 15),
            new Step(450, 1000, 30),
            new Step(900, 2000, 60),
            new Step(1800, Integer.MAX_VALUE, 300));

    private final Client client;
    private final Lister<Node> nodes;
    private final Object lock = new Object();
    private int count; // guarded by lock
    private int step; // guarded by lock

    private NodeTtlController(Manager manager) {
        this.client = manager.client(NAME);
        this.nodes = manager.informers().informer(Node.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        NodeTtlController controller = new NodeTtlController(manager);
        return Controller.<Node>of(NAME, NODES, controller::counted).workers(5).reconcile(controller);
    }

    /** Counts, and says whether the node is to be looked at. */
    private boolean counted(Change<Node> change) {
        synchronized (lock) {
            if (change.isCreated()) {
                count++;
                if (count > STEPS.get(step).max()) {
                    step++;
                }
            } else if (change.isDeleted()) {
                count--;
                if (count < STEPS.get(step).min()) {
                    step--;
                }
            }
            return !change.isDeleted() && !wanted().equals(annotation(change.latest()));
        }
    }

    private String wanted() {
        return Integer.toString(STEPS.get(step).seconds());
    }

    private static String annotation(Node node) {
        var annotations = node.getMetadata().getAnnotations();
        return annotations == null ? "" : annotations.getOrDefault(ANNOTATION, "");
    }

    @Override
    public Result reconcile(Request request) {
        Node node = nodes.get(null, request.name()).orElse(null);
        String wanted;
        synchronized (lock) {
            wanted = wanted();
        }
        if (node != null && !wanted.equals(annotation(node))) {
            client.patchOnly(
                    NODES,
                    null,
                    request.name(),
                    Patch.strategic("{\"metadata\":{\"annotations\":{\"" + ANNOTATION + "\":\"" + wanted + "\"}}}"));
        }
        return Result.done();
    }
}
