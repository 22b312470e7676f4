package io.trimtab.node.runtime;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Probe;
import io.trimtab.node.network.ClusterView;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Runs containers for the agent of one or several nodes. Level-based: the agent asks how things are, orders what is missing, and
 * is woken when something has changed. Orders return at once; safe for use by any thread.
 */
public interface ContainerRuntime {

    /** What the node calls it, such as {@code containerd://2.1.0}. */
    String version();

    /** Sets who is told the uid of a pod of which something has changed. Called from any thread; must only schedule. */
    void onChange(Consumer<String> podUid);

    /** Whether it has the handler that a RuntimeClass names; empty for its own. */
    default boolean handles(String handler) {
        return true;
    }

    /** How an image is on a node. */
    ImageState image(String node, String image);

    /**
     * Begins to pull an image onto a node, unless that is going on; a failure is forgotten by this.
     *
     * @param podUid who is told when the image is there, or cannot be had
     */
    void pull(String node, String image, String podUid);

    /** Hears of containers that ran before this process did, as their pod's status tells. A runtime that knows ignores it. */
    default void adopt(Pod pod, List<ContainerState> reported) {}

    /** The containers of a pod that were ever started, ended ones included, the last attempt of each name. */
    List<ContainerState> containers(String podUid);

    /**
     * Tells what the volumes of a pod hold: before its first container starts, and when that has changed. A runtime that mounts
     * real directories may leave what it has.
     */
    default void volumes(Pod pod, Map<String, ContainerSetup.Volume> volumes) {}

    /**
     * Why a volume cannot be mounted: what is at a path of the node is not what it should be.
     *
     * @return by the name of the volume; empty if all can be
     */
    default Map<String, String> unmountable(Pod pod, Map<String, ContainerSetup.Volume> volumes) {
        return Map.of();
    }

    /**
     * Why what a container is to see of a volume cannot be shown to it: its {@code subPath} leads out of the volume.
     *
     * @return as its status says it; null if nothing hinders
     */
    default @Nullable String unprepared(Pod pod, Container container, ContainerSetup setup) {
        return null;
    }

    /** Tells what the containers of a pod may use from now on: the resources that the pod shows are those that it has. */
    default void resized(Pod pod) {}

    /** What a pod has written to its node's disk. */
    default Usage usage(Pod pod) {
        return Usage.NONE;
    }

    /**
     * What is on a node's disk for a pod, in bytes.
     *
     * @param containers what each container has written and printed; empty if nothing can have been
     * @param volumes what is in each empty directory
     */
    record Usage(Map<String, Long> containers, Map<String, Long> volumes) {
        public static final Usage NONE = new Usage(Map.of(), Map.of());
    }

    /**
     * Starts a container, after its image was found present.
     *
     * @param attempt 0 for the first time
     */
    void start(Pod pod, Container container, int attempt, ContainerSetup setup);

    /** Asks a container to end, its hook first, and ends it when the grace period is over. */
    void stop(Pod pod, Container container, Duration grace);

    /** Forgets a pod and ends what still runs. */
    void remove(String podUid);

    /**
     * When a running container is ready, as its probes find it.
     *
     * @return null if it is not, and time alone will not make it so; a moment in the past if it is
     */
    @Nullable
    Instant readyAt(Pod pod, Container container, ContainerState state);

    /** Whether a container's probes must be carried out; otherwise {@link #readyAt} knows what they would find. */
    default boolean isProbed(Pod pod, Container container) {
        return false;
    }

    /**
     * Carries out a probe of a running container once.
     *
     * @return how it went
     */
    default Probed probe(Pod pod, Container container, Probe probe) {
        return Probed.SUCCESS;
    }

    /**
     * How a probe went.
     *
     * @param message why it failed, or what is odd about its success; empty if there is nothing to say
     */
    record Probed(boolean succeeded, String message) {
        public static final Probed SUCCESS = new Probed(true, "");

        public static Probed failed(String why) {
            return new Probed(false, why);
        }
    }

    /**
     * Tells how the cluster looks that the pods are in. A runtime with a network of its own ignores it.
     *
     * @param runs whether a node is one of this process, and alive
     */
    default void network(ClusterView cluster, Predicate<String> runs) {}

    /**
     * How an image is.
     *
     * @param progress how far it is
     * @param message why the pull failed; empty otherwise
     * @param took how long the pull took; null if it was there before
     * @param id the image's digest, once it is present
     */
    record ImageState(
            Progress progress, String message, @Nullable Duration took, String id) {
        public static final ImageState ABSENT = new ImageState(Progress.ABSENT, "", null, "");
        public static final ImageState PULLING = new ImageState(Progress.PULLING, "", null, "");

        /** The steps of a pull. */
        public enum Progress {
            ABSENT,
            PULLING,
            PRESENT,
            FAILED
        }
    }

    /**
     * How a container is.
     *
     * @param id such as {@code containerd://...}
     * @param finishedAt null while it runs
     * @param exitCode counts once it has finished
     * @param reason {@code Completed}, {@code Error}, ...; empty while it runs
     * @param message what it left as its last words; empty if nothing
     */
    record ContainerState(
            String name,
            int attempt,
            String id,
            Instant startedAt,
            @Nullable Instant finishedAt,
            int exitCode,
            String reason,
            String message) {
        public boolean isRunning() {
            return finishedAt == null;
        }
    }
}
