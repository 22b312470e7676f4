package io.trimtab.controllers.resourcequota;

import io.fabric8.kubernetes.api.model.resource.v1.DeviceRequest;
import io.fabric8.kubernetes.api.model.resource.v1.DeviceSubRequest;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaim;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.informer.EventHandler;
import io.trimtab.informer.InformerFactory;
import io.trimtab.informer.SharedInformer;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Counts the devices that ResourceClaims ask for, by class. Claims are watched from when the first quota names a class. Safe for use
 * by several threads.
 */
final class ClaimedDevices {
    private static final String SUFFIX = ".deviceclass.resource.k8s.io/devices";
    /** What an allocation can hold at most, and so what "all" may come to. */
    private static final long ALL = 32;

    private final InformerFactory informers;
    private final Consumer<String> changedIn;
    /** Guarded by this. */
    private @Nullable SharedInformer<ResourceClaim> claims;

    /** @param changedIn hears the namespace in which a claim came or went */
    ClaimedDevices(InformerFactory informers, Consumer<String> changedIn) {
        this.informers = informers;
        this.changedIn = changedIn;
    }

    /** Whether the key of a quota counts devices. */
    static boolean counts(String key) {
        return key.endsWith(SUFFIX);
    }

    /** What a namespace's claims ask for, by the keys of quotas; null if it cannot be told yet. */
    synchronized @Nullable Amounts in(String namespace) {
        SharedInformer<ResourceClaim> informer = claims;
        if (informer == null) {
            informer = informers.informer(ResourceType.of(ResourceClaim.class), WatchScope.ALL);
            informer.addHandler(new Changes());
            claims = informer;
        }
        if (!informer.isSynced()) {
            return null;
        }
        Amounts total = new Amounts();
        informer.lister().list(namespace).forEach(claim -> total.add(of(claim)));
        return total;
    }

    /** What one claim asks for: of alternatives the most of each class. */
    static Amounts of(ResourceClaim claim) {
        Amounts total = new Amounts();
        if (claim.getSpec() == null || claim.getSpec().getDevices() == null) {
            return total;
        }
        for (DeviceRequest request : claim.getSpec().getDevices().getRequests()) {
            Map<String, Long> most = new HashMap<>();
            for (DeviceSubRequest one : request.getFirstAvailable()) {
                most.merge(one.getDeviceClassName(), number(one.getAllocationMode(), one.getCount()), Math::max);
            }
            var exactly = request.getExactly();
            if (most.isEmpty() && exactly != null) {
                most.put(exactly.getDeviceClassName(), number(exactly.getAllocationMode(), exactly.getCount()));
            }
            most.forEach((name, count) -> total.add(name + SUFFIX, count));
        }
        return total;
    }

    private static long number(@Nullable String mode, @Nullable Long count) {
        return "All".equals(mode) ? ALL : count == null ? 1 : count;
    }

    private final class Changes implements EventHandler<ResourceClaim> {
        @Override
        public void onAdd(ResourceClaim claim, boolean initial) {
            changedIn.accept(claim.getMetadata().getNamespace());
        }

        @Override
        public void onUpdate(ResourceClaim old, ResourceClaim claim) {
            // What it asks for cannot change.
        }

        @Override
        public void onDelete(ResourceClaim claim, boolean finalStateUnknown) {
            changedIn.accept(claim.getMetadata().getNamespace());
        }
    }
}
