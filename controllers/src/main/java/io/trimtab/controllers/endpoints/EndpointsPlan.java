package io.trimtab.controllers.endpoints;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.EndpointAddressBuilder;
import io.fabric8.kubernetes.api.model.EndpointPort;
import io.fabric8.kubernetes.api.model.EndpointPortBuilder;
import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.EndpointSubsetBuilder;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodIP;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.controllers.services.ServicePorts;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the Endpoints of a Service should be. Pure functions of the Service and its pods. */
final class EndpointsPlan {
    static final String OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";

    /** More would make objects that the store and every node choke on. */
    static final int MAX_ADDRESSES = 1000;

    private static final String HEADLESS = "service.kubernetes.io/headless";
    private static final String MANAGED_BY = "endpoints.kubernetes.io/managed-by";
    private static final Comparator<EndpointAddress> ADDRESS_ORDER = Comparator.comparing(
                    EndpointAddress::getIp, Comparator.naturalOrder())
            .thenComparing(address -> uid(address), Comparator.naturalOrder());
    private static final Comparator<EndpointPort> PORT_ORDER = Comparator.comparing(
                    (EndpointPort port) -> Objects.requireNonNullElse(port.getName(), ""))
            .thenComparing(EndpointPort::getPort)
            .thenComparing(port -> Objects.requireNonNullElse(port.getProtocol(), ""));

    private EndpointsPlan() {}

    /** @param truncated there were more addresses than fit */
    record Wanted(List<EndpointSubset> subsets, Map<String, String> labels, boolean truncated) {}

    static Wanted plan(Service service, List<Pod> pods) {
        boolean publishAll = Boolean.TRUE.equals(service.getSpec().getPublishNotReadyAddresses());
        boolean ipv6 = !service.getSpec().getIpFamilies().isEmpty()
                && "IPv6".equals(service.getSpec().getIpFamilies().get(0));
        Repacker repacker = new Repacker();
        for (Pod pod : pods) {
            String ip = Pods.isTerminal(pod) || Pods.isDeleting(pod) && !publishAll ? null : address(pod, ipv6);
            if (ip == null) {
                continue;
            }
            EndpointAddress address = address(service, pod, ip);
            boolean ready = publishAll || Pods.isReady(pod);
            List<ServicePort> ports = service.getSpec().getPorts();
            if (ports.isEmpty() && ServicePorts.isHeadless(service)) {
                repacker.add(address, null, ready);
            }
            for (ServicePort port : ports) {
                OptionalInt number = ServicePorts.resolve(pod, port);
                if (number.isPresent()) {
                    repacker.add(address, port(port, number.getAsInt()), ready);
                }
            }
        }
        List<EndpointSubset> subsets = repacker.pack();
        boolean truncated = truncate(subsets);
        return new Wanted(subsets, labels(service), truncated);
    }

    private static @Nullable String address(Pod pod, boolean ipv6) {
        if (pod.getStatus() == null) {
            return null;
        }
        for (PodIP ip : pod.getStatus().getPodIPs()) {
            if (ip.getIp() != null && ip.getIp().contains(":") == ipv6) {
                return ip.getIp();
            }
        }
        return null;
    }

    private static EndpointAddress address(Service service, Pod pod, String ip) {
        return new EndpointAddressBuilder()
                .withIp(ip)
                .withNodeName(Pods.nodeName(pod))
                .withHostname(
                        ServicePorts.hasOwnName(service, pod) ? pod.getSpec().getHostname() : null)
                .withTargetRef(new ObjectReferenceBuilder()
                        .withKind("Pod")
                        .withNamespace(pod.getMetadata().getNamespace())
                        .withName(pod.getMetadata().getName())
                        .withUid(pod.getMetadata().getUid())
                        .build())
                .build();
    }

    private static EndpointPort port(ServicePort port, int number) {
        return new EndpointPortBuilder()
                .withName(port.getName() == null || port.getName().isEmpty() ? null : port.getName())
                .withPort(number)
                .withProtocol(ServicePorts.protocol(port))
                .withAppProtocol(port.getAppProtocol())
                .build();
    }

    private static Map<String, String> labels(Service service) {
        Map<String, String> labels = new TreeMap<>();
        if (service.getMetadata().getLabels() != null) {
            labels.putAll(service.getMetadata().getLabels());
        }
        String clusterIp = service.getSpec().getClusterIP();
        if (clusterIp == null || clusterIp.isEmpty() || clusterIp.equals("None")) {
            labels.put(HEADLESS, "");
        } else {
            labels.remove(HEADLESS);
        }
        labels.put(MANAGED_BY, "endpoint-controller");
        return labels;
    }

