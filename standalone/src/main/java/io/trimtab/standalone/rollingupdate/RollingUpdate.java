package io.trimtab.standalone.rollingupdate;

import static io.trimtab.standalone.rollingupdate.Controllers.note;
import static io.trimtab.standalone.rollingupdate.Controllers.replicas;
import static io.trimtab.standalone.rollingupdate.Controllers.setNote;
import static io.trimtab.standalone.rollingupdate.Controllers.sourceId;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.ReplicationControllerBuilder;
import io.trimtab.client.Client;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Replaces one ReplicationController by another, a pod up and a pod down at a time, so that the wanted number stays available.
 * What is needed to go on after an interruption is noted on the controllers themselves; running the same update again resumes
 * it. Blocks its caller; not for several threads.
 *
 * <p>The algorithm, the notes and the lines it prints are those of {@code kubectl rolling-update} (kubectl 1.17 and before).
 */
public final class RollingUpdate {
    private static final Duration RENAME_POLL = Duration.ofSeconds(5);
    private static final Duration RENAME_TIMEOUT = Duration.ofSeconds(60);

    /**
     * How to go about it.
     *
     * @param updatePeriod between a step up and the step down that follows
     * @param pollInterval between two looks at a size
     * @param timeout without any progress, after which the update is given up
     */
    public record Options(Duration updatePeriod, Duration pollInterval, Duration timeout) {
        public static final Options DEFAULT =
                new Options(Duration.ofMinutes(1), Duration.ofSeconds(3), Duration.ofMinutes(5));
    }

    private static final int MAX_SURGE = 1;
    private static final int MAX_UNAVAILABLE = 0;

    private final Controllers controllers;
    private final Options options;
    private final Consumer<String> out;

    public RollingUpdate(Client client, Driver driver, String namespace, Options options, Consumer<String> out) {
        this.controllers = new Controllers(client, driver, namespace);
        this.options = options;
        this.out = out;
    }

    /**
     * Updates to a controller that is described whole.
     *
     * @param wanted without {@code spec.replicas} it takes over the old one's size
     * @throws RollingUpdateException if it cannot be done
     */
    public void toController(String oldName, ReplicationController wanted) {
        ReplicationController old = controllers.get(oldName);
        ReplicationController copy = new ReplicationControllerBuilder(wanted).build();
        copy.getMetadata().setNamespace(old.getMetadata().getNamespace());
        requireDistinct(old, copy);
        if (copy.getSpec().getReplicas() == null) {
            copy.getSpec().setReplicas(replicas(old));
        }
        run(old, copy, false);
        out.accept("replicationcontroller \"" + oldName + "\" rolling updated to \""
                + copy.getMetadata().getName() + "\"");
    }

    /**
     * Updates the image of a controller's only (or named) container.
     *
     * @param newName null to keep the old name in the end
     */
    public void toImage(String oldName, @Nullable String newName, ImageUpdate.Change change) {
        ImageUpdate update = new ImageUpdate(controllers, out);
        ReplicationController old = controllers.find(oldName).orElse(null);
        if (old == null) {
            // Perhaps a rename was interrupted after the old controller had gone: finish that.
            if (newName != null) {
                controllers.get(oldName);
            }
            rename(update.findBySource(oldName), oldName);
            return;
        }
        ReplicationController next = update.existing(old, newName, change.image());
        if (next == null) {
            next = update.derive(old, newName, change);
        }
        old = update.prepareOld(old, next.getMetadata().getName(), change.deploymentKey());
        requireDistinct(old, next);
        boolean keepName = newName == null;
        run(old, next, keepName);
        out.accept("replicationcontroller \"" + oldName + "\" rolling updated"
                + (keepName ? "" : " to \"" + next.getMetadata().getName() + "\""));
    }

    /**
     * Goes back from an update that was begun.
     *
     * @param newName the controller that is to go again; null to find it by the old one's note
     */
    public void rollback(String oldName, @Nullable String newName) {
        ReplicationController old = controllers.get(oldName);
        String name = newName != null ? newName : note(old, Controllers.NEXT);
        ReplicationController next =
                name == null || name.isEmpty() ? null : controllers.find(name).orElse(null);
        if (next == null) {
            throw new RollingUpdateException("Could not find " + (name == null ? "" : name) + " to rollback.");
        }
        String original = note(old, Controllers.ORIGINAL);
        if (original == null) {
            throw new RollingUpdateException("couldn't find original replica count of \"" + oldName + "\"");
        }
        String source = sourceId(next);
        ReplicationController back = controllers.change(oldName, rc -> {
            setNote(rc, Controllers.SOURCE_ID, source);
            setNote(rc, Controllers.DESIRED, original);
        });
        run(next, back, false);
        out.accept("replicationcontroller \"" + oldName + "\" rolling updated to \"" + oldName + "\"");
    }

