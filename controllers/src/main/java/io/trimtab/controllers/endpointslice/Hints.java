package io.trimtab.controllers.endpointslice;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointHints;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.ForNode;
import io.fabric8.kubernetes.api.model.discovery.v1.ForZone;
import io.trimtab.controllers.endpointslice.SlicePacking.Changes;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Says for each endpoint from where it should be used, if its Service wants traffic to stay near. Pure. */
final class Hints {
    private Hints() {}

    /** Sets, or removes, the hints of all slices; unchanged ones whose hints are not right become updates. */
    static void apply(Service service, Changes changes) {
        String distribution = service.getSpec().getTrafficDistribution();
        changes.create.forEach(slice -> slice.setEndpoints(hinted(slice.getEndpoints(), distribution)));
        changes.update.forEach(slice -> slice.setEndpoints(hinted(slice.getEndpoints(), distribution)));
        Iterator<EndpointSlice> unchanged = changes.unchanged.iterator();
        while (unchanged.hasNext()) {
            EndpointSlice slice = unchanged.next();
            List<Endpoint> endpoints = hinted(slice.getEndpoints(), distribution);
            if (!sameHints(endpoints, slice.getEndpoints())) {
                unchanged.remove();
                changes.update.add(
                        new EndpointSliceBuilder(slice).withEndpoints(endpoints).build());
            }
        }
    }

    private static List<Endpoint> hinted(List<Endpoint> endpoints, @Nullable String distribution) {
        List<Endpoint> result = new ArrayList<>(endpoints.size());
        for (Endpoint endpoint : endpoints) {
            EndpointHints hints = hints(endpoint, distribution);
            boolean same = endpoint.getHints() == null && hints == null;
            result.add(
                    same
                            ? endpoint
                            : new EndpointBuilder(endpoint).withHints(hints).build());
        }
        return result;
    }

    private static @Nullable EndpointHints hints(Endpoint endpoint, @Nullable String distribution) {
        boolean ready = endpoint.getConditions() == null
                || !Boolean.FALSE.equals(endpoint.getConditions().getReady());
        if (distribution == null || !ready || endpoint.getZone() == null) {
            return null;
        }
        List<ForZone> zones = List.of(new ForZone(endpoint.getZone()));
        return switch (distribution) {
            case "PreferClose", "PreferSameZone" -> new EndpointHints(List.of(), zones);
            case "PreferSameNode" ->
                new EndpointHints(
                        endpoint.getNodeName() == null ? List.of() : List.of(new ForNode(endpoint.getNodeName())),
                        zones);
            default -> null;
        };
    }

    private static boolean sameHints(List<Endpoint> a, List<Endpoint> b) {
        for (int i = 0; i < a.size(); i++) {
            if (!Objects.equals(a.get(i).getHints(), b.get(i).getHints())) {
                return false;
            }
        }
        return true;
    }
}
