package io.trimtab.controllers.endpointslice;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodIP;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.trimtab.controllers.endpointslice.SlicePacking.Changes;
import io.trimtab.controllers.endpointslice.Slices.Port;
import io.trimtab.controllers.nodes.Nodes;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.controllers.services.ServicePorts;
import io.trimtab.ownership.OwnerReferences;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What is to be done so that a Service's slices show its pods. Pure. */
final class SlicePlan {
    static final String CONTROLLER = "endpointslice-controller.k8s.io";
    /** More endpoints in a slice mean fewer but larger messages to every node. */
    static final int MAX_ENDPOINTS = 100;

    private static final String HEADLESS = "service.kubernetes.io/headless";
    private static final Set<String> RESERVED = Set.of(Slices.SERVICE_NAME, Slices.MANAGED_BY, HEADLESS);
    private static final String ZONE = "topology.kubernetes.io/zone";

    private final Service service;
    private final List<Pod> pods;
    private final Function<String, Optional<Node>> nodes;
    private final int limit;
    private final List<String> missingNodes = new ArrayList<>();

    private SlicePlan(Service service, List<Pod> pods, Function<String, Optional<Node>> nodes, int limit) {
        this.service = service;
        this.pods = pods;
        this.nodes = nodes;
        this.limit = limit;
    }

    /** @param missingNodes pods that were left out because nothing is known of their node */
    record Plan(Changes changes, List<String> missingNodes) {}

    static Plan plan(
            Service service,
            List<Pod> pods,
            List<EndpointSlice> existing,
            Function<String, Optional<Node>> nodes,
            int limit) {
        return new SlicePlan(service, pods, nodes, limit).plan(existing);
    }

    private Plan plan(List<EndpointSlice> existing) {
        Changes all = new Changes();
        Set<String> types = addressTypes(service);
        existing.stream()
                .filter(slice -> !types.contains(slice.getAddressType()))
                .forEach(all.delete::add);
        for (String type : types) {
            all.addAll(plan(
                    type,
                    existing.stream()
                            .filter(slice -> type.equals(slice.getAddressType()))
                            .toList()));
        }
        reuse(all);
        if (service.getMetadata().getDeletionTimestamp() != null) {
            all.create.clear();
        }
        return new Plan(all, missingNodes);
    }

    /** IPv4, IPv6 or both. */
    static Set<String> addressTypes(Service service) {
        Set<String> types = new LinkedHashSet<>();
        service.getSpec()
                .getIpFamilies()
                .forEach(family -> types.add("IPv6".equals(family) ? Slices.IPV6 : Slices.IPV4));
        if (types.isEmpty()) {
            String ip = service.getSpec().getClusterIP();
            if (ip == null || ip.isEmpty() || ip.equals("None")) {
                types.add(Slices.IPV4);
                types.add(Slices.IPV6);
            } else {
                types.add(ip.contains(":") ? Slices.IPV6 : Slices.IPV4);
            }
        }
        return types;
    }

    private Changes plan(String type, List<EndpointSlice> existing) {
        Changes changes = new Changes();
        Map<Set<Port>, List<EndpointSlice>> existingByPorts = new LinkedHashMap<>();
        for (EndpointSlice slice : existing) {
            if (OwnerReferences.isOwnedBy(slice, service)) {
                existingByPorts
                        .computeIfAbsent(Slices.portsKey(slice.getPorts()), k -> new ArrayList<>())
                        .add(slice);
            } else {
                changes.delete.add(slice); // of a namesake that is gone
            }
        }
        Map<Set<Port>, List<EndpointPort>> portLists = new LinkedHashMap<>();
        Map<Set<Port>, List<Endpoint>> wantedByPorts = new LinkedHashMap<>();
        for (Pod pod : pods) {
            Endpoint endpoint = endpoint(pod, type);
            if (endpoint != null) {
                List<EndpointPort> ports = ports(pod);
                Set<Port> key = Slices.portsKey(ports);
                portLists.putIfAbsent(key, ports);
                wantedByPorts.computeIfAbsent(key, k -> new ArrayList<>()).add(endpoint);
            }
        }
        wantedByPorts.forEach((key, endpoints) -> {
            List<EndpointPort> ports = portLists.getOrDefault(key, List.of());
            changes.addAll(SlicePacking.pack(
                    existingByPorts.getOrDefault(key, List.of()),
                    endpoints,
                    limit,
                    this::labelsRight,
                    slice -> slice.getMetadata().setLabels(labels()),
                    () -> fresh(type, ports)));
        });
        existingByPorts.forEach((key, slices) -> {
            if (!wantedByPorts.containsKey(key)) {
                changes.delete.addAll(slices);
            }
        });
        placeholder(type, existing.size(), changes);
        Hints.apply(service, changes);
        return changes;
    }

    /** A Service without endpoints shows so by a slice without any. */
    private void placeholder(String type, int existing, Changes changes) {
        if (existing != changes.delete.size() || !changes.create.isEmpty()) {
            return;
        }
        if (changes.delete.size() == 1 && isPlaceholder(changes.delete.get(0))) {
            changes.unchanged.addAll(changes.delete);
            changes.delete.clear();
        } else {
            changes.create.add(fresh(type, List.of()));
        }
    }

