package io.trimtab.standalone.rollingupdate;

import static io.trimtab.standalone.rollingupdate.Controllers.mutable;
import static io.trimtab.standalone.rollingupdate.Controllers.note;
import static io.trimtab.standalone.rollingupdate.Controllers.setNote;

import com.google.common.hash.Hashing;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.ReplicationControllerBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Derives the next ReplicationController from the present one and a new image, and tells the pods of the two apart. */
public final class ImageUpdate {
    private final Controllers controllers;
    private final Consumer<String> out;

    ImageUpdate(Controllers controllers, Consumer<String> out) {
        this.controllers = controllers;
        this.out = out;
    }

    /**
     * What is to change.
     *
     * @param container which container; null if there is only one
     * @param pullPolicy null to keep it; needed when the image stays the same
     * @param deploymentKey the label that tells the pods of the two controllers apart
     */
    public record Change(
            String image,
            @Nullable String container,
            @Nullable String pullPolicy,
            String deploymentKey) {}

    /** The controller of an update that was begun before; null if there is none. */
    @Nullable
    ReplicationController existing(ReplicationController old, @Nullable String newName, String image) {
        String name = newName != null ? newName : note(old, Controllers.NEXT);
        if (name == null || name.isEmpty()) {
            return null;
        }
        ReplicationController found = controllers.find(name).orElse(null);
        if (found == null) {
            return null;
        }
        String inProgress =
                found.getSpec().getTemplate().getSpec().getContainers().get(0).getImage();
        if (!image.equals(inProgress)) {
            throw new RollingUpdateException("Found existing in-progress update to image (" + inProgress
                    + ").\nEither continue in-progress update with --image=" + inProgress
                    + " or rollback with --rollback");
        }
        out.accept("Found existing update in progress (" + name + "), resuming.");
        return found;
    }

    /** The next controller: the same, but for the image, the name and the label. */
    ReplicationController derive(ReplicationController old, @Nullable String newName, Change change) {
        ReplicationController next = new ReplicationControllerBuilder(old)
                .withNewMetadata()
                .withNamespace(old.getMetadata().getNamespace())
                .withLabels(old.getMetadata().getLabels())
                .endMetadata()
                .withStatus(null)
                .build();
        Container container = container(next, change.container());
        boolean sameImage = change.image().equals(container.getImage());
        if (sameImage && change.pullPolicy() == null) {
            throw new RollingUpdateException("--image-pull-policy (Always|Never|IfNotPresent) must be provided when"
                    + " --image is the same as existing container image");
        }
        container.setImage(change.image());
        if (change.pullPolicy() != null) {
            container.setImagePullPolicy(change.pullPolicy());
        }
        String hash = hash(next);
        String known = newName != null ? newName : note(old, Controllers.NEXT);
        String name =
                known != null && !known.isEmpty() ? known : old.getMetadata().getName() + "-" + hash;
        next.getMetadata().setName(name);
        Map<String, String> selector = mutable(next.getSpec().getSelector());
        selector.put(change.deploymentKey(), hash);
        next.getSpec().setSelector(selector);
        Map<String, String> labels =
                mutable(next.getSpec().getTemplate().getMetadata().getLabels());
        labels.put(change.deploymentKey(), hash);
        next.getSpec().getTemplate().getMetadata().setLabels(labels);
        return next;
    }

    private static Container container(ReplicationController controller, @Nullable String name) {
        List<Container> containers =
                controller.getSpec().getTemplate().getSpec().getContainers();
        if (name != null) {
            return containers.stream()
                    .filter(c -> name.equals(c.getName()))
                    .findFirst()
                    .orElseThrow(() -> new RollingUpdateException("container " + name + " not found in pod"));
        }
        if (containers.size() > 1) {
            throw new RollingUpdateException("must specify container to update when updating a multi-container pod");
        }
        return containers.get(0);
    }

    /**
     * Notes the next controller on the old one and, if its selector does not have the label, adds it: first to the template,
     * then to the pods that are there, then to the selector, and last the pods that came between without it are deleted.
     */
    ReplicationController prepareOld(ReplicationController old, String nextName, String key) {
        String name = old.getMetadata().getName();
        if (old.getSpec().getSelector().containsKey(key)) {
            return controllers.change(name, rc -> setNote(rc, Controllers.NEXT, nextName));
        }
        String value = hash(old) + "-orig";
        Map<String, String> selector = Map.copyOf(old.getSpec().getSelector());
        controllers.change(name, rc -> {
            setNote(rc, Controllers.NEXT, nextName);
            Map<String, String> labels =
                    mutable(rc.getSpec().getTemplate().getMetadata().getLabels());
            labels.put(key, value);
            rc.getSpec().getTemplate().getMetadata().setLabels(labels);
        });
        for (Pod pod : controllers.pods(selector)) {
            controllers.labelPod(pod.getMetadata().getName(), key, value);
        }
        ReplicationController changed = controllers.change(name, rc -> {
            Map<String, String> wider = mutable(rc.getSpec().getSelector());
            wider.put(key, value);
            rc.getSpec().setSelector(wider);
        });
        for (Pod pod : controllers.pods(selector)) {
            if (!Objects.equals(mutable(pod.getMetadata().getLabels()).get(key), value)) {
                controllers.deletePod(pod.getMetadata().getName());
            }
        }
        return changed;
    }

    /** The controller that an interrupted rename left behind. */
    ReplicationController findBySource(String oldName) {
        for (ReplicationController controller : controllers.all()) {
            String source = note(controller, Controllers.SOURCE_ID);
            if (source != null && source.startsWith(oldName + ":")) {
                return controller;
            }
        }
        throw new RollingUpdateException("couldn't find a replication controller with source id == " + oldName);
    }

    private static String hash(ReplicationController controller) {
        // Any digest will do that fits into a label; 128 bits in hex are 32 of its 63 characters.
        return Hashing.murmur3_128()
                .hashString(Serialization.asJson(controller), StandardCharsets.UTF_8)
                .toString();
    }
}
