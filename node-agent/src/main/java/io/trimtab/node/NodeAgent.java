package io.trimtab.node;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.trimtab.client.Client;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Request;
import io.trimtab.events.ClientEventRecorder;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.node.runtime.ContainerRuntime;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Runs one node or a thousand in a manager: the nodes' heartbeats and the workers of their pods. Safe for use by any thread.
 */
public final class NodeAgent {
    private static final String COMPONENT = "kubelet";
    private static final String BY_UID = "uid";
    private static final int WORKERS = 16;

    private final Nodes nodes;
    private final Lister<Pod> pods;
    private final Map<String, EventRecorder> recorders = new ConcurrentHashMap<>();
    private volatile @Nullable Enqueuer queue;

    private NodeAgent(Manager manager, NodeAgentOptions options, ContainerRuntime runtime) {
        Client client = manager.client(COMPONENT);
        PodWorker.EventRecorders events = node ->
                recorders.computeIfAbsent(node, n -> new ClientEventRecorder(manager.driver(), client, COMPONENT, n));
        SharedInformer<Pod> informer = manager.informers().informer(PodWorker.PODS, scope(options));
        informer.addIndex(BY_UID, pod -> List.of(pod.getMetadata().getUid()));
        this.pods = informer.lister();
        this.nodes = new Nodes(manager, client, events, pods, options, runtime.version());
        informer.addIndex(
                PodAdmission.BY_NODE,
                pod -> pod.getSpec().getNodeName() == null
                        ? List.of()
                        : List.of(pod.getSpec().getNodeName()));
        SharedInformer<Service> services = manager.informers().informer(Service.class);
        ClusterReads reads = new ClusterReads(client, informer, services, nodes);
        runtime.network(reads, nodes::runs);
        PodWorker worker = new PodWorker(
                manager.driver(),
                client,
                events,
                pods,
                nodes,
                runtime,
                new PodInputs(client, services.lister(), nodes),
                new PodAdmission(pods, nodes));
        reads.given(worker::address);
        runtime.onChange(uid -> {
            Enqueuer target = queue;
            if (target != null) {
                pods.byIndex(BY_UID, uid).forEach(pod -> target.add(Request.of(pod)));
            }
        });
        manager.add(nodes);
        manager.add(Controller.named("node-agent")
                .watches(PodWorker.PODS, scope(options), (change, enqueuer) -> {
                    String node = change.latest().getSpec().getNodeName();
                    if (node != null && nodes.runs(node)) {
                        enqueuer.add(Request.of(change.latest()));
                    }
                })
                .feeds(enqueuer -> queue = enqueuer)
                .workers(WORKERS)
                .reconcile(worker));
    }

    /** An agent of one node asks the server for that node's pods only. */
    private static WatchScope scope(NodeAgentOptions options) {
        return options.names().size() == 1
                ? new WatchScope(null, null, "spec.nodeName=" + options.names().get(0))
                : WatchScope.ALL;
    }

    /** Adds the nodes to a manager; they begin to live when it starts. */
    public static NodeAgent addTo(Manager manager, NodeAgentOptions options, ContainerRuntime runtime) {
        return new NodeAgent(manager, options, runtime);
    }

    /** Takes one node more, which joins at once. Does nothing for one that is known. */
    public void add(String node) {
        nodes.add(node);
    }

    /** Silences a node, as if its plug were pulled: no heartbeat, and nothing happens to its pods. */
    public void stop(String node) {
        nodes.stop(node);
    }

    /** Brings a silenced node back: it looks at all its pods again. */
    public void resume(String node) {
        nodes.resume(node);
        Enqueuer target = queue;
        if (target != null) {
            pods.list().stream()
                    .filter(pod -> node.equals(pod.getSpec().getNodeName()))
                    .forEach(pod -> target.add(Request.of(pod)));
        }
    }
}
