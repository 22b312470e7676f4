package io.trimtab.node.network;

import com.google.common.net.InetAddresses;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodDNSConfig;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The names of a cluster, as its name service gives them out: of services, of their endpoints and of pods (the DNS specification
 * for Kubernetes, 1.1). Nothing beyond the cluster has a name. Safe for use by any thread.
 */
public final class Names {
    /** What all names of the cluster end with. */
    public static final String DOMAIN = "cluster.local";

    private static final Pod NAME_SERVICE = new PodBuilder()
            .withNewMetadata()
            .withName("coredns")
            .withNamespace("kube-system")
            .addToLabels("k8s-app", "kube-dns")
            .endMetadata()
            .withNewSpec()
            .addNewContainer()
            .withName("coredns")
            .addNewPort()
            .withName("dns")
            .withContainerPort(53)
            .withProtocol("UDP")
            .endPort()
            .endContainer()
            .endSpec()
            .build();
    private static final int MAX_ALIASES = 8;

    private final ClusterView cluster;
    private final Allowed allowed;

    /** Whether policies let a pod ask the name service. */
    interface Allowed {
        boolean test(Pod pod, Pod nameService, String address);
    }

    /** How a question ended. */
    public enum Outcome {
        FOUND,
        /** There is no such name. */
        UNKNOWN,
        /** There is, but nothing of the type asked for. */
        EMPTY,
        /** Nobody answers. */
        SILENT
    }

    /**
     * An answer.
     *
     * @param name that was found, in full, without a dot at the end
     * @param alias where an alias leads to; null if the name is none
     * @param records addresses, names, or {@code priority weight port name}
     */
    public record Answer(
            Outcome outcome, String name, @Nullable String alias, List<String> records) {
        static Answer of(String name, List<String> records) {
            return new Answer(records.isEmpty() ? Outcome.EMPTY : Outcome.FOUND, name, null, List.copyOf(records));
        }

        static Answer unknown(String name) {
            return new Answer(Outcome.UNKNOWN, name, null, List.of());
        }
    }

    /**
     * How a pod's resolver is set up.
     *
     * @param servers to ask
     * @param searches what is put behind short names, in order
     * @param ndots names with fewer dots are short
     */
    public record Resolver(List<String> servers, List<String> searches, int ndots, List<String> options) {

        /** As in {@code /etc/resolv.conf}. */
        public String file() {
            StringBuilder text = new StringBuilder();
            if (!searches.isEmpty()) {
                text.append("search ").append(String.join(" ", searches)).append('\n');
            }
            servers.forEach(server -> text.append("nameserver ").append(server).append('\n'));
            if (!options.isEmpty()) {
                text.append("options ").append(String.join(" ", options)).append('\n');
            }
            return text.toString();
        }
    }

    Names(ClusterView cluster, Allowed allowed) {
        this.cluster = cluster;
        this.allowed = allowed;
    }

    /** The address of the name service: the tenth of the cluster's, as is the custom. */
    public String server() {
        return cluster.service("kube-system", "kube-dns")
                .map(s -> s.getSpec().getClusterIP())
                .or(() -> cluster.service("default", "kubernetes")
                        .map(s -> s.getSpec().getClusterIP())
                        .filter(ip -> ip != null && ip.endsWith(".1"))
                        .map(ip -> ip + "0"))
                .orElse("10.96.0.10");
    }

