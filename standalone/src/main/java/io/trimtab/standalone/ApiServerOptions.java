package io.trimtab.standalone;

import io.trimtab.apiserver.resource.ServedVersions;
import io.trimtab.features.FeatureGates;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How an API server is set up: what the flags of {@code trimtab apiserver} say. Immutable; change one by its {@code with} method.
 *
 * @param store where objects are kept
 * @param dataDirectory for certificates, keys and the durable store; null keeps everything in memory
 * @param bindAddress of the TLS port
 * @param securePort 0 for any that is free; -1 for none
 * @param insecurePort plain HTTP on loopback, everybody is admin; 0 for any that is free; -1 for none
 * @param advertiseAddress where clients in the cluster reach this server
 * @param serviceCidr addresses of Services
 * @param nodePortRange first and last, as {@code 30000-32767}
 * @param tokenAuthFile static tokens; null for none
 * @param clientCaFile authorities of client certificates besides our own; null for none
 * @param tlsCertFile the server's certificate; null to issue one
 * @param tlsKeyFile its key
 * @param authorizationModes of {@code RBAC}, {@code Node}, {@code Webhook}, {@code ABAC}, {@code AlwaysAllow}, {@code AlwaysDeny}
 * @param enabledAdmission plugins that are off by default
 * @param disabledAdmission plugins that are on by default
 * @param serviceAccountIssuer of tokens
 * @param anonymous whether requests without credentials are served, as nobody in particular
 * @param storage how objects are kept
 * @param extensions the servers that this one asks or stands before
 * @param protection limits, and what is kept of requests
 * @param access who gets in, and who decides, as far as files say it
 */
public record ApiServerOptions(
        StoreKind store,
        @Nullable Path dataDirectory,
        String bindAddress,
        int securePort,
        int insecurePort,
        String advertiseAddress,
        String serviceCidr,
        String nodePortRange,
        @Nullable Path tokenAuthFile,
        @Nullable Path clientCaFile,
        @Nullable Path tlsCertFile,
        @Nullable Path tlsKeyFile,
        List<String> authorizationModes,
        Set<String> enabledAdmission,
        Set<String> disabledAdmission,
        String serviceAccountIssuer,
        boolean anonymous,
        StorageSettings storage,
        ExtensionOptions extensions,
        Protection protection,
        AccessOptions access) {

    /** Where objects are kept. */
    public enum StoreKind {
        MEMORY,
        ROCKSDB,
        /** Shared with other servers; {@link StorageSettings#etcd} says where. */
        ETCD
    }

    /** Nothing listens, nothing is kept: for a cluster inside a JVM. */
    public static final ApiServerOptions IN_MEMORY = new ApiServerOptions(
            StoreKind.MEMORY,
            null,
            "127.0.0.1",
            -1,
            -1,
            "127.0.0.1",
            "10.254.0.0/16",
            "30000-32767",
            null,
            null,
            null,
            null,
            List.of("Node", "RBAC"),
            Set.of(),
            Set.of(),
            "https://kubernetes.default.svc",
            true,
            StorageSettings.DEFAULT,
            ExtensionOptions.DEFAULT,
            Protection.DEFAULT,
            AccessOptions.DEFAULT);

    public ApiServerOptions {
        authorizationModes = List.copyOf(authorizationModes);
        enabledAdmission = Set.copyOf(enabledAdmission);
        disabledAdmission = Set.copyOf(disabledAdmission);
    }

    /** The same with other ports. */
    public ApiServerOptions withPorts(int secure, int insecure) {
        return edit(draft -> {
            draft.securePort = secure;
            draft.insecurePort = insecure;
        });
    }

    /** The same with another store. */
    public ApiServerOptions withStore(StoreKind kind, @Nullable Path directory) {
        return edit(draft -> {
            draft.store = kind;
            draft.dataDirectory = directory;
        });
    }

    /** The same, protected otherwise. */
    public ApiServerOptions withProtection(Protection other) {
        return edit(draft -> draft.protection = other);
    }

    /** The same with other addresses of Services. */
    public ApiServerOptions withServiceCidr(String cidr) {
        return edit(draft -> draft.serviceCidr = cidr);
    }

    /** The same, with others who get in and decide. */
    public ApiServerOptions withAccess(AccessOptions other) {
        return edit(draft -> draft.access = other);
    }

    /** The same, with others who decide, in this order. */
    public ApiServerOptions withAuthorizationModes(String... modes) {
        return edit(draft -> draft.authorizationModes = List.of(modes));
    }

    /** The same with other settings of the storage. */
    public ApiServerOptions withStorage(StorageSettings settings) {
        return edit(draft -> draft.storage = settings);
    }

    /**
     * The same with features of Kubernetes switched on or off.
     *
     * @param gates by the names of the features' gates
     * @throws IllegalArgumentException if a gate is unknown or locked
     * @param versions which versions of the built-in resources are served
     */
    public ApiServerOptions withFeatures(Map<String, Boolean> gates, ServedVersions versions) {
        return edit(draft -> draft.extensions = draft.extensions.withFeatures(FeatureGates.of(gates), versions));
    }

    private ApiServerOptions edit(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.options(this);
    }

    /** The one place that copies: what may differ, and all else from what it was made of. */
    private static final class Draft {
        private StoreKind store;
        private @Nullable Path dataDirectory;
        private int securePort;
        private int insecurePort;
        private String serviceCidr;
        private List<String> authorizationModes;
        private StorageSettings storage;
        private Protection protection;
        private AccessOptions access;
        private ExtensionOptions extensions;

        Draft(ApiServerOptions from) {
            store = from.store;
            serviceCidr = from.serviceCidr;
            authorizationModes = from.authorizationModes;
            dataDirectory = from.dataDirectory;
            securePort = from.securePort;
            insecurePort = from.insecurePort;
            storage = from.storage;
            protection = from.protection;
            access = from.access;
            extensions = from.extensions;
        }

        ApiServerOptions options(ApiServerOptions from) {
            return new ApiServerOptions(
                    store,
                    dataDirectory,
                    from.bindAddress,
                    securePort,
                    insecurePort,
                    from.advertiseAddress,
                    serviceCidr,
                    from.nodePortRange,
                    from.tokenAuthFile,
                    from.clientCaFile,
                    from.tlsCertFile,
                    from.tlsKeyFile,
                    authorizationModes,
                    from.enabledAdmission,
                    from.disabledAdmission,
                    from.serviceAccountIssuer,
                    from.anonymous,
                    storage,
                    extensions,
                    protection,
                    access);
        }
    }

    /** Whether anything listens. */
    public boolean listens() {
        return securePort >= 0 || insecurePort >= 0;
    }
}
