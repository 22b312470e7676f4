package io.trimtab.controllers.endpointslice;

import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.trimtab.controllers.endpointslice.Slices.Identity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Puts endpoints into slices that have the same ports. Slices cost most where they are sent to every node, so as few as possible
 * are changed: what is in a slice stays there, and slices are never balanced against each other. Pure.
 */
final class SlicePacking {
    private SlicePacking() {}

    /** What is to be done, and what stays as it is. */
    static final class Changes {
        final List<EndpointSlice> create = new ArrayList<>();
        final List<EndpointSlice> update = new ArrayList<>();
        final List<EndpointSlice> delete = new ArrayList<>();
        final List<EndpointSlice> unchanged = new ArrayList<>();

        void addAll(Changes other) {
            create.addAll(other.create);
            update.addAll(other.update);
            delete.addAll(other.delete);
            unchanged.addAll(other.unchanged);
        }
    }

    /**
     * Packs.
     *
     * @param existing slices of these ports
     * @param endpoints those wanted
     * @param limit how many fit into a slice
     * @param labelsRight whether a slice carries the labels it should
     * @param labels sets the labels of a slice that is changed anyway
     * @param fresh makes an empty slice
     */
    static Changes pack(
            List<EndpointSlice> existing,
            List<Endpoint> endpoints,
            int limit,
            Predicate<EndpointSlice> labelsRight,
            java.util.function.Consumer<EndpointSlice> labels,
            Supplier<EndpointSlice> fresh) {
        Map<Identity, Endpoint> left = new LinkedHashMap<>();
        endpoints.forEach(endpoint -> left.put(Identity.of(endpoint), endpoint));
        Map<String, EndpointSlice> byName = new HashMap<>();
        Set<String> unchanged = new LinkedHashSet<>();
        Set<String> updated = new LinkedHashSet<>();
        Changes changes = new Changes();

        for (EndpointSlice slice : existing) {
            String name = slice.getMetadata().getName();
            byName.put(name, slice);
            List<Endpoint> kept = new ArrayList<>();
            boolean differs = false;
            for (Endpoint endpoint : slice.getEndpoints()) {
                Endpoint wanted = left.remove(Identity.of(endpoint));
                if (wanted != null) {
                    kept.add(wanted);
                    differs |= !Slices.sameState(wanted, endpoint);
                }
            }
            boolean shrinks = kept.size() < slice.getEndpoints().size();
            if (shrinks && kept.isEmpty()) {
                changes.delete.add(slice);
            } else if (differs || shrinks) {
                EndpointSlice copy = new EndpointSliceBuilder(slice)
                        .withEndpoints(new ArrayList<>(kept))
                        .build();
                labels.accept(copy);
                byName.put(name, copy);
                updated.add(name);
            } else if (!labelsRight.test(slice)) {
                EndpointSlice copy = new EndpointSliceBuilder(slice).build();
                labels.accept(copy);
                byName.put(name, copy);
                updated.add(name);
            } else {
                unchanged.add(name);
            }
        }

        if (!left.isEmpty() && !updated.isEmpty()) {
            List<EndpointSlice> open =
                    new ArrayList<>(updated.stream().map(byName::get).toList());
            open.sort(Comparator.comparingInt(
                            (EndpointSlice s) -> s.getEndpoints().size())
                    .reversed());
            open.forEach(slice -> fill(slice, left, limit));
        }
        while (!left.isEmpty()) {
            String name = left.size() < limit ? bestFit(unchanged, byName, left.size(), limit) : "";
            if (name.isEmpty()) {
                EndpointSlice slice = fresh.get();
                fill(slice, left, limit);
                changes.create.add(slice);
            } else {
                EndpointSlice copy = new EndpointSliceBuilder(Objects.requireNonNull(byName.get(name))).build();
                fill(copy, left, limit);
                byName.put(name, copy);
                unchanged.remove(name);
                updated.add(name);
            }
        }
        updated.forEach(name -> changes.update.add(byName.get(name)));
        unchanged.forEach(name -> changes.unchanged.add(byName.get(name)));
        return changes;
    }

    private static void fill(EndpointSlice slice, Map<Identity, Endpoint> left, int limit) {
        List<Endpoint> endpoints = new ArrayList<>(slice.getEndpoints());
        Iterator<Endpoint> next = left.values().iterator();
        while (endpoints.size() < limit && next.hasNext()) {
            endpoints.add(next.next());
            next.remove();
        }
        slice.setEndpoints(endpoints);
    }

    /** The slice that takes so many more and is closest to full then; empty if none has room. */
    private static String bestFit(Set<String> names, Map<String, EndpointSlice> byName, int count, int limit) {
        String best = "";
        int smallest = limit;
        for (String name : names) {
            int room = limit
                    - count
                    - Objects.requireNonNull(byName.get(name)).getEndpoints().size();
            if (room >= 0 && room < smallest) {
                smallest = room;
                best = name;
            }
        }
        return best;
    }
}