    /** How a pod looks names up. */
    public Resolver resolver(Pod pod) {
        String policy = Objects.requireNonNullElse(pod.getSpec().getDnsPolicy(), "ClusterFirst");
        boolean ofCluster = policy.equals("ClusterFirstWithHostNet")
                || policy.equals("ClusterFirst") && !Fabric.isOnNodesNetwork(pod);
        List<String> servers = new ArrayList<>();
        Set<String> searches = new LinkedHashSet<>();
        List<String> options = new ArrayList<>();
        if (ofCluster) {
            servers.add(server());
            searches.add(pod.getMetadata().getNamespace() + ".svc." + DOMAIN);
            searches.add("svc." + DOMAIN);
            searches.add(DOMAIN);
            options.add("ndots:5");
        } else if (!policy.equals("None")) {
            servers.add("127.0.0.53");
        }
        PodDNSConfig config = pod.getSpec().getDnsConfig();
        if (config != null) {
            config.getNameservers().stream().filter(s -> !servers.contains(s)).forEach(servers::add);
            searches.addAll(config.getSearches());
            config.getOptions().forEach(option -> {
                options.removeIf(o -> o.equals(option.getName()) || o.startsWith(option.getName() + ":"));
                options.add(option.getValue() == null ? option.getName() : option.getName() + ":" + option.getValue());
            });
        }
        int ndots = options.stream()
                .filter(o -> o.matches("ndots:\\d{1,3}"))
                .map(o -> Integer.parseInt(o.substring(6)))
                .findFirst()
                .orElse(1);
        return new Resolver(servers, List.copyOf(searches), ndots, List.copyOf(options));
    }

    /** The addresses of a name, as a program in a pod finds them: its own hosts file first, then the searches. */
    public Answer lookup(Pod pod, String name) {
        if (InetAddresses.isInetAddress(name)) {
            return Answer.of(name, List.of(name));
        }
        String host = hosts(pod, name);
        if (host != null) {
            return Answer.of(name, List.of(host));
        }
        Resolver resolver = resolver(pod);
        if (!isAnswered(pod, resolver)) {
            return new Answer(Outcome.SILENT, name, null, List.of());
        }
        for (String candidate : candidates(resolver, name)) {
            Answer answer = query(candidate, "A");
            for (int i = 0; answer.alias() != null && answer.records().isEmpty() && i < MAX_ALIASES; i++) {
                Answer next = query(answer.alias(), "A");
                answer = new Answer(next.outcome(), answer.name(), next.name(), next.records());
                if (next.alias() == null) {
                    break;
                }
            }
            if (answer.outcome() == Outcome.FOUND) {
                return answer;
            }
        }
        return Answer.unknown(name);
    }

    /** Whether the pod's name servers answer it: another than the cluster's own is nowhere to be found. */
    public boolean isAnswered(Pod pod, Resolver resolver) {
        return resolver.servers().contains(server())
                && (Fabric.isOnNodesNetwork(pod) || allowed.test(pod, NAME_SERVICE, server()));
    }

    /** The full names that a name may mean, likeliest first. */
    public static List<String> candidates(Resolver resolver, String name) {
        List<String> all = new ArrayList<>();
        if (name.endsWith(".")) {
            return List.of(name.substring(0, name.length() - 1));
        }
        boolean whole = name.chars().filter(c -> c == '.').count() >= resolver.ndots();
        if (whole) {
            all.add(name);
        }
        resolver.searches().forEach(search -> all.add(name + "." + search));
        if (!whole) {
            all.add(name);
        }
        return all;
    }

    private static @Nullable String hosts(Pod pod, String name) {
        if (name.equals("localhost")) {
            return "127.0.0.1";
        }
        for (var alias : pod.getSpec().getHostAliases()) {
            if (alias.getHostnames().contains(name)) {
                return alias.getIp();
            }
        }
        String hostname = hostname(pod);
        String address = pod.getStatus() == null ? null : pod.getStatus().getPodIP();
        return address != null && (name.equals(hostname) || name.equals(fullName(pod))) ? address : null;
    }

    /** What a pod calls itself. */
    public static String hostname(Pod pod) {
        String given = pod.getSpec().getHostname();
        if (Fabric.isOnNodesNetwork(pod)) {
            return Objects.requireNonNullElse(pod.getSpec().getNodeName(), "localhost");
        }
        String name = given == null || given.isEmpty() ? pod.getMetadata().getName() : given;
        return name.length() > 63 ? name.substring(0, 63).replaceFirst("[-.]+$", "") : name;
    }

    /** A pod's name in full, if it has a subdomain; otherwise its host name. */
    public static String fullName(Pod pod) {
        String subdomain = pod.getSpec().getSubdomain();
        return subdomain == null || subdomain.isEmpty()
                ? hostname(pod)
                : hostname(pod) + "." + subdomain + "." + pod.getMetadata().getNamespace() + ".svc." + DOMAIN;
    }

