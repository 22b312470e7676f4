package io.trimtab.node.simulated;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Probe;
import io.trimtab.node.network.Listener;
import io.trimtab.node.network.Outlet;
import io.trimtab.node.network.Peer;
import io.trimtab.node.network.Protocol;
import io.trimtab.node.network.Session;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the servers of well-known images answer, and those of which nothing is known. A container's annotation
 * {@link Simulation#SERVES} comes first. Stateless.
 *
 * <p>A server of which nothing is known listens at the ports that its container declares or that its probes ask, at any port if
 * there are none, and tells every HTTP client its pod's name: enough to see where traffic goes.
 */
final class ImageServers {
    private static final String HTML = "text/html";
    private static final Set<String> STATIC = Set.of("nginx", "httpd", "nautilus", "kitten");

    /** The ports of well-known images, which they have whether or not a container declares them. */
    private static final Map<String, List<Integer>> WEB = Map.ofEntries(
            Map.entry("nginx", List.of(80)),
            Map.entry("httpd", List.of(80)),
            Map.entry("nautilus", List.of(80)),
            Map.entry("kitten", List.of(80)),
            Map.entry("caddy", List.of(80)),
            Map.entry("whoami", List.of(80)),
            Map.entry("wordpress", List.of(80)),
            Map.entry("tomcat", List.of(8080)),
            Map.entry("tomcat-app", List.of(8080)),
            Map.entry("jetty", List.of(8080)),
            Map.entry("jenkins", List.of(8080)),
            Map.entry("echoserver", List.of(8080)),
            Map.entry("hello-app", List.of(8080)),
            Map.entry("kubernetes-bootcamp", List.of(8080)),
            Map.entry("podinfo", List.of(9898)),
            Map.entry("grafana", List.of(3000)),
            Map.entry("prometheus", List.of(9090)),
            Map.entry("registry", List.of(5000)),
            Map.entry("http-echo", List.of(5678)),
            Map.entry("etcd", List.of(2379)));

    private static final Map<String, Integer> PLAIN = Map.of(
            "redis", 6379,
            "mysql", 3306,
            "mariadb", 3306,
            "postgres", 5432,
            "mongo", 27017,
            "memcached", 11211,
            "rabbitmq", 5672,
            "zookeeper", 2181);

    private ImageServers() {}

    /**
     * A container that runs.
     *
     * @param files what it sees of files; costly, so asked for only when a server reads them
     */
    record Place(Container container, String hostname, List<String> words, Supplier<FileView> files) {}

    /** What listens at a port by what is known of the image. */
    static Optional<Listener> listener(Place place, Protocol protocol, int port) {
        Container container = place.container();
        String image = Commands.repository(container.getImage());
        if (protocol == Protocol.TCP && image.equals("http-echo") && port == echoPort(place.words())) {
            String text = flag(place.words(), "text", "hello-world");
            return Optional.of(Http.listener(r -> Http.Reply.text(text + "\n")));
        }
        if (!isOpen(container, image, protocol, port)) {
            return Optional.empty();
        }
        if (protocol != Protocol.TCP) {
            return Optional.of((peer, outlet) -> bytes -> {});
        }
        if (STATIC.contains(image)) {
            return Optional.of(Http.listener(request -> file(place, image, request)));
        }
        if (PLAIN.containsKey(image)) {
            return Optional.of(image.equals("redis") ? ImageServers::redis : (peer, outlet) -> bytes -> {});
        }
        return Optional.of(Http.listener(request -> about(place, request)));
    }

    private static boolean isOpen(Container container, String image, Protocol protocol, int port) {
        if (protocol == Protocol.TCP
                && (WEB.getOrDefault(image, List.of()).contains(port)
                        || Integer.valueOf(port).equals(PLAIN.get(image)))) {
            return true;
        }
        boolean declared = false;
        for (ContainerPort candidate : container.getPorts()) {
            declared = true;
            if (candidate.getContainerPort() == port && Protocol.of(candidate.getProtocol()) == protocol) {
                return true;
            }
        }
        for (Probe probe :
                new Probe[] {container.getStartupProbe(), container.getReadinessProbe(), container.getLivenessProbe()
                }) {
            Integer asked = port(container, probe);
            if (asked != null) {
                declared = true;
                if (asked == port && protocol == Protocol.TCP) {
                    return true;
                }
            }
        }
        return !declared && !WEB.containsKey(image) && !PLAIN.containsKey(image) && protocol == Protocol.TCP;
    }

    /** The port that a probe asks; null if it asks none. */
    static @Nullable Integer port(Container container, @Nullable Probe probe) {
        if (probe == null) {
            return null;
        }
        if (probe.getGrpc() != null) {
            return probe.getGrpc().getPort();
        }
        IntOrString port = probe.getHttpGet() != null
                ? probe.getHttpGet().getPort()
                : probe.getTcpSocket() != null ? probe.getTcpSocket().getPort() : null;
        if (port == null) {
            return null;
        }
        if (port.getStrVal() == null) {
            return port.getIntVal();
        }
        return container.getPorts().stream()
                .filter(p -> port.getStrVal().equals(p.getName()))
                .map(ContainerPort::getContainerPort)
                .findFirst()
                .orElse(null);
    }

    private static int echoPort(List<String> words) {
        String listen = flag(words, "listen", ":5678");
        return Programs.number(listen.substring(listen.indexOf(':') + 1));
    }

    /** The value of a flag, in any of the forms that Go programs take. */
    static String flag(List<String> words, String name, String otherwise) {
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i).replaceFirst("^--?", "");
            if (words.get(i).startsWith("-")) {
                if (word.startsWith(name + "=")) {
                    return word.substring(name.length() + 1);
                }
                if (word.equals(name)) {
                    return i + 1 < words.size() && !words.get(i + 1).startsWith("-") ? words.get(i + 1) : "true";
                }
            }
        }
        return otherwise;
    }

    // ---- what they say

    private static Http.Reply about(Place place, Http.Request request) {
        return Http.Reply.text("Hostname: " + place.hostname() + "\nIP: "
                + request.peer().localAddress()
                + "\nRemoteAddr: " + request.peer().address() + ":"
                + request.peer().port() + "\nImage: "
                + place.container().getImage() + "\n" + request.method() + " " + request.target() + " HTTP/1.1\n");
    }

    /** Where an image's web server finds what it serves; null if it is not known. */
    static @Nullable String documentRoot(@Nullable String image) {
        return switch (Commands.repository(image)) {
            case "httpd" -> "/usr/local/apache2/htdocs";
            case "nginx" -> "/usr/share/nginx/html";
            case "nautilus", "kitten" -> "/";
            default -> null;
        };
    }

    private static Http.Reply file(Place place, String image, Http.Request request) {
        String server = image.equals("nginx") ? "nginx/1.27" : "Apache/2.4 (Unix)";
        String root = String.valueOf(documentRoot(image));
        return files(place.files().get(), root, request.path(), image).with("Server", server);
    }

    /** Serves files below a directory. */
    static Http.Reply files(FileView view, String root, String requested, String server) {
        String path = FileView.normal("/", root + "/" + requested);
        if (view.isDirectory(path)) {
            path = FileView.normal("/", path + "/index.html");
        }
        FileTree.Entry entry = view.find(path);
        if (entry == null || entry.directory()) {
            return Http.Reply.of(
                    404,
                    HTML,
                    "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not"
                            + " Found</h1></center>\r\n<hr><center>" + server + "</center>\r\n</body>\r\n</html>\r\n");
        }
        return Http.Reply.of(200, type(path), entry.content());
    }

    static String type(String path) {
        String end = path.substring(path.lastIndexOf('.') + 1);
        return switch (end) {
            case "html", "htm" -> "text/html; charset=utf-8";
            case "css" -> "text/css; charset=utf-8";
            case "js" -> "text/javascript; charset=utf-8";
            case "json" -> "application/json";
            case "png" -> "image/png";
            case "svg" -> "image/svg+xml";
            default -> "text/plain; charset=utf-8";
        };
    }

    private static Session redis(Peer peer, Outlet outlet) {
        Map<String, String> values = new HashMap<>();
        return bytes -> {
            for (String line : bytes.split("\r?\n")) {
                String[] words = line.strip().split("\\s+");
                switch (words[0].toUpperCase(java.util.Locale.ROOT)) {
                    case "PING" -> outlet.send("+PONG\r\n");
                    case "QUIT" -> {
                        outlet.send("+OK\r\n");
                        outlet.close();
                    }
                    case "SET" -> {
                        values.put(words.length > 1 ? words[1] : "", words.length > 2 ? words[2] : "");
                        outlet.send("+OK\r\n");
                    }
                    case "GET" -> {
                        String value = values.get(words.length > 1 ? words[1] : "");
                        outlet.send(value == null ? "$-1\r\n" : "$" + value.length() + "\r\n" + value + "\r\n");
                    }
                    default -> {}
                }
            }
        };
    }

    /** Lays out what a web server's image comes with. */
    static void furnish(Container container, FileTree disk) {
        String root = documentRoot(container.getImage());
        if (root == null) {
            return;
        }
        String image = Commands.repository(container.getImage());
        String directory = root.substring(1);
        disk.directories(directory, 0755);
        switch (image) {
            case "nginx" ->
                disk.put(
                        directory + "/index.html",
                        FileTree.Entry.file(
                                "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n"
                                        + "<h1>Welcome to nginx!</h1>\n</body>\n</html>\n",
                                0644));
            case "httpd" ->
                disk.put(
                        directory + "/index.html",
                        FileTree.Entry.file("<html><body><h1>It works!</h1></body></html>\n", 0644));
            // A picture, and which it is: what a rolling update of the two is watched by.
            default -> disk.put("data.json", FileTree.Entry.file("{\n\"image\": \"" + image + ".jpg\"\n}\n", 0644));
        }
    }

    // ---- what an annotation says

    /** What the annotation says of a port; null if it says nothing. */
    static @Nullable Listener declared(String rules, Place place, Protocol protocol, int port) {
        for (String rule : rules.split(";|\n")) {
            int at = rule.indexOf('=');
            if (at < 0) {
                continue;
            }
            String where = rule.substring(0, at).strip();
            int slash = where.indexOf('/');
            if (Programs.number(slash < 0 ? where : where.substring(0, slash)) != port
                    || Protocol.of(
                                    slash < 0
                                            ? "TCP"
                                            : where.substring(slash + 1).toUpperCase(java.util.Locale.ROOT))
                            != protocol) {
                continue;
            }
            String what = rule.substring(at + 1).strip();
            int colon = what.indexOf(':');
            String argument = colon < 0 ? "" : what.substring(colon + 1);
            return switch (colon < 0 ? what : what.substring(0, colon)) {
                case "hostname" -> said(protocol, place.hostname());
                case "text" -> said(protocol, argument);
                case "status" ->
                    Http.listener(
                            r -> Http.Reply.error(Programs.number(argument), Http.reason(Programs.number(argument))));
                case "files" -> Http.listener(r -> files(place.files().get(), argument, r.path(), "files"));
                case "echo" ->
                    (peer, outlet) -> new Session() {
                        @Override
                        public void receive(String bytes) {
                            outlet.send(bytes);
                        }

                        @Override
                        public void end() {
                            outlet.close();
                        }
                    };
                case "silence" -> (peer, outlet) -> bytes -> {};
                default -> null;
            };
        }
        return null;
    }

    private static Listener said(Protocol protocol, String text) {
        return protocol == Protocol.TCP
                ? Http.listener(r -> Http.Reply.text(text))
                : (peer, outlet) -> bytes -> outlet.send(text);
    }
}
