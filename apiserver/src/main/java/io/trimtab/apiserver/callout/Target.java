package io.trimtab.apiserver.callout;

import io.trimtab.apiserver.certificates.Credential;
import java.net.URI;
import java.security.cert.X509Certificate;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Another server, and how to know that it is the right one. Immutable.
 *
 * @param host name or address, as it stands in the URL; IPv6 addresses without brackets
 * @param authority host and port as the URL has them, for messages and the Host header
 * @param path what goes before the path of a request; empty or with a leading slash
 * @param service the Service that stands for the server; null if the host says where it is
 */
public record Target(
        boolean tls,
        String host,
        int port,
        String authority,
        String path,
        @Nullable Service service,
        Trust trust) {

    /** A Service and one of its ports. */
    public record Service(String namespace, String name, int port) {}

    /**
     * How the server is recognized, and how we show who we are.
     *
     * @param authorities who may vouch for the server; null for those that the JVM trusts
     * @param insecure whether any certificate will do
     * @param serverName the name in the certificate, where it is not the host
     * @param client our own certificate; null for none
     */
    public record Trust(
            @Nullable List<X509Certificate> authorities,
            boolean insecure,
            @Nullable String serverName,
            @Nullable Credential client) {
        public Trust {
            authorities = authorities == null ? null : List.copyOf(authorities);
        }

        /** What the JVM trusts. */
        public static final Trust SYSTEM = new Trust(null, false, null, null);

        /** These authorities and no others. */
        public static Trust of(List<X509Certificate> authorities) {
            return new Trust(authorities, false, null, null);
        }

        /** Any certificate. */
        public static Trust anything() {
            return new Trust(null, true, null, null);
        }

        /** The same, and we show this certificate. */
        public Trust withClient(@Nullable Credential credential) {
            return new Trust(authorities, insecure, serverName, credential);
        }
    }

    /**
     * A server named by a URL.
     *
     * @throws IllegalArgumentException if the URL has no host
     */
    public static Target of(String url, Trust trust) {
        URI uri = URI.create(url);
        String host = uri.getHost();
        if (host == null) {
            throw new IllegalArgumentException("host must be specified in " + url);
        }
        boolean tls = !"http"
                .equals(uri.getScheme() == null ? "https" : uri.getScheme().toLowerCase(Locale.ROOT));
        String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        int port = uri.getPort() > 0 ? uri.getPort() : tls ? 443 : 80;
        return new Target(tls, bare, port, uri.getRawAuthority(), clean(uri.getRawPath()), null, trust);
    }

    /** A server behind a Service: its certificate is for {@code name.namespace.svc}. */
    public static Target of(Service service, String path, Trust trust) {
        String host = service.name() + "." + service.namespace() + ".svc";
        return new Target(true, host, service.port(), host + ":" + service.port(), clean(path), service, trust);
    }

    /** The same server, asked under another path. */
    Target at(String rawPath) {
        return new Target(tls, host, port, authority, rawPath, service, trust);
    }

    /** As client-go joins paths: no empty step, none that goes nowhere or back, no slash at the end. */
    private static String clean(@Nullable String path) {
        Deque<String> steps = new ArrayDeque<>();
        for (String step : (path == null ? "" : path).split("/")) {
            if (step.equals("..")) {
                steps.pollLast();
            } else if (!step.isEmpty() && !step.equals(".")) {
                steps.addLast(step);
            }
        }
        return steps.isEmpty() ? "" : "/" + String.join("/", steps);
    }

    /** The name that the server's certificate must be for. */
    public String serverName() {
        String name = trust.serverName();
        return name == null || name.isEmpty() ? host : name;
    }

    /** The URL of a path on the server. */
    public String url(String pathAndQuery) {
        return (tls ? "https://" : "http://") + authority + path + pathAndQuery;
    }
}