    // ---- the name service

    /**
     * Answers one question.
     *
     * @param name in full
     * @param type {@code A}, {@code AAAA}, {@code SRV}, {@code CNAME}, {@code PTR} or {@code ANY}
     */
    public Answer query(String name, String type) {
        String lower = name.toLowerCase(Locale.ROOT).replaceFirst("\\.$", "");
        if (lower.endsWith(".in-addr.arpa")) {
            return reverse(lower, type);
        }
        if (lower.equals(DOMAIN) || lower.equals("svc." + DOMAIN)) {
            return Answer.of(lower, List.of());
        }
        if (lower.equals("dns-version." + DOMAIN)) {
            return Answer.of(lower, type.equals("TXT") ? List.of("\"1.1.0\"") : List.of());
        }
        String rest = lower.endsWith("." + DOMAIN) ? lower.substring(0, lower.length() - DOMAIN.length() - 1) : "";
        String[] parts = rest.split("\\.");
        if (rest.endsWith(".pod") && parts.length == 3) {
            return ofPod(lower, parts[0], parts[1], type);
        }
        if (!rest.endsWith(".svc") || parts.length < 3 || parts.length > 5) {
            return Answer.unknown(lower);
        }
        Service service = cluster.service(parts[parts.length - 2], parts[parts.length - 3])
                .orElse(null);
        if (service == null) {
            return Answer.unknown(lower);
        }
        if ("ExternalName".equals(service.getSpec().getType())) {
            String target = service.getSpec().getExternalName();
            return parts.length == 3
                    ? new Answer(Outcome.FOUND, lower, target, type.equals("CNAME") ? List.of(target + ".") : List.of())
                    : Answer.unknown(lower);
        }
        return switch (parts.length) {
            case 3 -> ofService(lower, service, type);
            case 4 -> ofEndpoint(lower, service, parts[0], type);
            default -> ofPort(lower, service, parts[0], parts[1], type);
        };
    }

    private static boolean isAddress(String type) {
        return type.equals("A") || type.equals("ANY");
    }

    private Answer ofService(String name, Service service, String type) {
        if (type.equals("SRV")) {
            List<String> records = new ArrayList<>();
            service.getSpec().getPorts().forEach(port -> records.addAll(targets(name, service, port)));
            return Answer.of(name, records);
        }
        if (!isHeadless(service)) {
            return Answer.of(
                    name,
                    ofFamily(
                            service.getSpec().getClusterIPs().isEmpty()
                                    ? List.of(service.getSpec().getClusterIP())
                                    : service.getSpec().getClusterIPs(),
                            type));
        }
        List<String> addresses = new ArrayList<>();
        endpoints(service).forEach(e -> addresses.addAll(e.getAddresses()));
        if (addresses.isEmpty()) {
            return Answer.unknown(name);
        }
        return Answer.of(name, ofFamily(addresses, type));
    }

    private static List<String> ofFamily(List<String> addresses, String type) {
        boolean version6 = type.equals("AAAA");
        return version6 || isAddress(type)
                ? addresses.stream()
                        .filter(a -> a.indexOf(':') >= 0 == version6)
                        .distinct()
                        .sorted()
                        .toList()
                : List.of();
    }

    private Answer ofEndpoint(String name, Service service, String hostname, String type) {
        List<String> addresses = new ArrayList<>();
        for (Endpoint endpoint : endpoints(service)) {
            if (hostname.equals(label(endpoint))) {
                addresses.addAll(endpoint.getAddresses());
            }
        }
        return addresses.isEmpty() ? Answer.unknown(name) : Answer.of(name, ofFamily(addresses, type));
    }

    private Answer ofPort(String name, Service service, String port, String protocol, String type) {
        for (ServicePort candidate : service.getSpec().getPorts()) {
            if (port.equals("_" + candidate.getName())
                    && protocol.equals(
                            "_" + Protocol.of(candidate.getProtocol()).name().toLowerCase(Locale.ROOT))) {
                String of = name.substring(port.length() + protocol.length() + 2);
                return Answer.of(
                        name, type.equals("SRV") || type.equals("ANY") ? targets(of, service, candidate) : List.of());
            }
        }
        return Answer.unknown(name);
    }

