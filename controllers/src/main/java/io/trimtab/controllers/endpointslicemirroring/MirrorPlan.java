package io.trimtab.controllers.endpointslicemirroring;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.trimtab.controllers.endpointslice.Slices;
import io.trimtab.controllers.endpointslice.Slices.Identity;
import io.trimtab.controllers.endpointslice.Slices.Port;
import io.trimtab.controllers.services.TriggerTimes;
import io.trimtab.ownership.OwnerReferences;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What is to be done so that slices show what an Endpoints object says. Pure. */
final class MirrorPlan {
    static final String CONTROLLER = "endpointslicemirroring-controller.k8s.io";
    static final int MAX_PER_SUBSET = 1000;

    private static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
    private static final String OCTET = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private static final Pattern IPV4 = Pattern.compile(OCTET + "(\\." + OCTET + "){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");

    final List<EndpointSlice> create = new ArrayList<>();
    final List<EndpointSlice> update = new ArrayList<>();
    final List<EndpointSlice> delete = new ArrayList<>();
    int invalid;
    int skipped;

    /** Slices of one group show the same ports of addresses of one family. */
    private record Group(String addressType, Set<Port> ports) {}

    private final Endpoints endpoints;
    private final Map<Group, List<EndpointPort>> ports = new LinkedHashMap<>();
    private final Map<Group, Map<Identity, Endpoint>> wanted = new LinkedHashMap<>();

    private MirrorPlan(Endpoints endpoints) {
        this.endpoints = endpoints;
    }

    static MirrorPlan plan(Endpoints endpoints, List<EndpointSlice> existing) {
        MirrorPlan plan = new MirrorPlan(endpoints);
        for (EndpointSubset subset : endpoints.getSubsets()) {
            plan.add(subset);
        }
        Map<Group, List<EndpointSlice>> groups = new LinkedHashMap<>();
        existing.forEach(slice -> groups.computeIfAbsent(
                        new Group(slice.getAddressType(), Slices.portsKey(slice.getPorts())), g -> new ArrayList<>())
                .add(slice));
        Set<Group> all = new LinkedHashSet<>(groups.keySet());
        all.addAll(plan.wanted.keySet());
        all.forEach(group -> plan.group(group, groups.getOrDefault(group, List.of())));
        plan.reuse();
        return plan;
    }

    private void add(EndpointSubset subset) {
        List<EndpointPort> subsetPorts = subset.getPorts().stream()
                .map(p -> new EndpointPort(
                        p.getAppProtocol(), p.getName() == null ? "" : p.getName(), p.getPort(), p.getProtocol()))
                .toList();
        int added = 0;
        int total = subset.getAddresses().size() + subset.getNotReadyAddresses().size();
        for (EndpointAddress address : subset.getAddresses()) {
            if (added >= MAX_PER_SUBSET) {
                break;
            }
            added += add(address, subsetPorts, true);
        }
        for (EndpointAddress address : subset.getNotReadyAddresses()) {
            if (added >= MAX_PER_SUBSET) {
                break;
            }
            added += add(address, subsetPorts, false);
        }
        skipped += total - added;
    }

    private int add(EndpointAddress address, List<EndpointPort> subsetPorts, boolean ready) {
        String type = typeOf(address.getIp());
        if (type == null) {
            invalid++;
            return 0;
        }
        Endpoint endpoint = new EndpointBuilder()
                .withAddresses(address.getIp())
                .withNewConditions()
                .withReady(ready)
                .endConditions()
                .withTargetRef(address.getTargetRef())
                .withNodeName(address.getNodeName())
                .withHostname(
                        address.getHostname() == null || address.getHostname().isEmpty() ? null : address.getHostname())
                .build();
        Group group = new Group(type, Slices.portsKey(subsetPorts));
        ports.putIfAbsent(group, subsetPorts);
        wanted.computeIfAbsent(group, g -> new LinkedHashMap<>()).put(Identity.of(endpoint), endpoint);
        return 1;
    }

    private static @Nullable String typeOf(@Nullable String ip) {
        if (ip == null) {
            return null;
        }
        return IPV4.matcher(ip).matches() ? Slices.IPV4 : IPV6.matcher(ip).matches() ? Slices.IPV6 : null;
    }

    private void group(Group group, List<EndpointSlice> existing) {
        Map<Identity, Endpoint> left = wanted.getOrDefault(group, Map.of());
        if (left.isEmpty()) {
            delete.addAll(existing);
            return;
        }
        if (!existing.isEmpty()) {
            delete.addAll(existing.subList(1, existing.size()));
            if (isRight(existing.get(0), left)) {
                return;
            }
        }
        EndpointSlice slice =
                fresh(group, left.values().stream().limit(MAX_PER_SUBSET).toList());
        if (existing.isEmpty()) {
            create.add(slice);
        } else {
            slice.getMetadata().setName(existing.get(0).getMetadata().getName());
            update.add(slice);
        }
    }

    private boolean isRight(EndpointSlice slice, Map<Identity, Endpoint> left) {
        if (slice.getEndpoints().size() != left.size()
                || !OwnerReferences.isOwnedBy(slice, endpoints)
                || !labels().equals(Slices.labels(slice))
                || !annotations()
                        .equals(Objects.requireNonNullElse(slice.getMetadata().getAnnotations(), Map.of()))) {
            return false;
        }
        return slice.getEndpoints().stream().allMatch(endpoint -> {
            Endpoint want = left.get(Identity.of(endpoint));
            return want != null && Slices.sameState(want, endpoint);
        });
    }

    private void reuse() {
        Iterator<EndpointSlice> fresh = create.iterator();
        while (fresh.hasNext()) {
            EndpointSlice slice = fresh.next();
            EndpointSlice old = delete.stream()
                    .filter(d -> Objects.equals(d.getAddressType(), slice.getAddressType()))
                    .findFirst()
                    .orElse(null);
            if (old != null) {
                slice.getMetadata().setName(old.getMetadata().getName());
                delete.remove(old);
                update.add(slice);
                fresh.remove();
            }
        }
        if (endpoints.getMetadata().getDeletionTimestamp() != null) {
            create.clear();
        }
    }

    private EndpointSlice fresh(Group group, List<Endpoint> content) {
        return new EndpointSliceBuilder()
                .withNewMetadata()
                .withNamespace(endpoints.getMetadata().getNamespace())
                .withGenerateName(Slices.prefix(endpoints.getMetadata().getName()))
                .withLabels(labels())
                .withAnnotations(annotations())
                .withOwnerReferences(OwnerReferences.newControllerRef(endpoints))
                .endMetadata()
                .withAddressType(group.addressType())
                .withPorts(ports.getOrDefault(group, List.of()))
                .withEndpoints(content)
                .build();
    }

    private Map<String, String> labels() {
        Map<String, String> labels = new HashMap<>();
        if (endpoints.getMetadata().getLabels() != null) {
            labels.putAll(endpoints.getMetadata().getLabels());
        }
        labels.put(Slices.SERVICE_NAME, endpoints.getMetadata().getName());
        labels.put(Slices.MANAGED_BY, CONTROLLER);
        return labels;
    }

    private Map<String, String> annotations() {
        Map<String, String> annotations = new HashMap<>();
        if (endpoints.getMetadata().getAnnotations() != null) {
            annotations.putAll(endpoints.getMetadata().getAnnotations());
        }
        annotations.remove(TriggerTimes.ANNOTATION);
        annotations.remove(LAST_APPLIED);
        return annotations;
    }
}
