package io.trimtab.controllers.nodeipam;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Node;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.nodes.NodeTaints;
import io.trimtab.controllers.nodes.Nodes;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives each node without one a range of pod addresses from each of the cluster's ranges. What nodes and Services have already is
 * noted as the cache tells of it, and the workers begin only when the cache has told all: no range is given twice.
 */
public final class NodeIpamController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "node-ipam-controller";

    private static final Logger LOG = LoggerFactory.getLogger(NodeIpamController.class);
    private static final String COMPONENT = "node-controller";
    private static final int ATTEMPTS = 3;

    /**
     * Where ranges come from.
     *
     * @param clusterCidrs one, or one of each family
     * @param serviceCidrs ranges of Services: never given to nodes
     * @param nodeMaskIpv4 prefix length of a node's IPv4 range
     * @param nodeMaskIpv6 prefix length of a node's IPv6 range
     */
    public record Ranges(List<String> clusterCidrs, List<String> serviceCidrs, int nodeMaskIpv4, int nodeMaskIpv6) {
        /** {@code 172.16.0.0/16} in pieces of {@code /24}, {@code /64} for IPv6. */
        public static final Ranges DEFAULT = new Ranges(List.of("172.16.0.0/16"), List.of(), 24, 64);

        /** @throws IllegalArgumentException if a range cannot be read, or the masks do not fit it */
        public Ranges {
            if (clusterCidrs.isEmpty()) {
                throw new IllegalArgumentException("a cluster needs a range of pod addresses");
            }
            for (String text : clusterCidrs) {
                Cidr cidr = Cidr.parse(text);
                new CidrSet(cidr, cidr.isIpv6() ? nodeMaskIpv6 : nodeMaskIpv4);
            }
            serviceCidrs.forEach(Cidr::parse);
        }

        /** The same with other pieces: a {@code /24} out of a {@code /16} is enough for 256 nodes only. */
        public Ranges withNodeMaskIpv4(int mask) {
            return new Ranges(clusterCidrs, serviceCidrs, mask, nodeMaskIpv6);
        }
    }

    private final Client client;
    private final EventRecorder events;
    private final Lister<Node> nodes;
    private final List<CidrSet> sets = new ArrayList<>();

    private NodeIpamController(Manager manager, Ranges ranges) {
        this.client = manager.client(COMPONENT);
        this.events = manager.events("cidrAllocator");
        this.nodes = manager.informers().informer(Node.class).lister();
        for (String text : ranges.clusterCidrs) {
            Cidr cidr = Cidr.parse(text);
            CidrSet set = new CidrSet(cidr, cidr.isIpv6() ? ranges.nodeMaskIpv6 : ranges.nodeMaskIpv4);
            ranges.serviceCidrs.forEach(service -> set.occupy(Cidr.parse(service)));
            sets.add(set);
        }
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager, Ranges ranges) {
        NodeIpamController controller = new NodeIpamController(manager, ranges);
        return Controller.of(NAME, ResourceType.of(Node.class), controller::note)
                .workers(30)
                .reconcile(controller);
    }

    /** Notes what a node has; true if it has nothing yet. */
    private boolean note(Change<Node> change) {
        Node node = change.latest();
        Node old = change.old();
        if (old != null
                && old != node
                && old.getSpec() == node.getSpec()
                && old.getSpec() != null
                && !old.getSpec().getPodCIDRs().isEmpty()) {
            return false; // a heartbeat: what it has was noted before
        }
        List<Cidr> has = cidrs(node);
        if (change.isDeleted()) {
            has.forEach(cidr -> sets.forEach(set -> set.release(cidr)));
            return false;
        }
        has.forEach(cidr -> sets.forEach(set -> set.occupy(cidr)));
        return has.isEmpty();
    }

    private static List<Cidr> cidrs(Node node) {
        List<Cidr> cidrs = new ArrayList<>();
        if (node.getSpec() != null && node.getSpec().getPodCIDRs() != null) {
            for (String text : node.getSpec().getPodCIDRs()) {
                try {
                    cidrs.add(Cidr.parse(text));
                } catch (IllegalArgumentException e) {
                    LOG.atWarn()
                            .addKeyValue("node", node.getMetadata().getName())
                            .addKeyValue("cidr", text)
                            .log("The node's range cannot be read and is not reserved");
                }
            }
        }
        return cidrs;
    }

    @Override
    public Result reconcile(Request request) {
        Node node = nodes.get(null, request.name()).orElse(null);
        if (node == null
                || node.getMetadata().getDeletionTimestamp() != null
                || !cidrs(node).isEmpty()) {
            return Result.done();
        }
        List<Cidr> given = new ArrayList<>();
        for (CidrSet set : sets) {
            Cidr cidr = set.take().orElse(null);
            if (cidr == null) {
                giveBack(given);
                Nodes.recordStatus(events, node, "CIDRNotAvailable");
                throw new IllegalStateException(
                        "failed to allocate cidr: CIDR allocation failed; there are no remaining CIDRs left to allocate"
                                + " in the accepted range");
            }
            given.add(cidr);
        }
        assign(node, given);
        return Result.done();
    }

    private void assign(Node node, List<Cidr> given) {
        String name = node.getMetadata().getName();
        for (int attempt = 1; ; attempt++) {
            try {
                client.patch(NodeTaints.NODES, null, name, patch(node, given));
                return;
            } catch (ApiException e) {
                boolean answered = e.code() != 0;
                if (e.isNotFound()) {
                    giveBack(given);
                    return;
                }
                if (attempt < ATTEMPTS && !e.isInvalid() && !e.isConflict()) {
                    continue;
                }
                if (e.isInvalid() || e.isConflict()) {
                    giveBack(given); // somebody else has given it a range: ours is free
                    return;
                }
                Nodes.recordStatus(events, node, "CIDRAssignmentFailed");
                if (answered) {
                    giveBack(given); // without an answer the write may have happened: the range stays reserved
                }
                throw e;
            }
        }
    }

    private void giveBack(List<Cidr> given) {
        for (Cidr cidr : given) {
            sets.stream().filter(set -> set.covers(cidr)).forEach(set -> set.release(cidr));
        }
    }

    private static Patch patch(Node node, List<Cidr> given) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("metadata").put("uid", node.getMetadata().getUid());
        ObjectNode spec = body.putObject("spec").put("podCIDR", given.get(0).toString());
        ArrayNode all = spec.putArray("podCIDRs");
        given.forEach(cidr -> all.add(cidr.toString()));
        return Patch.strategic(body.toString());
    }
}
