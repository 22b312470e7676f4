package io.trimtab.standalone;

import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.node.simulated.SimulatedStorage;
import java.util.List;
import java.util.Map;

/**
 * As whom each component acts. Controllers are ServiceAccounts of kube-system with exactly the rights that Kubernetes' bootstrap
 * policy gives them, so that one that oversteps is refused here as it would be there. Pure.
 */
final class Identities {
    /** Speaks for the process as a whole. */
    static final String PROCESS = "informers";

    private Identities() {}

    static UserInfo of(String component) {
        return switch (component) {
            // Reads everything once for all, on behalf of the process.
            case PROCESS -> UserInfo.of("system:trimtab", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);
            // Stands for many nodes, none of whose credentials it has.
            case "kubelet" -> UserInfo.of("system:nodes", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);
            // Stands for a storage system beside the cluster.
            case SimulatedStorage.NAME ->
                UserInfo.of("system:trimtab:storage", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);
            case "default-scheduler", "scheduler", "kube-scheduler" ->
                UserInfo.of("system:kube-scheduler", UserInfo.AUTHENTICATED_GROUP);
            // Kubernetes gives it no account of its own: it would have to make tokens for itself.
            case "tokens-controller" -> UserInfo.of("system:kube-controller-manager", UserInfo.AUTHENTICATED_GROUP);
            default -> serviceAccount(component);
        };
    }

    private static UserInfo serviceAccount(String name) {
        return new UserInfo(
                "system:serviceaccount:kube-system:" + name,
                "",
                List.of("system:serviceaccounts", "system:serviceaccounts:kube-system", UserInfo.AUTHENTICATED_GROUP),
                Map.of());
    }
}
