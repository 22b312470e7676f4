package io.trimtab.controllers.resourceclaim;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodResourceClaim;
import io.fabric8.kubernetes.api.model.resource.v1.DeviceRequest;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaim;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimBuilder;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimConsumerReference;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimConsumerReferenceBuilder;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimStatus;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimTemplate;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Deletions;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Finalizers;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.controllers.resourceclaim.PodClaims.Reference;
import io.trimtab.controllers.resourceclaim.PodClaims.State;
import io.trimtab.events.EventRecorder;
import io.trimtab.features.FeatureGates;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * ResourceClaims for pods. One queue looks at pods: makes claims from the templates they name, writes their names into the pod's
 * status, and reserves allocated claims for pods that are on a node without the scheduler's doing. The other looks at claims: takes
 * pods off that need them no more, gives devices back when the last one goes, and deletes claims whose pod is done.
 */
public final class ResourceClaimController {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "resourceclaim-controller";

    static final String FINALIZER = "resource.kubernetes.io/delete-protection";
    static final String POD_CLAIM = "resource.kubernetes.io/pod-claim-name";
    private static final String FIELD_MANAGER = "ResourceClaimController";
    private static final String BY_CLAIM = "resourceClaim";
    private static final String BY_OWNER = "podOwner";
    /** A name of 63 characters, less a dash and the five that the server adds. */
    private static final int MAX_BASE = 57;

    private static final ResourceType<ResourceClaim> CLAIMS = ResourceType.of(ResourceClaim.class);

    private final Client client;
    private final EventRecorder events;
    private final FeatureGates features;
    private final SharedInformer<Pod> pods;
    private final SharedInformer<ResourceClaim> claims;
    private final Lister<ResourceClaimTemplate> templates;

    private ResourceClaimController(Manager manager, FeatureGates features) {
        this.client = manager.client("resource-claim-controller");
        this.events = manager.events("resource_claim");
        this.features = features;
        this.pods = manager.informers().informer(Pod.class);
        this.claims = manager.informers().informer(ResourceClaim.class);
        this.templates =
                manager.informers().informer(ResourceClaimTemplate.class).lister();
        pods.addIndex(BY_CLAIM, PodClaims::keys);
        claims.addIndex(BY_OWNER, PodClaims::ownerUids);
    }

    /**
     * Adds the controller to a manager.
     *
     * @param features whether claims may ask for administrative access and for alternatives
     */
    public static void addTo(Manager manager, FeatureGates features) {
        ResourceClaimController controller = new ResourceClaimController(manager, features);
        manager.add(Controller.of(NAME, ResourceClaim.class)
                .watches(Pod.class, controller::claimsOf)
                .workers(10)
                .reconcile(controller::claim));
        manager.add(Controller.<Pod>of(
                        NAME + "-pods",
                        PodControl.PODS,
                        change -> !change.isDeleted() && controller.needsWork(change.latest()))
                .watches(ResourceClaim.class, controller::podsOf)
                .workers(10)
                .reconcile(controller::pod));
    }

    // ---- Pods ------------------------------------------------------------------------------------------------------

    private void podsOf(Change<ResourceClaim> change, Enqueuer queue) {
        String key = Request.of(change.latest()).toString();
        for (Pod pod : pods.lister().byIndex(BY_CLAIM, key)) {
            if (needsWork(pod)) {
                queue.add(Request.of(pod));
            }
        }
    }

    private boolean needsWork(Pod pod) {
        // One that has ended needs no claim: what was made for it has just been deleted, and would be again and again.
        if (Pods.isDeleting(pod) || PodClaims.isDone(pod)) {
            return false;
        }
        for (PodResourceClaim entry : PodClaims.entries(pod)) {
            Reference reference = PodClaims.reference(pod, entry);
            if (reference.state() != State.NAMED) {
                return reference.state() == State.NOT_MADE;
            }
            ResourceClaim claim = find(pod, reference);
            if (claim == null) {
                return entry.getResourceClaimTemplateName() != null;
            }
            if (reference.made() && PodClaims.notOwned(pod, claim) != null) {
                return false; // until somebody deletes that claim
            }
            if (Pods.nodeName(pod) != null && PodClaims.isAllocated(claim) && !PodClaims.isReservedFor(claim, pod)) {
                return true;
            }
        }
        return false;
    }

    private @Nullable ResourceClaim find(Pod pod, Reference reference) {
        return claims.lister()
                .get(pod.getMetadata().getNamespace(), Objects.requireNonNull(reference.name()))
                .orElse(null);
    }

    private Result pod(Request request) {
        Pod pod = pods.lister().get(request.namespace(), request.name()).orElse(null);
        if (pod == null || Pods.isDeleting(pod) || PodClaims.isDone(pod)) {
            return Result.done();
        }
        Map<String, String> made = new LinkedHashMap<>();
        boolean changed = false;
        for (PodResourceClaim entry : PodClaims.entries(pod)) {
            try {
                changed |= make(pod, entry, made);
            } catch (IllegalStateException | ApiException e) {
                String problem = "PodResourceClaim " + entry.getName() + ": " + e.getMessage();
                events.warning(pod, "FailedResourceClaimCreation", problem);
                throw new IllegalStateException("pod " + request + ", " + problem, e);
            }
        }
        if (changed) {
            tellPod(pod, made);
        }
        if (Pods.nodeName(pod) != null) {
            reserve(pod);
        }
        return Result.done();
    }

