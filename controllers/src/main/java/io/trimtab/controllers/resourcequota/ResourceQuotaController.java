package io.trimtab.controllers.resourcequota;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceQuota;
import io.fabric8.kubernetes.api.model.ResourceQuotaBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Change;
import io.trimtab.controller.ChangeMapper;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Recounts what each quota's namespace uses: when the quota changes, when something that it counts is given back, and every five
 * minutes. What is taken, the API server counts as it lets it in; here is mended what it could not know.
 */
public final class ResourceQuotaController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "resourcequota-controller";

    private static final ResourceType<ResourceQuota> QUOTAS = ResourceType.of(ResourceQuota.class);
    private static final Duration FULL_RECOUNT = Duration.ofMinutes(5);
    private static final Duration NOT_YET = Duration.ofSeconds(1);
    /** Many creations are one recount. */
    private static final Duration SOON = Duration.ofSeconds(1);

    private final Client client;
    private final Driver driver;
    private final Lister<ResourceQuota> quotas;
    private final Lister<Pod> pods;
    private final Lister<Service> services;
    private final Lister<PersistentVolumeClaim> claims;
    private final CountedResources counted;
    private final ClaimedDevices devices;
    private volatile @Nullable Enqueuer queue;

    private ResourceQuotaController(Manager manager) {
        this.client = manager.client(NAME);
        this.driver = manager.driver();
        this.quotas = manager.informers().informer(ResourceQuota.class).lister();
        this.pods = manager.informers().informer(Pod.class).lister();
        this.services = manager.informers().informer(Service.class).lister();
        this.claims = manager.informers().informer(PersistentVolumeClaim.class).lister();
        this.counted = new CountedResources(manager, client, this::wake, this::wakeSoon);
        this.devices = new ClaimedDevices(manager.informers(), this::wakeSoon);
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        ResourceQuotaController controller = new ResourceQuotaController(manager);
        return Controller.of(NAME, QUOTAS, ResourceQuotaController::isNews)
                .watches(Pod.class, controller.given(ResourceQuotaController::usesOtherThan))
                .watches(
                        Service.class,
                        controller.<Service>given((old, now) ->
                                !Usage.of(old).quantities().equals(Usage.of(now).quantities())))
                .watches(
                        PersistentVolumeClaim.class,
                        controller.<PersistentVolumeClaim>given((old, now) ->
                                !Usage.of(old).quantities().equals(Usage.of(now).quantities())
                                        || !Usage.attributesClasses(old).equals(Usage.attributesClasses(now))))
                .feeds(enqueuer -> controller.queue = enqueuer)
                .workers(5)
                .reconcile(controller);
    }

    private static boolean isNews(Change<ResourceQuota> change) {
        ResourceQuota old = change.old();
        ResourceQuota now = change.object();
        return now != null
                && (old == null
                        || !Objects.equals(
                                old.getSpec().getHard(), now.getSpec().getHard()));
    }

    /** It has ended, got other resources in place, or another deadline, by which quotas select. */
    private static boolean usesOtherThan(Pod old, Pod now) {
        boolean hadDeadline = old.getSpec().getActiveDeadlineSeconds() != null;
        boolean hasDeadline = now.getSpec().getActiveDeadlineSeconds() != null;
        return Pods.isTerminal(now) && !Pods.isTerminal(old)
                || hadDeadline != hasDeadline
                || !Usage.resources(old, false)
                        .quantities()
                        .equals(Usage.resources(now, false).quantities())
                || !Usage.resources(old, true)
                        .quantities()
                        .equals(Usage.resources(now, true).quantities());
    }

    /**
     * Something was given back: an object is gone, or uses less. What is new was counted as it was let in; but a recount that ran
     * just then may not have seen it yet, and has undone that.
     */
    private <T extends HasMetadata> ChangeMapper<T> given(BiPredicate<T, T> less) {
        return (change, enqueuer) -> {
            T old = change.old();
            T now = change.object();
            HasMetadata some = old == null ? now : old;
            if (some == null || quotas.list(some.getMetadata().getNamespace()).isEmpty()) {
                return;
            }
            if (old != null && (now == null || less.test(old, now))) {
                wake(old.getMetadata().getNamespace());
            } else if (old == null && now != null) {
                wakeSoon(now.getMetadata().getNamespace());
            }
        };
    }

    private void wakeSoon(String namespace) {
        Enqueuer enqueuer = queue;
        if (enqueuer != null) {
            quotas.list(namespace).forEach(quota -> enqueuer.addAfter(Request.of(quota), SOON));
        }
    }

    private void wake(String namespace) {
        Enqueuer enqueuer = queue;
        if (enqueuer != null) {
            quotas.list(namespace).forEach(quota -> enqueuer.add(Request.of(quota)));
        }
    }

    @Override
    public Result reconcile(Request request) {
        ResourceQuota quota = quotas.get(request.namespace(), request.name()).orElse(null);
        if (quota == null) {
            return Result.done();
        }
        Map<String, Quantity> hard = Objects.requireNonNullElse(quota.getSpec().getHard(), Map.of());
        Map<String, Quantity> former =
                quota.getStatus() == null || quota.getStatus().getUsed() == null
                        ? Map.of()
                        : quota.getStatus().getUsed();
        Map<String, Quantity> typed = typedUsage(quota, request.namespace());
        Map<String, Quantity> used = new TreeMap<>();
        boolean complete = true;
        for (String key : hard.keySet()) {
            Quantity amount = typed.get(key);
            String resource = CountedResources.resourceOf(key);
            if (ClaimedDevices.counts(key)) {
                Amounts claimed = devices.in(request.namespace());
                complete &= claimed != null;
                Quantity none = Quantity.parse("0");
                amount = claimed == null
                        ? former.get(key)
                        : Usage.hasScopes(quota) ? none : claimed.quantities().getOrDefault(key, none);
            } else if (resource != null && resource.equals("resourcequotas")) {
                // From the same cache as the quota itself, which therefore counts.
                int count = quotas.list(request.namespace()).size();
                amount = Quantity.parse(Usage.hasScopes(quota) ? "0" : String.valueOf(count));
            } else if (amount == null && resource != null) {
                CountedResources.Count count = counted.count(resource, request.namespace());
                boolean scoped = Usage.hasScopes(quota);
                if (count.count() != null) {
                    amount = Quantity.parse(scoped ? "0" : String.valueOf(count.count()));
                } else if (count.known()) {
                    complete = false;
                    amount = former.get(key);
                }
            }
            if (amount != null) {
                used.put(key, amount);
            }
        }
        write(quota, hard, used);
        return Result.after(complete ? FULL_RECOUNT : NOT_YET);
    }

    /** What is used of all that has a rule of its own; zero for what is not used at all. */
    private Map<String, Quantity> typedUsage(ResourceQuota quota, String namespace) {
        Amounts total = new Amounts();
        Map<String, Quantity> hard = Objects.requireNonNullElse(quota.getSpec().getHard(), Map.of());
        hard.keySet().stream().filter(ResourceQuotaController::hasRule).forEach(key -> total.add(key, 0));
        Instant now = driver.now();
        for (Pod pod : pods.list(namespace)) {
            if (Usage.isInScope(quota, pod)) {
                total.add(Usage.of(pod, now));
            }
        }
        if (!Usage.hasScopes(quota)) {
            services.list(namespace).forEach(service -> total.add(Usage.of(service)));
        }
        for (PersistentVolumeClaim claim : claims.list(namespace)) {
            if (Usage.isInScope(quota, claim)) {
                total.add(Usage.of(claim));
            }
        }
        return total.quantities();
    }

    private static boolean hasRule(String key) {
        return switch (key) {
            case "pods",
                    "count/pods",
                    "services",
                    "count/services",
                    "services.nodeports",
                    "services.loadbalancers",
                    "persistentvolumeclaims",
                    "count/persistentvolumeclaims",
                    "cpu",
                    "memory",
                    "ephemeral-storage" -> true;
            default ->
                key.startsWith("requests.")
                        || key.startsWith("limits.")
                        || key.startsWith("hugepages-")
                        || key.contains(".storageclass.storage.k8s.io/");
        };
    }

    private void write(ResourceQuota quota, Map<String, Quantity> hard, Map<String, Quantity> used) {
        boolean same = quota.getStatus() != null
                && hard.equals(Objects.requireNonNullElse(quota.getStatus().getHard(), Map.of()))
                && used.equals(Objects.requireNonNullElse(quota.getStatus().getUsed(), Map.of()));
        if (same) {
            return;
        }
        try {
            client.updateStatus(
                    QUOTAS,
                    new ResourceQuotaBuilder(quota)
                            .withNewStatus()
                            .withHard(hard)
                            .withUsed(used)
                            .endStatus()
                            .build());
        } catch (ApiException e) {
            if (!e.isNotFound()) {
                throw e;
            }
        }
    }
}
