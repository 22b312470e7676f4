package io.trimtab.apiserver.store;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where an etcd is, and how to speak to it.
 *
 * @param servers URLs of its members, all {@code http} or all {@code https}
 * @param prefix what keys begin with there, in place of {@code /registry}
 * @param caFile authorities of the members' certificates; null for those that Java trusts
 * @param certFile our certificate; null for none
 * @param keyFile its key
 * @since 0.1
 */
public record EtcdOptions(
        List<String> servers,
        String prefix,
        @Nullable Path caFile,
        @Nullable Path certFile,
        @Nullable Path keyFile) {
    /** What keys begin with unless said, and in every other store. */
    public static final String DEFAULT_PREFIX = "/registry";

    /** @throws IllegalArgumentException if an address is none, or a certificate has no key */
    public EtcdOptions {
        servers = List.copyOf(servers);
        if (servers.isEmpty()) {
            throw new IllegalArgumentException("no etcd server is named");
        }
        boolean secure = servers.get(0).startsWith("https://");
        for (String server : servers) {
            URI uri = URI.create(server);
            boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (!http || uri.getHost() == null || uri.getPort() < 0) {
                throw new IllegalArgumentException(
                        "\"" + server + "\" is no address of an etcd; give one such as http://127.0.0.1:2379");
            }
            if (server.startsWith("https://") != secure) {
                throw new IllegalArgumentException("etcd servers must be all http or all https");
            }
        }
        if ((certFile == null) != (keyFile == null)) {
            throw new IllegalArgumentException("a client certificate for etcd needs both its file and its key's file");
        }
        prefix = "/" + prefix.replaceAll("^/+|/+$", "");
        if (prefix.equals("/")) {
            throw new IllegalArgumentException("the prefix of keys in etcd must not be empty");
        }
    }

    /** Plain HTTP, Kubernetes' own prefix. */
    public static EtcdOptions of(String... servers) {
        return new EtcdOptions(List.of(servers), DEFAULT_PREFIX, null, null, null);
    }

    boolean isSecure() {
        return servers.get(0).startsWith("https://");
    }

    @Override
    public String toString() {
        return String.join(",", servers);
    }
}