    private static void requireDistinct(ReplicationController old, ReplicationController wanted) {
        String oldName = old.getMetadata().getName();
        String name = wanted.getMetadata().getName();
        if (name == null || name.isEmpty() || name.equals(oldName)) {
            throw new RollingUpdateException(
                    name + " cannot have the same name as the existing ReplicationController " + oldName);
        }
        Map<String, String> oldSelector = old.getSpec().getSelector();
        Map<String, String> selector = wanted.getSpec().getSelector() == null
                        || wanted.getSpec().getSelector().isEmpty()
                ? wanted.getSpec().getTemplate().getMetadata().getLabels()
                : wanted.getSpec().getSelector();
        boolean distinct = oldSelector.entrySet().stream()
                .anyMatch(e ->
                        selector.containsKey(e.getKey()) && !Objects.equals(selector.get(e.getKey()), e.getValue()));
        if (!distinct) {
            throw new RollingUpdateException(
                    name + " must specify a matching key with non-equal value in Selector for " + oldName);
        }
    }

    // ---- the loop

    private void run(ReplicationController oldRc, ReplicationController wanted, boolean rename) {
        String oldName = oldRc.getMetadata().getName();
        ReplicationController newRc = getOrCreate(wanted, sourceId(oldRc));
        String newName = newRc.getMetadata().getName();
        int desired = desired(newRc);
        int oldSize = replicas(oldRc);
        if (note(oldRc, Controllers.ORIGINAL) == null) {
            controllers.change(oldName, rc -> setNote(rc, Controllers.ORIGINAL, Integer.toString(replicas(rc))));
        }
        Plan plan = new Plan(desired, MAX_SURGE, desired == 0 ? oldSize : MAX_UNAVAILABLE);
        int newSize = replicas(newRc);
        out.accept("Scaling up " + newName + " from " + newSize + " to " + desired + ", scaling down " + oldName
                + " from " + oldSize + " to 0 (keep " + plan.minAvailable() + " pods available, don't exceed "
                + (desired + MAX_SURGE) + " pods)");
        Instant deadline = controllers.now().plus(options.timeout());
        while (newSize != desired || oldSize != 0) {
            int up = plan.up(newSize, oldSize);
            boolean progress = up != newSize;
            if (up != newSize) {
                out.accept("Scaling " + newName + " up to " + up);
                scale(newName, up);
                newSize = up;
            }
            controllers.sleep(options.updatePeriod());
            int down = plan.down(newSize, oldSize, controllers.readyPods(newRc));
            if (down != oldSize) {
                out.accept("Scaling " + oldName + " down to " + down);
                scale(oldName, down);
                oldSize = down;
                progress = true;
            }
            if (progress) {
                deadline = controllers.now().plus(options.timeout());
            } else if (controllers.now().isAfter(deadline)) {
                throw new RollingUpdateException("timed out waiting for any update progress to be made");
            }
        }
        cleanUp(oldName, newName, rename);
    }

    /**
     * The sizes of the next step. Pure.
     *
     * @param desired of the new controller in the end
     */
    record Plan(int desired, int maxSurge, int maxUnavailable) {
        Plan {
            if (maxSurge == 0 && maxUnavailable == 0) {
                throw new RollingUpdateException("one of maxSurge or maxUnavailable must be specified");
            }
        }

        int minAvailable() {
            return Math.max(0, desired - maxUnavailable);
        }

        /** The size of the new controller, as far as the surge allows. */
        int up(int newSize, int oldSize) {
            int increment = oldSize == 0 ? desired - newSize : desired + maxSurge - (oldSize + newSize);
            if (newSize == desired || increment <= 0) {
                return newSize;
            }
            return Math.min(desired, newSize + increment);
        }

        /** The size of the old controller, as far as enough pods stay available. */
        int down(int newSize, int oldSize, int newAvailable) {
            int decrement = oldSize + newSize - minAvailable() - (newSize - newAvailable);
            if (oldSize == 0 || decrement <= 0) {
                return oldSize;
            }
            return newSize == desired && newAvailable == desired ? 0 : Math.max(0, oldSize - decrement);
        }
    }