    /** Sees to it that an entry has its claim. Notes the name, and returns whether the pod does not know it yet. */
    private boolean make(Pod pod, PodResourceClaim entry, Map<String, String> made) {
        Reference reference = PodClaims.reference(pod, entry);
        if (reference.state() == State.NOT_NEEDED) {
            return false;
        }
        if (reference.state() == State.NAMED) {
            ResourceClaim claim = find(pod, reference);
            if (claim != null && (!reference.made() || PodClaims.notOwned(pod, claim) == null)) {
                if (reference.made()) {
                    made.put(entry.getName(), claim.getMetadata().getName());
                }
                return false;
            }
        }
        if (entry.getResourceClaimTemplateName() == null) {
            return false; // somebody has to make it
        }
        // One that was made before the pod could be told.
        String uid = pod.getMetadata().getUid();
        ResourceClaim claim = claims.lister().byIndex(BY_OWNER, uid).stream()
                .filter(owned -> entry.getName().equals(annotations(owned).get(POD_CLAIM)))
                .findFirst()
                .orElse(null);
        if (claim == null) {
            claim = create(pod, entry);
        }
        made.put(entry.getName(), claim.getMetadata().getName());
        return true;
    }

    private static Map<String, String> annotations(ResourceClaim claim) {
        Map<String, String> annotations = claim.getMetadata().getAnnotations();
        return annotations == null ? Map.of() : annotations;
    }

    private ResourceClaim create(Pod pod, PodResourceClaim entry) {
        String templateName = entry.getResourceClaimTemplateName();
        ResourceClaimTemplate template = templates
                .get(pod.getMetadata().getNamespace(), templateName)
                .orElseThrow(() -> new IllegalStateException("resource claim template \"" + templateName
                        + "\": resourceclaimtemplate.resource.k8s.io \"" + templateName + "\" not found"));
        refuseWhatIsOff(template);
        var head = template.getSpec().getMetadata();
        Map<String, String> annotations = new HashMap<>();
        if (head != null && head.getAnnotations() != null) {
            annotations.putAll(head.getAnnotations());
        }
        annotations.put(POD_CLAIM, entry.getName());
        ResourceClaim claim = new ResourceClaimBuilder()
                .withNewMetadata()
                .withNamespace(pod.getMetadata().getNamespace())
                .withGenerateName(baseName(pod.getMetadata().getName(), entry.getName()))
                .withAnnotations(annotations)
                .withLabels(head == null ? null : head.getLabels())
                .addNewOwnerReference()
                .withApiVersion("v1")
                .withKind("Pod")
                .withName(pod.getMetadata().getName())
                .withUid(pod.getMetadata().getUid())
                .withController(true)
                .withBlockOwnerDeletion(true)
                .endOwnerReference()
                .endMetadata()
                .withSpec(template.getSpec().getSpec())
                .build();
        try {
            return client.create(CLAIMS, claim);
        } catch (ApiException e) {
            throw new IllegalStateException("create ResourceClaim : " + e.getMessage(), e);
        }
    }

    private void refuseWhatIsOff(ResourceClaimTemplate template) {
        var devices = template.getSpec().getSpec() == null
                ? null
                : template.getSpec().getSpec().getDevices();
        List<DeviceRequest> requests = devices == null ? List.of() : devices.getRequests();
        if (!features.enabled("DRAAdminAccess")
                && requests.stream()
                        .anyMatch(request -> request.getExactly() != null
                                && Boolean.TRUE.equals(request.getExactly().getAdminAccess()))) {
            throw new IllegalStateException("admin access is requested, but the feature is disabled");
        }
        if (!features.enabled("DRAPrioritizedList")
                && requests.stream()
                        .anyMatch(request -> !request.getFirstAvailable().isEmpty())) {
            throw new IllegalStateException(
                    "template includes a prioritized list of subrequests, but the feature is disabled");
        }
    }

    /** What the claim's name begins with: both names, each shortened alike if they are too long together. */
    static String baseName(String pod, String claim) {
        String whole = pod + "-" + claim + "-";
        int length = whole.length();
        return length <= MAX_BASE
                ? whole
                : pod.substring(0, pod.length() * MAX_BASE / length) + "-"
                        + claim.substring(0, claim.length() * MAX_BASE / length);
    }

    private void tellPod(Pod pod, Map<String, String> made) {
        ObjectNode body = KubernetesJson.mapper().createObjectNode();
        body.put("apiVersion", "v1").put("kind", "Pod");
        body.putObject("metadata")
                .put("name", pod.getMetadata().getName())
                .put("namespace", pod.getMetadata().getNamespace());
        ArrayNode statuses = body.putObject("status").putArray("resourceClaimStatuses");
        made.forEach((entry, claim) -> statuses.addObject().put("name", entry).put("resourceClaimName", claim));
        client.patchOnly(
                PodControl.PODS,
                pod.getMetadata().getNamespace(),
                pod.getMetadata().getName(),
                Patch.apply(body.toString(), FIELD_MANAGER, true).on("status"));
    }