    private List<String> targets(String service, Service object, ServicePort port) {
        if (!isHeadless(object)) {
            return List.of("0 100 " + port.getPort() + " " + service + ".");
        }
        List<String> records = new ArrayList<>();
        List<Endpoint> endpoints = endpoints(object);
        for (Endpoint endpoint : endpoints) {
            Integer number =
                    port.getTargetPort() == null || port.getTargetPort().getIntVal() == null
                            ? port.getPort()
                            : port.getTargetPort().getIntVal();
            records.add("0 " + Math.max(1, 100 / endpoints.size()) + " " + number + " " + label(endpoint) + "."
                    + service + ".");
        }
        return records;
    }

    private Answer ofPod(String name, String dashed, String namespace, String type) {
        String address = dashed.replace('-', '.');
        if (!InetAddresses.isInetAddress(address)
                || cluster.namespaceLabels(namespace).isEmpty()) {
            return Answer.unknown(name);
        }
        return Answer.of(name, ofFamily(List.of(address), type));
    }

    private Answer reverse(String name, String type) {
        String[] parts =
                name.substring(0, name.length() - ".in-addr.arpa".length()).split("\\.");
        if (parts.length != 4) {
            return Answer.unknown(name);
        }
        String address = parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0];
        List<String> names = new ArrayList<>();
        for (Service service : cluster.servicesAt(address)) {
            names.add(service.getMetadata().getName() + "."
                    + service.getMetadata().getNamespace() + ".svc." + DOMAIN + ".");
        }
        cluster.podAt(address).ifPresent(pod -> {
            String subdomain = pod.getSpec().getSubdomain();
            if (subdomain != null && !subdomain.isEmpty()) {
                names.add(fullName(pod) + ".");
            }
        });
        if (names.isEmpty()) {
            return Answer.unknown(name);
        }
        return Answer.of(name, type.equals("PTR") || type.equals("ANY") ? names : List.of());
    }

    private static boolean isHeadless(Service service) {
        return "None".equals(service.getSpec().getClusterIP());
    }

    private List<Endpoint> endpoints(Service service) {
        List<Endpoint> all = new ArrayList<>();
        boolean unready = Boolean.TRUE.equals(service.getSpec().getPublishNotReadyAddresses());
        for (EndpointSlice slice : cluster.slices(
                service.getMetadata().getNamespace(), service.getMetadata().getName())) {
            slice.getEndpoints().stream()
                    .filter(e -> unready
                            || e.getConditions() == null
                            || !Boolean.FALSE.equals(e.getConditions().getReady()))
                    .forEach(all::add);
        }
        return all;
    }

    /** An endpoint's own label: its host name, or its address. */
    private static String label(Endpoint endpoint) {
        String hostname = endpoint.getHostname();
        return hostname != null && !hostname.isEmpty()
                ? hostname
                : endpoint.getAddresses().get(0).replace('.', '-').replace(':', '-');
    }

    /** The lines that a pod's hosts file has. */
    public static String hostsFile(Pod pod, @Nullable String address) {
        StringBuilder text = new StringBuilder("# Kubernetes-managed hosts file"
                + (Fabric.isOnNodesNetwork(pod) ? " (host network)" : "") + ".\n127.0.0.1\tlocalhost\n"
                + "::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\n"
                + "fe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n");
        if (address != null) {
            String full = fullName(pod);
            String name = hostname(pod);
            text.append(address)
                    .append('\t')
                    .append(full.equals(name) ? name : full + "\t" + name)
                    .append('\n');
        }
        if (!pod.getSpec().getHostAliases().isEmpty()) {
            text.append("\n# Entries added by HostAliases.\n");
            pod.getSpec()
                    .getHostAliases()
                    .forEach(alias -> text.append(alias.getIp())
                            .append('\t')
                            .append(String.join("\t", alias.getHostnames()))
                            .append('\n'));
        }
        return text.toString();
    }
}
