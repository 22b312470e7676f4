package io.trimtab.node.runtime;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What a container is started with, resolved by the agent from its pod: references read, variables expanded. Immutable.
 *
 * @param command after expansion; empty: the image's own
 * @param args after expansion; empty: the image's own
 * @param variables in the order in which they were declared, with those of services; made when asked for, since a namespace may
 *     have thousands of services, and most programs of a simulation never look
 * @param hostname of the pod
 * @param mounts where volumes are put
 */
public record ContainerSetup(
        List<String> command,
        List<String> args,
        Supplier<Map<String, String>> variables,
        String hostname,
        List<VolumeMount> mounts) {

    public Map<String, String> environment() {
        return variables.get();
    }

    /**
     * A volume in its place.
     *
     * @param volume its name in the pod
     * @param path where in the container
     * @param subPath what of the volume; empty for all
     */
    public record VolumeMount(String volume, String path, String subPath, boolean readOnly) {}

    /** What a volume holds when the pod's containers see it. */
    public sealed interface Volume {

        /**
         * An empty directory of the pod's own.
         *
         * @param memory whether it is in memory
         */
        record Empty(boolean memory) implements Volume {}

        /**
         * A path of the node; pods that name the same share it.
         *
         * @param type what must be there, as {@code hostPath.type} says it; {@code Local} if there must be something, empty if
         *     there need not
         */
        record Host(String path, String type) implements Volume {}

        /** A claimed volume, by what identifies it; pods that claim the same share it. */
        record Claimed(String identity) implements Volume {}

        /** Files that the agent wrote, by path; bytes as Latin-1 text. */
        record Files(Map<String, File> files) implements Volume {}

        /** Files that are made when somebody looks: most programs never ask who they are, and a token costs a request. */
        record Later(Supplier<Map<String, File>> files) implements Volume {}

        /** A file of a volume. */
        record File(String content, int mode) {}
    }
}