    /** Nothing is to be written: subsets, labels and the note on capacity are as they should be. */
    static boolean isRight(Endpoints current, Wanted wanted) {
        Map<String, String> annotations =
                Objects.requireNonNullElse(current.getMetadata().getAnnotations(), Map.of());
        return wanted.truncated() == "truncated".equals(annotations.get(OVER_CAPACITY))
                && wanted.labels().equals(current.getMetadata().getLabels())
                && withoutRevisions(current.getSubsets()).equals(withoutRevisions(wanted.subsets()));
    }

    private static List<EndpointSubset> withoutRevisions(List<EndpointSubset> subsets) {
        return subsets.stream()
                .map(subset -> new EndpointSubsetBuilder(subset)
                        .withAddresses(subset.getAddresses().stream()
                                .map(EndpointsPlan::withoutRevision)
                                .toList())
                        .withNotReadyAddresses(subset.getNotReadyAddresses().stream()
                                .map(EndpointsPlan::withoutRevision)
                                .toList())
                        .build())
                .toList();
    }

    private static EndpointAddress withoutRevision(EndpointAddress address) {
        if (address.getTargetRef() == null || address.getTargetRef().getResourceVersion() == null) {
            return address;
        }
        return new EndpointAddressBuilder(address)
                .editTargetRef()
                .withResourceVersion(null)
                .endTargetRef()
                .build();
    }

    private static String uid(EndpointAddress address) {
        return address.getTargetRef() == null || address.getTargetRef().getUid() == null
                ? ""
                : address.getTargetRef().getUid();
    }

    /** Groups ports that have the very same addresses into one subset. Belongs to one plan. */
    private static final class Repacker {
        /** Marks an address without ports. */
        private static final EndpointPort NO_PORT = new EndpointPort();

        /** For each port its addresses, and whether each is ready: an address that is seen both ways is not. */
        private final Map<EndpointPort, Map<EndpointAddress, Boolean>> byPort = new LinkedHashMap<>();

        void add(EndpointAddress address, @Nullable EndpointPort port, boolean ready) {
            byPort.computeIfAbsent(port == null ? NO_PORT : port, p -> new HashMap<>())
                    .merge(address, ready, Boolean::logicalAnd);
        }

        List<EndpointSubset> pack() {
            Map<Map<EndpointAddress, Boolean>, List<EndpointPort>> groups = new LinkedHashMap<>();
            byPort.forEach((port, addresses) ->
                    groups.computeIfAbsent(addresses, a -> new ArrayList<>()).add(port));
            List<EndpointSubset> subsets = new ArrayList<>();
            groups.forEach((addresses, ports) -> subsets.add(new EndpointSubsetBuilder()
                    .withAddresses(sorted(addresses, true))
                    .withNotReadyAddresses(sorted(addresses, false))
                    .withPorts(ports.stream()
                            .filter(port -> port != NO_PORT)
                            .sorted(PORT_ORDER)
                            .toList())
                    .build()));
            subsets.sort(Comparator.comparing(subset -> subset.getPorts().stream()
                    .map(port -> port.getName() + "/" + port.getPort() + "/" + port.getProtocol())
                    .reduce("", String::concat)));
            return subsets;
        }

        private static List<EndpointAddress> sorted(Map<EndpointAddress, Boolean> addresses, boolean ready) {
            return addresses.entrySet().stream()
                    .filter(e -> e.getValue() == ready)
                    .map(Map.Entry::getKey)
                    .sorted(ADDRESS_ORDER)
                    .toList();
        }
    }

    /** Cuts down to what fits: ready addresses first, each subset giving up in proportion. */
    private static boolean truncate(List<EndpointSubset> subsets) {
        int ready = subsets.stream().mapToInt(s -> s.getAddresses().size()).sum();
        int notReady =
                subsets.stream().mapToInt(s -> s.getNotReadyAddresses().size()).sum();
        if (ready + notReady <= MAX_ADDRESSES) {
            return false;
        }
        int readyRoom = Math.min(ready, MAX_ADDRESSES);
        int notReadyRoom = MAX_ADDRESSES - readyRoom;
        int readyLeft = readyRoom;
        int notReadyLeft = notReadyRoom;
        for (EndpointSubset subset : subsets) {
            int keep = Math.min(share(subset.getAddresses().size(), readyRoom, ready), readyLeft);
            subset.setAddresses(List.copyOf(subset.getAddresses().subList(0, keep)));
            readyLeft -= keep;
            int keepNot = Math.min(share(subset.getNotReadyAddresses().size(), notReadyRoom, notReady), notReadyLeft);
            subset.setNotReadyAddresses(
                    List.copyOf(subset.getNotReadyAddresses().subList(0, keepNot)));
            notReadyLeft -= keepNot;
        }
        return true;
    }

    private static int share(int size, int room, int total) {
        return total == 0 ? 0 : Math.min(size, (int) Math.ceil((double) size * room / total));
    }
}
