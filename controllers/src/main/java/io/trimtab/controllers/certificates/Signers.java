package io.trimtab.controllers.certificates;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The signers that a controller signs for. Immutable.
 *
 * @param authorities by the name of the signer
 * @param longest how long a certificate lasts whose request does not ask for less
 */
public record Signers(Map<String, SigningAuthority> authorities, Duration longest) {
    /** Of clients of the API server. */
    public static final String API_CLIENT = "kubernetes.io/kube-apiserver-client";
    /** Of nodes, as clients of the API server. */
    public static final String NODE_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet";
    /** Of nodes, as servers. */
    public static final String NODE_SERVING = "kubernetes.io/kubelet-serving";
    /** Of all else; its certificates are good for nothing in particular. */
    public static final String LEGACY_UNKNOWN = "kubernetes.io/legacy-unknown";

    /** A year, as Kubernetes. */
    public static final Duration LONGEST = Duration.ofHours(8760);

    public Signers {
        authorities = Map.copyOf(authorities);
    }

    /** One authority for all signers of Kubernetes. */
    public static Signers of(SigningAuthority authority, Duration longest) {
        Map<String, SigningAuthority> all = new LinkedHashMap<>();
        for (String name : new String[] {API_CLIENT, NODE_CLIENT, NODE_SERVING, LEGACY_UNKNOWN}) {
            all.put(name, authority);
        }
        return new Signers(all, longest);
    }
}