    private boolean isPlaceholder(EndpointSlice slice) {
        return slice.getEndpoints().isEmpty()
                && (slice.getPorts() == null || slice.getPorts().isEmpty())
                && OwnerReferences.isOwnedBy(slice, service)
                && labels().equals(Slices.labels(slice));
    }

    /** A slice that would be deleted is used for one that would be created: one write less, and one event less for all. */
    private void reuse(Changes changes) {
        Iterator<EndpointSlice> deleted = changes.delete.iterator();
        while (deleted.hasNext() && !changes.create.isEmpty()) {
            EndpointSlice old = deleted.next();
            EndpointSlice fresh = changes.create.get(changes.create.size() - 1);
            if (Objects.equals(old.getAddressType(), fresh.getAddressType())
                    && OwnerReferences.isOwnedBy(old, service)) {
                fresh.getMetadata().setName(old.getMetadata().getName());
                changes.create.remove(changes.create.size() - 1);
                changes.update.add(fresh);
                deleted.remove();
            }
        }
    }

    private EndpointSlice fresh(String type, List<EndpointPort> ports) {
        return new EndpointSliceBuilder()
                .withNewMetadata()
                .withNamespace(service.getMetadata().getNamespace())
                .withGenerateName(Slices.prefix(service.getMetadata().getName()))
                .withLabels(labels())
                .withOwnerReferences(OwnerReferences.newControllerRef(service))
                .endMetadata()
                .withAddressType(type)
                .withPorts(ports)
                .withEndpoints(new ArrayList<>())
                .build();
    }

    /** The labels of the Service, but for those that are the slices' own. */
    private Map<String, String> labels() {
        Map<String, String> labels = new HashMap<>();
        if (service.getMetadata().getLabels() != null) {
            labels.putAll(service.getMetadata().getLabels());
        }
        labels.keySet().removeAll(RESERVED);
        String ip = service.getSpec().getClusterIP();
        if (ip == null || ip.isEmpty() || ip.equals("None")) {
            labels.put(HEADLESS, "");
        }
        labels.put(Slices.SERVICE_NAME, service.getMetadata().getName());
        labels.put(Slices.MANAGED_BY, CONTROLLER);
        return labels;
    }

    /** Reserved labels do not count: a slice that is ours has them. */
    private boolean labelsRight(EndpointSlice slice) {
        Map<String, String> own = new HashMap<>(Slices.labels(slice));
        own.keySet().removeAll(RESERVED);
        Map<String, String> wanted = labels();
        wanted.keySet().removeAll(RESERVED);
        return own.equals(wanted);
    }

    private @Nullable Endpoint endpoint(Pod pod, String type) {
        if (Pods.isTerminal(pod) || pod.getStatus() == null) {
            return null;
        }
        List<String> addresses = new ArrayList<>();
        boolean hasAddress = false;
        for (PodIP ip : pod.getStatus().getPodIPs()) {
            if (ip.getIp() != null && !ip.getIp().isEmpty()) {
                hasAddress = true;
                if (ip.getIp().contains(":") == type.equals(Slices.IPV6)) {
                    addresses.add(ip.getIp());
                }
            }
        }
        if (!hasAddress) {
            return null;
        }
        boolean publishAll = Boolean.TRUE.equals(service.getSpec().getPublishNotReadyAddresses());
        String nodeName = Pods.nodeName(pod);
        Node node = nodeName == null ? null : nodes.apply(nodeName).orElse(null);
        if (node == null && !publishAll) {
            missingNodes.add("skipping Pod " + pod.getMetadata().getName() + " for Service "
                    + service.getMetadata().getNamespace() + "/"
                    + service.getMetadata().getName() + ": Node "
                    + (nodeName == null ? "" : nodeName) + " Not Found");
            return null;
        }
        if (addresses.isEmpty()) {
            return null;
        }
        boolean serving = Pods.isReady(pod);
        boolean terminating = Pods.isDeleting(pod);
        String zone = node == null ? null : Nodes.labels(node).get(ZONE);
        return new EndpointBuilder()
                .withAddresses(addresses)
                .withNewConditions()
                .withReady(publishAll || serving && !terminating)
                .withServing(serving)
                .withTerminating(terminating)
                .endConditions()
                .withTargetRef(new ObjectReferenceBuilder()
                        .withKind("Pod")
                        .withNamespace(pod.getMetadata().getNamespace())
                        .withName(pod.getMetadata().getName())
                        .withUid(pod.getMetadata().getUid())
                        .build())
                .withNodeName(nodeName)
                .withZone(zone == null || zone.isEmpty() ? null : zone)
                .withHostname(
                        ServicePorts.hasOwnName(service, pod) ? pod.getSpec().getHostname() : null)
                .build();
    }

    private List<EndpointPort> ports(Pod pod) {
        List<EndpointPort> ports = new ArrayList<>();
        for (ServicePort port : service.getSpec().getPorts()) {
            ServicePorts.resolve(pod, port)
                    .ifPresent(number -> ports.add(new EndpointPort(
                            port.getAppProtocol(),
                            port.getName() == null ? "" : port.getName(),
                            number,
                            ServicePorts.protocol(port))));
        }
        return ports;
    }
}