    /** The scheduler reserves for pods it places; this is for the others. */
    private void reserve(Pod pod) {
        for (PodResourceClaim entry : PodClaims.entries(pod)) {
            Reference reference = PodClaims.reference(pod, entry);
            if (reference.state() == State.NOT_MADE) {
                return; // the pod's status has just been written, and wakes us again
            }
            ResourceClaim claim = reference.state() == State.NAMED ? find(pod, reference) : null;
            if (claim == null) {
                continue;
            }
            String problem = reference.made() ? PodClaims.notOwned(pod, claim) : null;
            if (problem != null) {
                throw new IllegalStateException(problem);
            }
            if (PodClaims.isAllocated(claim) && !PodClaims.isReservedFor(claim, pod)) {
                ResourceClaim changed = KubernetesJson.copy(claim);
                changed.getStatus()
                        .getReservedFor()
                        .add(new ResourceClaimConsumerReferenceBuilder()
                                .withResource("pods")
                                .withName(pod.getMetadata().getName())
                                .withUid(pod.getMetadata().getUid())
                                .build());
                client.updateStatus(CLAIMS, changed);
            }
        }
    }

    // ---- Claims ----------------------------------------------------------------------------------------------------

    /** The claims of a pod that needs them no more. */
    private void claimsOf(Change<Pod> change, Enqueuer queue) {
        Pod pod = change.latest();
        if (!PodClaims.entries(pod).isEmpty() && (change.isDeleted() || PodClaims.isDone(pod))) {
            for (PodResourceClaim entry : PodClaims.entries(pod)) {
                String name = PodClaims.reference(pod, entry).name();
                if (name != null) {
                    queue.add(new Request(pod.getMetadata().getNamespace(), name));
                }
            }
        }
    }

    private Result claim(Request request) {
        ResourceClaim claim =
                claims.lister().get(request.namespace(), request.name()).orElse(null);
        if (claim == null) {
            return Result.done();
        }
        List<ResourceClaimConsumerReference> users =
                claim.getStatus() == null ? List.of() : claim.getStatus().getReservedFor();
        List<ResourceClaimConsumerReference> valid = new ArrayList<>();
        for (ResourceClaimConsumerReference user : users) {
            if (mayStillUse(claim, user)) {
                valid.add(user);
            }
        }
        boolean held = Finalizers.has(claim, FINALIZER);
        if (valid.size() < users.size()) {
            ResourceClaim changed = KubernetesJson.copy(claim);
            changed.getStatus().setReservedFor(valid);
            if (valid.isEmpty() && held) {
                changed.getStatus().setAllocation(null);
            }
            release(client.updateStatus(CLAIMS, changed));
        } else if (held && Finalizers.isDeleting(claim) && valid.isEmpty()) {
            ResourceClaim changed = KubernetesJson.copy(claim);
            if (PodClaims.isAllocated(changed)) {
                changed.getStatus().setAllocation(null);
                changed = client.updateStatus(CLAIMS, changed);
            }
            release(changed);
        }
        if (valid.isEmpty()) {
            deleteIfDone(claim);
        }
        return Result.done();
    }

    /** Lets go of a claim that has no devices. */
    private void release(ResourceClaim claim) {
        ResourceClaimStatus status = claim.getStatus();
        if (status == null || status.getAllocation() == null) {
            Finalizers.remove(client, CLAIMS, claim, FINALIZER);
        }
    }

    private boolean mayStillUse(ResourceClaim claim, ResourceClaimConsumerReference user) {
        boolean core = user.getApiGroup() == null || user.getApiGroup().isEmpty();
        if (!core || !"pods".equals(user.getResource())) {
            throw new IllegalStateException("unsupported ReservedFor entry: " + user);
        }
        String namespace = claim.getMetadata().getNamespace();
        Pod cached = pods.lister().get(namespace, user.getName()).orElse(null);
        if (cached != null) {
            return cached.getMetadata().getUid().equals(user.getUid()) && !PodClaims.isDone(cached);
        }
        // The cache may not know it yet: the scheduler reserves before anybody hears of the pod.
        return client.get(PodControl.PODS, namespace, user.getName())
                .filter(pod -> pod.getMetadata().getUid().equals(user.getUid()))
                .isPresent();
    }

    /** A claim that was made for a pod goes when that is done, even if the pod itself stays for a while. */
    private void deleteIfDone(ResourceClaim claim) {
        var owner = PodClaims.owner(claim).orElse(null);
        Pod pod = owner == null
                ? null
                : pods.lister()
                        .get(claim.getMetadata().getNamespace(), owner.getName())
                        .orElse(null);
        // Of pods that are not there, the garbage collector thinks.
        if (owner == null || pod == null || Finalizers.isDeleting(claim)) {
            return;
        }
        if (!pod.getMetadata().getUid().equals(owner.getUid()) || PodClaims.isDone(pod)) {
            Deletions.ifThere(client, CLAIMS, claim);
        }
    }
}
