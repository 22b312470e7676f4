package io.trimtab.controllers.namespace;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Discovery;
import io.trimtab.client.Discovery.Served;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Empties a namespace that is being deleted: pods first, then everything else, resource by resource, looking again until nothing
 * is left; then takes the finalizer off, and the API server drops the namespace.
 */
public final class NamespaceController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "namespace-controller";

    private static final ResourceType<Namespace> NAMESPACES = ResourceType.of(Namespace.class);
    private static final String FINALIZER = "kubernetes";
    /** Lets every API server see that the namespace is terminating, before its content is looked at. */
    private static final Duration DELAY = Duration.ofSeconds(5);
    /** Whoever holds a finalizer is given so long before the next look. */
    private static final long FINALIZER_ESTIMATE_SECONDS = 15;

    private final Client client;
    private final Driver driver;

    private NamespaceController(Manager manager) {
        this.client = manager.client(NAME);
        this.driver = manager.driver();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        return Controller.named(NAME)
                .watches(Namespace.class, (change, queue) -> {
                    if (!change.isDeleted() && change.latest().getMetadata().getDeletionTimestamp() != null) {
                        queue.addAfter(Request.of(change.latest()), DELAY);
                    }
                })
                .workers(10)
                .retry(Duration.ofMillis(5), Duration.ofSeconds(60))
                .reconcile(new NamespaceController(manager));
    }

    @Override
    public Result reconcile(Request request) {
        Namespace namespace = client.get(NAMESPACES, null, request.name()).orElse(null);
        if (namespace == null || namespace.getMetadata().getDeletionTimestamp() == null) {
            return Result.done();
        }
        namespace = markTerminating(namespace);
        if (namespace.getSpec() == null || namespace.getSpec().getFinalizers().isEmpty()) {
            return Result.done();
        }
        Remains remains = deleteContent(namespace);
        writeConditions(namespace, remains);
        if (!remains.errors.isEmpty()) {
            throw new IllegalStateException("namespace " + request.name() + ": " + String.join("; ", remains.errors));
        }
        if (remains.estimateSeconds > 0) {
            return Result.after(Duration.ofSeconds(remains.estimateSeconds / 2 + 1));
        }
        finish(request.name());
        return Result.done();
    }

    private Namespace markTerminating(Namespace namespace) {
        if (namespace.getStatus() != null
                && "Terminating".equals(namespace.getStatus().getPhase())) {
            return namespace;
        }
        return client.updateStatus(
                NAMESPACES,
                new NamespaceBuilder(namespace)
                        .editOrNewStatus()
                        .withPhase("Terminating")
                        .endStatus()
                        .build());
    }

    /** On the newest revision: the conditions were written since. */
    private void finish(String name) {
        Namespace namespace = client.get(NAMESPACES, null, name).orElse(null);
        if (namespace == null || namespace.getMetadata().getDeletionTimestamp() == null) {
            return;
        }
        Namespace finished = new NamespaceBuilder(namespace)
                .editSpec()
                .removeFromFinalizers(FINALIZER)
                .endSpec()
                .build();
        try {
            client.updateSubresource(
                    NAMESPACES, null, namespace.getMetadata().getName(), "finalize", finished, Namespace.class);
        } catch (ApiException e) {
            if (!e.isNotFound()) {
                throw e;
            }
        }
    }

    // ---- content

    /** Deletes what there is, and tells what remains. One resource's failure does not keep the others. */
    private Remains deleteContent(Namespace namespace) {
        String name = namespace.getMetadata().getName();
        Remains remains = new Remains();
        long podSeconds = podEstimate(namespace);
        Discovery.Found found = Discovery.preferredResources(client);
        found.failures().forEach(remains::undiscovered);
        List<Served> served = found.resources().stream()
                .filter(s -> s.type().namespaced() && s.can("delete"))
                .toList();
        Served pods = served.stream()
                .filter(s -> s.type().qualifiedName().equals("pods"))
                .findFirst()
                .orElse(null);
        if (pods != null) {
            deleteAll(pods, name, podSeconds, remains);
            if (remains.hasContent()) {
                return remains; // whatever runs may still need the rest
            }
        }
        for (Served resource : served) {
            if (resource != pods) {
                deleteAll(resource, name, podSeconds, remains);
            }
        }
        return remains;
    }

    private void deleteAll(Served resource, String namespace, long podSeconds, Remains remains) {
        try {
            List<GenericKubernetesResource> left = deleteCollection(resource, namespace);
            if (left.isEmpty()) {
                return;
            }
            boolean pods = resource.type().qualifiedName().equals("pods");
            remains.add(resource, left, pods ? podSeconds : 0, namespace);
        } catch (ApiException e) {
            if (e.code() != 404 && e.code() != 405) {
                remains.failed(String.valueOf(e.getMessage()));
            }
        }
    }

    private List<GenericKubernetesResource> deleteCollection(Served resource, String namespace) {
        DeleteOptions options = background();
        if (resource.can("deletecollection")) {
            client.deleteCollection(resource.type(), namespace, options, new ListOptions());
        } else if (resource.can("list")) {
            for (GenericKubernetesResource object : list(resource, namespace)) {
                try {
                    client.delete(
                            resource.type(), namespace, object.getMetadata().getName(), options);
                } catch (ApiException e) {
                    if (!e.isNotFound()) {
                        throw e;
                    }
                }
            }
        }
        return resource.can("list") ? list(resource, namespace) : List.of();
    }

    private List<GenericKubernetesResource> list(Served resource, String namespace) {
        return client.list(resource.type(), namespace, new ListOptionsBuilder().build())
                .items();
    }

    private static DeleteOptions background() {
        return new DeleteOptionsBuilder().withPropagationPolicy("Background").build();
    }

    /** How long the pods may still take: the longest grace of those that have not ended, if that time is not over. */
    private long podEstimate(Namespace namespace) {
        long longest = 0;
        for (Pod pod : client.list(PodControl.PODS, namespace.getMetadata().getName(), new ListOptions())
                .items()) {
            Long grace = pod.getSpec() == null ? null : pod.getSpec().getTerminationGracePeriodSeconds();
            if (!Pods.isTerminal(pod) && grace != null) {
                longest = Math.max(longest, grace);
            }
        }
        Instant since = Objects.requireNonNull(Pods.time(namespace.getMetadata().getDeletionTimestamp()));
        return since.plusSeconds(longest).isBefore(driver.now()) ? 0 : longest;
    }

    /** What a pass could not get rid of. Belongs to one reconcile. */
    private static final class Remains {
        final List<String> errors = new ArrayList<>();
        final NamespaceConditions.Findings findings = new NamespaceConditions.Findings();
        long estimateSeconds;

        boolean hasContent() {
            return !findings.remaining.isEmpty() || !findings.contentFailures.isEmpty();
        }

        void undiscovered(String failure) {
            findings.discoveryFailures.add(failure);
            errors.add(failure);
        }

        void failed(String failure) {
            findings.contentFailures.add(failure);
            errors.add(failure);
        }

        void add(Served resource, List<GenericKubernetesResource> left, long seconds, String namespace) {
            String group = resource.type().group();
            // The core group prints with a trailing dot, as Kubernetes does.
            String label = resource.type().plural() + "." + group;
            findings.remaining.put(label, left.size());
            boolean held = false;
            for (GenericKubernetesResource object : left) {
                for (String finalizer : object.getMetadata().getFinalizers()) {
                    findings.finalizers.merge(finalizer, 1, Integer::sum);
                    held = true;
                }
            }
            long estimate = seconds > 0 ? seconds : held ? FINALIZER_ESTIMATE_SECONDS : 0;
            estimateSeconds = Math.max(estimateSeconds, estimate);
            if (estimate == 0) {
                failed("unexpected items still remain in namespace: " + namespace + " for gvr: " + group + "/"
                        + resource.type().version() + ", Resource="
                        + resource.type().plural());
            }
        }
    }

    private void writeConditions(Namespace namespace, Remains remains) {
        var conditions = NamespaceConditions.merge(
                namespace.getStatus() == null
                        ? List.of()
                        : namespace.getStatus().getConditions(),
                remains.findings,
                Pods.time(driver.now()));
        if (namespace.getStatus() != null
                && conditions.equals(namespace.getStatus().getConditions())) {
            return;
        }
        try {
            Namespace current = client.get(
                            NAMESPACES, null, namespace.getMetadata().getName())
                    .orElse(null);
            if (current != null) {
                client.updateStatus(
                        NAMESPACES,
                        new NamespaceBuilder(current)
                                .editOrNewStatus()
                                .withConditions(conditions)
                                .endStatus()
                                .build());
            }
        } catch (ApiException e) {
            if (!e.isConflict() && !e.isNotFound()) {
                throw e;
            }
        }
    }
}
