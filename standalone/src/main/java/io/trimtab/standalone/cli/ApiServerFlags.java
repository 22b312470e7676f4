package io.trimtab.standalone.cli;

import io.trimtab.apiserver.bootstrap.AddressRange;
import io.trimtab.standalone.ApiServerOptions;
import io.trimtab.standalone.ApiServerOptions.StoreKind;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The flags of an API server, for every command that starts one. */
final class ApiServerFlags {
    /** Where files go when nobody says. */
    static final Path DEFAULT_DIRECTORY = Path.of(".trimtab");

    /** Of the addresses that belong to nobody (RFC 5737): the way there is the way to everybody. */
    private static final String SOMEWHERE = "198.51.100.1";

    @Spec(Target.MIXEE)
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ProtectionFlags protection = new ProtectionFlags();

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "For the store, keys and certificates; without it everything is in memory.")
    private @Nullable Path dataDir;

    @Option(
            names = "--store",
            paramLabel = "KIND",
            description =
                    "memory, rocksdb or etcd; default: etcd with --etcd-servers, rocksdb with --data-dir, else memory.")
    private @Nullable String store;

    @Mixin
    private StorageFlags storage = new StorageFlags();

    @Option(
            names = "--bind-address",
            defaultValue = "127.0.0.1",
            paramLabel = "ADDRESS",
            description = "Where the secure port listens.")
    private String bindAddress = "127.0.0.1";

    @Option(
            names = "--advertise-address",
            paramLabel = "ADDRESS",
            description =
                    "Where clients in the cluster reach the server; default: the bind address; if that is a loopback address, this machine's own.")
    private @Nullable String advertiseAddress;

    @Option(names = "--secure-port", defaultValue = "6443", paramLabel = "PORT", description = "0 for any.")
    private int securePort;

    @Option(
            names = "--insecure-port",
            defaultValue = "0",
            paramLabel = "PORT",
            description = "Plain HTTP on loopback, everybody is admin; 0 for none.")
    private int insecurePort;

    @Option(
            names = "--service-cidr",
            defaultValue = "10.254.0.0/16",
            paramLabel = "CIDR",
            description = "Cluster addresses of Services.")
    private String serviceCidr = "10.254.0.0/16";

    @Option(
            names = "--node-port-range",
            defaultValue = "30000-32767",
            paramLabel = "FROM-TO",
            description = "Ports that Services of type NodePort are given.")
    private String nodePortRange = "30000-32767";

    @Option(names = "--token-auth-file", paramLabel = "FILE", description = "Lines of token,user,uid,\"group,group\".")
    private @Nullable Path tokenAuthFile;

    @Option(names = "--client-ca-file", paramLabel = "FILE", description = "Authorities of client certificates.")
    private @Nullable Path clientCaFile;

    @Option(names = "--tls-cert-file", paramLabel = "FILE", description = "Default: one is issued.")
    private @Nullable Path tlsCertFile;

    @Option(names = "--tls-private-key-file", paramLabel = "FILE", description = "The key of --tls-cert-file.")
    private @Nullable Path tlsKeyFile;

    @Option(
            names = "--authorization-mode",
            split = ",",
            defaultValue = "Node,RBAC",
            paramLabel = "MODE",
            description = "Who decides, in order: of RBAC, Node, Webhook, ABAC, AlwaysAllow, AlwaysDeny.")
    private List<String> authorizationModes = List.of();

    @Option(
            names = "--enable-admission-plugins",
            split = ",",
            paramLabel = "NAME",
            description = "Plugins to run besides those that are on by default.")
    private Set<String> enabledAdmission = Set.of();

    @Option(
            names = "--disable-admission-plugins",
            split = ",",
            paramLabel = "NAME",
            description = "Plugins that are on by default and shall not be.")
    private Set<String> disabledAdmission = Set.of();

    @Option(
            names = "--service-account-issuer",
            defaultValue = "https://kubernetes.default.svc",
            paramLabel = "URL",
            description = "Who issues the tokens of service accounts, as these say.")
    private String serviceAccountIssuer = "https://kubernetes.default.svc";

    @Option(
            names = "--anonymous-auth",
            arity = "0..1",
            fallbackValue = "true",
            defaultValue = "true",
            paramLabel = "true|false",
            description = "Whether requests without a credential are those of system:anonymous, rather than refused.")
    private boolean anonymous;

    @Mixin
    private ExtensionFlags extensions = new ExtensionFlags();

    @Mixin
    private AccessFlags access = new AccessFlags();

    @Option(
            names = "--kubeconfig",
            paramLabel = "FILE",
            description = "Written for the administrator; default: admin.kubeconfig in the data directory.")
    private @Nullable Path kubeconfig;

    @Option(names = "--ready-file", paramLabel = "FILE", description = "Written when everything is ready.")
    private @Nullable Path readyFile;

    ApiServerOptions options() {
        StoreKind kind = kind();
        Path directory = dataDir == null && kind == StoreKind.ROCKSDB ? DEFAULT_DIRECTORY : dataDir;
        checkPort("--secure-port", securePort);
        checkPort("--insecure-port", insecurePort);
        return new ApiServerOptions(
                kind,
                directory,
                bindAddress,
                securePort,
                insecurePort == 0 ? -1 : insecurePort,
                advertiseAddress == null ? advertised(bindAddress) : advertiseAddress,
                serviceCidr,
                nodePortRange,
                tokenAuthFile,
                clientCaFile,
                tlsCertFile,
                tlsKeyFile,
                authorizationModes,
                enabledAdmission,
                disabledAdmission,
                serviceAccountIssuer,
                anonymous,
                storage.settings(),
                extensions.options(spec),
                protection.protection(spec),
                access.options(spec));
    }

    /**
     * As a kube-apiserver chooses: what listens everywhere or on the loopback alone is published under the address that this machine
     * has towards others. Without a network it is nowhere but here.
     */
    static String advertised(String bindAddress) {
        boolean everywhere = bindAddress.equals("0.0.0.0") || bindAddress.equals("::");
        if (!everywhere && !AddressRange.isLoopback(bindAddress)) {
            return bindAddress;
        }
        // Connecting a datagram socket sends nothing; it only asks for the route, and with it for our own address.
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(new InetSocketAddress(SOMEWHERE, 9));
            String own = socket.getLocalAddress().getHostAddress();
            return socket.getLocalAddress().isAnyLocalAddress() ? "127.0.0.1" : own;
        } catch (IOException e) {
            return "127.0.0.1";
        }
    }

    private StoreKind kind() {
        if (store == null) {
            return storage.namesEtcd() ? StoreKind.ETCD : dataDir == null ? StoreKind.MEMORY : StoreKind.ROCKSDB;
        }
        return switch (store.toLowerCase(Locale.ROOT)) {
            case "memory" -> StoreKind.MEMORY;
            case "rocksdb" -> StoreKind.ROCKSDB;
            case "etcd" -> StoreKind.ETCD;
            default ->
                throw new ParameterException(
                        spec.commandLine(), "--store: \"" + store + "\" is not one of memory, rocksdb, etcd");
        };
    }

    private void checkPort(String flag, int port) {
        if (port < 0 || port > 65535) {
            throw new ParameterException(
                    spec.commandLine(), flag + ": " + port + " is no port; give one of 0 to 65535");
        }
    }

    Path kubeconfig() {
        if (kubeconfig != null) {
            return kubeconfig;
        }
        return (dataDir == null ? DEFAULT_DIRECTORY : dataDir).resolve("admin.kubeconfig");
    }

    @Nullable
    Path readyFile() {
        return readyFile;
    }
}
