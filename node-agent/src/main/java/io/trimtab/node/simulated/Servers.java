package io.trimtab.node.simulated;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Probe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What known servers answer to a probe: a web server by the files it serves, the test image's {@code liveness} by its age. Every
 * other server answers well. Stateless.
 */
final class Servers {
    private Servers() {}

    /**
     * Whether the answer may change while the container runs.
     *
     * @param touched whether the files that a web server serves may be others than those of its image
     */
    static boolean isTelling(Container container, Probe probe, boolean touched) {
        if (probe.getHttpGet() == null) {
            return false;
        }
        return isLiveness(container) || touched && documentRoot(container) != null && isFile(path(probe));
    }

    private static String path(Probe probe) {
        String path = probe.getHttpGet() == null ? null : probe.getHttpGet().getPath();
        return path == null || path.isEmpty() ? "/" : path;
    }

    /** Paths that are likely to be files; what a program behind the server answers to others is not known. */
    private static boolean isFile(String path) {
        return path.endsWith("/") || path.endsWith(".html");
    }

    private static boolean isLiveness(Container container) {
        List<String> words = new ArrayList<>(container.getCommand());
        words.addAll(container.getArgs());
        return Commands.repository(container.getImage()).equals("agnhost") && words.contains("liveness");
    }

    /** Where an image's web server finds what it serves. */
    private static @Nullable String documentRoot(Container container) {
        if (!container.getCommand().isEmpty() || !container.getArgs().isEmpty()) {
            return null;
        }
        return switch (Commands.repository(container.getImage())) {
            case "httpd" -> "/usr/local/apache2/htdocs";
            case "nginx" -> "/usr/share/nginx/html";
            default -> null;
        };
    }

    static boolean answers(Container container, Probe probe, FileView files, Duration age) {
        String path = path(probe);
        if (isLiveness(container)) {
            return !path.startsWith("/healthz") || age.compareTo(Duration.ofSeconds(10)) <= 0;
        }
        String root = documentRoot(container);
        if (root == null || !isFile(path)) {
            return true;
        }
        return files.find(FileView.normal("/", root + "/" + (path.endsWith("/") ? path + "index.html" : path))) != null;
    }

    /** What a server says; empty if it is not known. */
    static Optional<String> get(Container container, String path, FileView files, String hostname) {
        String root = documentRoot(container);
        if (root != null) {
            FileTree.Entry file = files.find(FileView.normal(
                    "/", root + "/" + (path.isEmpty() || path.endsWith("/") ? path + "/index.html" : path)));
            return file == null ? Optional.empty() : Optional.of(file.content());
        }
        if (!Commands.repository(container.getImage()).equals("agnhost")) {
            return Optional.empty();
        }
        List<String> words = new ArrayList<>(container.getCommand());
        words.addAll(container.getArgs());
        if (words.contains("serve-hostname") || words.contains("netexec") && path.startsWith("/hostname")) {
            return Optional.of(hostname);
        }
        return Optional.empty();
    }

    /** Lays out what a web server's image comes with. */
    static void furnish(Container container, FileTree disk) {
        String root = documentRoot(container);
        if (root != null) {
            disk.directories(root.substring(1), 0755);
            disk.put(
                    root.substring(1) + "/index.html",
                    FileTree.Entry.file("<html><body><h1>It works!</h1></body></html>\n", 0644));
        }
    }
}
