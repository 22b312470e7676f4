package io.trimtab.controllers.attachdetach;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.AttachedVolume;
import io.fabric8.kubernetes.api.model.CSIPersistentVolumeSource;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.storage.CSIDriver;
import io.fabric8.kubernetes.api.model.storage.VolumeAttachment;
import io.fabric8.kubernetes.api.model.storage.VolumeAttachmentBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Deletions;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.runtime.Driver;
import io.trimtab.volumes.Volumes;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Makes a VolumeAttachment for each volume of a CSI driver and each node whose pods use it, tells the node when the driver has attached
 * the volume, and deletes the VolumeAttachment when no pod there uses it any more. Looks after nodes only that leave this to a
 * controller, as their annotation says; and after volumes only whose drivers attach.
 */
public final class AttachDetachController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "persistentvolume-attach-detach-controller";

    static final String MANAGED = "volumes.kubernetes.io/controller-managed-attach-detach";
    private static final String ACCOUNT = "attachdetach-controller";
    private static final String OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";
    private static final String BY_CLAIM = "attachedClaim";
    private static final String BY_VOLUME = "attachedVolume";
    private static final ResourceType<VolumeAttachment> ATTACHMENTS = ResourceType.of(VolumeAttachment.class);
    private static final ResourceType<Node> NODES = ResourceType.of(Node.class);

    private final Client client;
    private final Driver driver;
    private final EventRecorder events;
    private final SharedInformer<Pod> pods;
    private final Lister<Node> nodes;
    private final Lister<PersistentVolume> volumes;
    private final Lister<PersistentVolumeClaim> claims;
    private final Lister<CSIDriver> drivers;
    private final SharedInformer<VolumeAttachment> attachments;

    /** Since when no pod of a node uses a volume; by the attachment's name. */
    private final Map<String, Instant> unwanted = new ConcurrentHashMap<>();
    /** Pods that have been told that they wait for another node. */
    private final Set<String> told = ConcurrentHashMap.newKeySet();

    private AttachDetachController(Manager manager) {
        this.client = manager.client(ACCOUNT);
        this.driver = manager.driver();
        this.events = manager.events(ACCOUNT);
        this.pods = manager.informers().informer(Pod.class);
        this.nodes = manager.informers().informer(Node.class).lister();
        this.volumes = manager.informers().informer(PersistentVolume.class).lister();
        this.claims = manager.informers().informer(PersistentVolumeClaim.class).lister();
        this.drivers = manager.informers().informer(CSIDriver.class).lister();
        this.attachments = manager.informers().informer(VolumeAttachment.class);
        pods.addIndex(BY_CLAIM, AttachDetachController::claimKeys);
        attachments.addIndex(
                BY_VOLUME, attachment -> volumeName(attachment).stream().toList());
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        AttachDetachController controller = new AttachDetachController(manager);
        return Controller.of(NAME, PersistentVolume.class)
                .watches(Pod.class, controller::podChanged)
                .watches(PersistentVolumeClaim.class, (change, queue) -> enqueue(change.latest(), queue))
                .watches(
                        VolumeAttachment.class,
                        (change, queue) ->
                                volumeName(change.latest()).ifPresent(name -> queue.add(new Request("", name))))
                .watches(Node.class, controller::nodeChanged)
                .watches(CSIDriver.class, (change, queue) -> {
                    if (!change.isUpdated()) {
                        controller.volumes.list().stream()
                                .filter(volume -> csi(volume) != null)
                                .forEach(volume -> queue.add(Request.of(volume)));
                    }
                })
                .workers(10)
                .reconcile(controller);
    }

    private static List<String> claimKeys(Pod pod) {
        if (pod.getSpec() == null || pod.getSpec().getVolumes().isEmpty()) {
            return List.of();
        }
        List<String> keys = new ArrayList<>();
        for (Volume volume : pod.getSpec().getVolumes()) {
            String claim = Volumes.claimName(pod, volume);
            if (claim != null) {
                keys.add(pod.getMetadata().getNamespace() + "/" + claim);
            }
        }
        return keys;
    }

    private void podChanged(Change<Pod> change, Enqueuer queue) {
        Pod pod = change.latest();
        for (String key : claimKeys(pod)) {
            claims.get(pod.getMetadata().getNamespace(), key.substring(key.indexOf('/') + 1))
                    .ifPresent(claim -> enqueue(claim, queue));
        }
        if (change.isDeleted()) {
            told.removeIf(entry -> entry.startsWith(pod.getMetadata().getUid() + "/"));
        }
    }

    private static void enqueue(PersistentVolumeClaim claim, Enqueuer queue) {
        String volume = Volumes.volumeOf(claim);
        if (!volume.isEmpty()) {
            queue.add(new Request("", volume));
        }
    }

    private void nodeChanged(Change<Node> change, Enqueuer queue) {
        String node = change.latest().getMetadata().getName();
        for (VolumeAttachment attachment : attachments.lister().list()) {
            if (attachment.getSpec().getNodeName().equals(node)) {
                volumeName(attachment).ifPresent(name -> queue.add(new Request("", name)));
            }
        }
        if (change.isCreated()) {
            for (Pod pod : pods.lister().list()) {
                if (node.equals(Pods.nodeName(pod)) && !claimKeys(pod).isEmpty()) {
                    podChanged(new Change<>(null, pod, false), queue);
                }
            }
        }
    }

    private static Optional<String> volumeName(VolumeAttachment attachment) {
        return Optional.ofNullable(attachment.getSpec().getSource()).map(source -> source.getPersistentVolumeName());
    }

    private static @Nullable CSIPersistentVolumeSource csi(PersistentVolume volume) {
        return volume.getSpec() == null ? null : volume.getSpec().getCsi();
    }

    @Override
    public Result reconcile(Request request) {
        PersistentVolume volume = volumes.get(null, request.name()).orElse(null);
        CSIPersistentVolumeSource source = volume == null ? null : csi(volume);
        if (volume == null || source == null || !attaches(source.getDriver())) {
            return Result.done();
        }
        Map<String, List<Pod>> users = users(volume);
        Map<String, AttachPlan.Place> places = new TreeMap<>();
        String uniqueName = "kubernetes.io/csi/" + source.getDriver() + "^" + source.getVolumeHandle();
        Set<String> names = new TreeSet<>(users.keySet());
        for (VolumeAttachment attachment : attachments.lister().byIndex(BY_VOLUME, request.name())) {
            if (attachment.getSpec().getAttacher().equals(source.getDriver())) {
                names.add(attachment.getSpec().getNodeName());
            }
        }
        for (String node : names) {
            places.put(node, place(source, node, uniqueName, users.containsKey(node)));
        }
        AttachPlan.Actions actions = AttachPlan.of(places, isShared(volume), driver.now());
        for (String node : actions.detach()) {
            tellNode(node, uniqueName, false);
            Deletions.ifThere(client, ATTACHMENTS, null, attachmentName(source, node));
            unwanted.remove(attachmentName(source, node));
        }
        for (String node : actions.report()) {
            tellNode(node, uniqueName, true);
            tellPods(users.get(node), volume, "Normal", "SuccessfulAttachVolume", "AttachVolume.Attach succeeded", "");
        }
        actions.attach().forEach(node -> attach(volume, source, node));
        for (String node : actions.blocked()) {
            tellBlocked(volume, node, users);
        }
        tellFailures(volume, source, users);
        return actions.later() == null ? Result.done() : Result.after(actions.later());
    }

    /** Drivers attach unless their CSIDriver says that they do not. */
    private boolean attaches(String name) {
        return drivers.get(null, name)
                .map(found -> found.getSpec() == null
                        || !Boolean.FALSE.equals(found.getSpec().getAttachRequired()))
                .orElse(true);
    }

    private static boolean isShared(PersistentVolume volume) {
        List<String> modes = volume.getSpec().getAccessModes();
        return modes.isEmpty() || modes.contains("ReadWriteMany") || modes.contains("ReadOnlyMany");
    }

    /** The pods that use a volume and have not ended, by the nodes they are on. */
    private Map<String, List<Pod>> users(PersistentVolume volume) {
        Map<String, List<Pod>> users = new TreeMap<>();
        var reference = volume.getSpec().getClaimRef();
        PersistentVolumeClaim claim = reference == null
                ? null
                : claims.get(reference.getNamespace(), reference.getName()).orElse(null);
        if (claim == null
                || !Volumes.volumeOf(claim).equals(volume.getMetadata().getName())) {
            return users;
        }
        for (Pod pod : pods.lister().byIndex(BY_CLAIM, Request.of(claim).toString())) {
            String node = Pods.nodeName(pod);
            if (node != null && !Pods.isTerminal(pod) && isManaged(node)) {
                users.computeIfAbsent(node, n -> new ArrayList<>()).add(pod);
            }
        }
        return users;
    }

    private boolean isManaged(String node) {
        return nodes.get(null, node)
                .map(found -> found.getMetadata().getAnnotations())
                .map(annotations -> "true".equals(annotations.get(MANAGED)))
                .orElse(false);
    }

    private AttachPlan.Place place(
            CSIPersistentVolumeSource source, String nodeName, String uniqueName, boolean wanted) {
        String name = attachmentName(source, nodeName);
        VolumeAttachment attachment = attachments.lister().get(null, name).orElse(null);
        Node node = nodes.get(null, nodeName).orElse(null);
        boolean lost = node == null
                || node.getSpec() != null
                        && node.getSpec().getTaints().stream().anyMatch(taint -> OUT_OF_SERVICE.equals(taint.getKey()));
        boolean ready = node != null
                && node.getStatus() != null
                && node.getStatus().getConditions().stream()
                        .anyMatch(c -> "Ready".equals(c.getType()) && "True".equals(c.getStatus()));
        if (wanted || attachment == null) {
            unwanted.remove(name);
        } else {
            unwanted.putIfAbsent(name, driver.now());
        }
        return new AttachPlan.Place(
                wanted,
                attachment != null,
                attachment != null && attachment.getMetadata().getDeletionTimestamp() != null,
                attachment != null
                        && attachment.getStatus() != null
                        && Boolean.TRUE.equals(attachment.getStatus().getAttached()),
                node != null && isReported(node, uniqueName),
                node != null
                        && node.getStatus() != null
                        && node.getStatus().getVolumesInUse().contains(uniqueName),
                ready,
                lost,
                unwanted.get(name));
    }

    private static boolean isReported(Node node, String uniqueName) {
        return node.getStatus() != null
                && node.getStatus().getVolumesAttached().stream()
                        .anyMatch(volume -> uniqueName.equals(volume.getName()));
    }

    /** The name that the kubelet looks for: {@code csi-} and the digest of what it is about. */
    static String attachmentName(CSIPersistentVolumeSource source, String node) {
        try {
            String text = source.getVolumeHandle() + source.getDriver() + node;
            return "csi-"
                    + HexFormat.of()
                            .formatHex(
                                    MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    private void attach(PersistentVolume volume, CSIPersistentVolumeSource source, String node) {
        try {
            client.create(
                    ATTACHMENTS,
                    new VolumeAttachmentBuilder()
                            .withNewMetadata()
                            .withName(attachmentName(source, node))
                            .endMetadata()
                            .withNewSpec()
                            .withAttacher(source.getDriver())
                            .withNodeName(node)
                            .withNewSource()
                            .withPersistentVolumeName(volume.getMetadata().getName())
                            .endSource()
                            .endSpec()
                            .build());
        } catch (ApiException e) {
            if (!e.isAlreadyExists()) {
                throw e;
            }
        }
    }

    /** Says in the node's status whether the volume is attached. The whole list is written, so it must be as it was read. */
    private void tellNode(String name, String uniqueName, boolean attached) {
        Node node = client.get(NODES, null, name).orElse(null);
        if (node == null || isReported(node, uniqueName) == attached) {
            return;
        }
        ObjectNode body = KubernetesJson.mapper().createObjectNode();
        body.putObject("metadata").put("resourceVersion", node.getMetadata().getResourceVersion());
        ArrayNode list = body.putObject("status").putArray("volumesAttached");
        for (AttachedVolume volume : node.getStatus() == null
                ? List.<AttachedVolume>of()
                : node.getStatus().getVolumesAttached()) {
            if (!uniqueName.equals(volume.getName())) {
                list.addObject()
                        .put("name", volume.getName())
                        .put("devicePath", Objects.toString(volume.getDevicePath(), ""));
            }
        }
        if (attached) {
            list.addObject().put("name", uniqueName).put("devicePath", "");
        }
        client.patchOnly(NODES, null, name, Patch.strategic(body.toString()).on("status"));
    }

    // ---- Events ----------------------------------------------------------------------------------------------------

    private void tellPods(
            @Nullable List<Pod> users, PersistentVolume volume, String type, String reason, String what, String why) {
        if (users != null) {
            for (Pod pod : users) {
                tell(pod, volume, type, reason, what, why);
            }
        }
    }

    private void tell(Pod pod, PersistentVolume volume, String type, String reason, String what, String why) {
        String message = what + " for volume \"" + volume.getMetadata().getName() + "\" " + why;
        events.record(EventRecorder.referenceTo(pod), type, reason, message);
    }

    private void tellBlocked(PersistentVolume volume, String node, Map<String, List<Pod>> users) {
        List<Pod> others = users.entrySet().stream()
                .filter(entry -> !entry.getKey().equals(node))
                .flatMap(entry -> entry.getValue().stream())
                .toList();
        for (Pod pod : users.getOrDefault(node, List.of())) {
            if (told.add(pod.getMetadata().getUid() + "/" + volume.getMetadata().getName())) {
                tell(pod, volume, "Warning", "FailedAttachVolume", "Multi-Attach error", blockers(pod, others));
            }
        }
    }

    private static String blockers(Pod pod, List<Pod> others) {
        if (others.isEmpty()) {
            return "Volume is already exclusively attached to one node and can't be attached to another";
        }
        String namespace = pod.getMetadata().getNamespace();
        List<String> near = others.stream()
                .filter(other -> other.getMetadata().getNamespace().equals(namespace))
                .map(other -> other.getMetadata().getName())
                .toList();
        int far = others.size() - near.size();
        if (near.isEmpty()) {
            return "Volume is already used by " + far + " pod(s) in different namespaces";
        }
        return "Volume is already used by pod(s) " + near.stream().collect(Collectors.joining(", "))
                + (far > 0 ? " and " + far + " pod(s) in different namespaces" : "");
    }

    private void tellFailures(PersistentVolume volume, CSIPersistentVolumeSource source, Map<String, List<Pod>> users) {
        users.forEach((node, waiting) -> attachments
                .lister()
                .get(null, attachmentName(source, node))
                .map(VolumeAttachment::getStatus)
                .filter(status -> !Boolean.TRUE.equals(status.getAttached()) && status.getAttachError() != null)
                .ifPresent(status -> tellPods(
                        waiting,
                        volume,
                        "Warning",
                        "FailedAttachVolume",
                        "AttachVolume.Attach failed",
                        ": " + status.getAttachError().getMessage())));
    }
}