    private ReplicationController getOrCreate(ReplicationController wanted, String source) {
        String name = wanted.getMetadata().getName();
        ReplicationController existing = controllers.find(name).orElse(null);
        if (existing != null) {
            String found = note(existing, Controllers.SOURCE_ID);
            if (!source.equals(found)) {
                throw new RollingUpdateException("missing/unexpected annotations for controller \"" + name + "\", "
                        + Controllers.SOURCE_ID + "=" + Objects.requireNonNullElse(found, "") + " expected \"" + source
                        + "\"");
            }
            out.accept("Continuing update with existing controller " + name + ".");
            return existing;
        }
        int size = replicas(wanted);
        if (size <= 0) {
            throw new RollingUpdateException(
                    "invalid creation spec for " + name + "; desired scale " + size + " must be greater than zero");
        }
        setNote(wanted, Controllers.DESIRED, Integer.toString(size));
        setNote(wanted, Controllers.SOURCE_ID, source);
        wanted.getSpec().setReplicas(0);
        ReplicationController created = controllers.create(wanted);
        out.accept("Created " + name);
        return created;
    }

    private static int desired(ReplicationController newRc) {
        String text = note(newRc, Controllers.DESIRED);
        try {
            return Integer.parseInt(Objects.requireNonNullElse(text, ""));
        } catch (NumberFormatException e) {
            throw new RollingUpdateException("Unable to parse annotation for "
                    + newRc.getMetadata().getName() + ": " + Controllers.DESIRED + "=" + text);
        }
    }

    private void scale(String name, int size) {
        controllers.change(name, rc -> rc.getSpec().setReplicas(size));
        if (!controllers.poll(options.pollInterval(), options.timeout(), () -> hasReplicas(name))) {
            throw new RollingUpdateException("timed out waiting for \"" + name + "\" to be synced");
        }
    }

    private boolean hasReplicas(String name) {
        ReplicationController rc = controllers.get(name);
        if (rc.getStatus() == null || rc.getStatus().getObservedGeneration() == null) {
            return false;
        }
        int have = rc.getStatus().getReplicas() == null ? 0 : rc.getStatus().getReplicas();
        return rc.getStatus().getObservedGeneration() >= rc.getMetadata().getGeneration() && have == replicas(rc);
    }

    private void cleanUp(String oldName, String newName, boolean rename) {
        controllers.change(newName, rc -> {
            setNote(rc, Controllers.SOURCE_ID, null);
            setNote(rc, Controllers.DESIRED, null);
        });
        if (!controllers.poll(options.pollInterval(), options.timeout(), () -> hasReplicas(newName))) {
            throw new RollingUpdateException("timed out waiting for \"" + newName + "\" to be synced");
        }
        out.accept("Update succeeded. Deleting " + (rename ? "old controller: " : "") + oldName);
        controllers.delete(oldName, new DeleteOptions());
        if (rename) {
            rename(controllers.get(newName), oldName);
        }
    }

    /** Makes the controller anew under another name; its pods are orphaned and adopted, they do not notice. */
    private void rename(ReplicationController newRc, String name) {
        String former = newRc.getMetadata().getName();
        out.accept("Renaming " + former + " to " + name);
        controllers.delete(
                former,
                new DeleteOptionsBuilder().withPropagationPolicy("Orphan").build());
        if (!controllers.poll(
                RENAME_POLL, RENAME_TIMEOUT, () -> controllers.find(former).isEmpty())) {
            throw new RollingUpdateException("timed out waiting for \"" + former + "\" to be deleted");
        }
        if (!controllers.poll(
                RENAME_POLL, RENAME_TIMEOUT, () -> controllers.find(name).isEmpty())) {
            throw new RollingUpdateException("timed out waiting for \"" + name + "\" to be deleted");
        }
        ReplicationController renamed = new ReplicationControllerBuilder(newRc)
                .editMetadata()
                .withName(name)
                .withResourceVersion(null)
                .withUid(null)
                .withCreationTimestamp(null)
                .withManagedFields()
                .endMetadata()
                .withStatus(null)
                .build();
        setNote(renamed, Controllers.SOURCE_ID, null);
        setNote(renamed, Controllers.DESIRED, null);
        setNote(renamed, Controllers.NEXT, null);
        controllers.create(renamed);
    }
}
