package io.trimtab.node.simulated;

import io.fabric8.kubernetes.api.model.Container;
import io.trimtab.node.runtime.ContainerSetup;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is known of images: what they run if a container does not say. Stateless. */
final class Images {
    /** Images whose own command is a shell, which ends at once without input, or which only say hello. */
    private static final Set<String> IDLE = Set.of(
            "busybox", "alpine", "ubuntu", "debian", "centos", "fedora", "bash", "hello-world", "perl", "python");

    private Images() {}

    /** The words of a container's program; null if it is a server of which no more is known. */
    static @Nullable List<String> words(Container container, ContainerSetup setup) {
        String image = Commands.repository(container.getImage());
        List<String> words = new ArrayList<>(setup.command());
        if (words.isEmpty()) {
            if (image.equals("agnhost")) {
                words.add("/agnhost");
                words.addAll(setup.args().isEmpty() ? List.of("pause") : setup.args());
                return words;
            }
            if (image.equals("nonewprivs")) {
                words.add("/nnp");
                return words;
            }
            if (!IDLE.contains(image)) {
                return null;
            }
        }
        words.addAll(setup.args());
        if (words.isEmpty()) {
            words.add("sh");
        }
        return words;
    }

    /** The groups that an image puts a user in, the first one first; empty if it does not know the user. */
    static List<String> groups(@Nullable String image, int user) {
        boolean known = image != null && Commands.repository(image).equals("agnhost") && user == 1000;
        return known ? List.of("1000", "50000") : List.of();
    }

    /** As whom an image runs that no pod says it for. */
    static int user(@Nullable String image) {
        return image != null && Commands.repository(image).equals("nonroot") ? 1234 : 0;
    }

    /** Whether a program ends well when it is told to. */
    static boolean isServer(@Nullable List<String> words) {
        if (words == null) {
            return true;
        }
        String program = words.get(0).substring(words.get(0).lastIndexOf('/') + 1);
        return !Set.of("sh", "bash", "ash", "dash", "sleep", "tail", "cat").contains(program);
    }
}
