package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBindingBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBuilder;
import io.trimtab.apiserver.auth.UserInfo;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Programs under the roles that they were given. Stateless. */
final class Roles {
    private Roles() {}

    static ClusterRole read(Cluster cluster, String yaml) {
        for (HasMetadata object : cluster.client()
                .load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                .items()) {
            if (object instanceof ClusterRole role) {
                return role;
            }
        }
        throw new IllegalArgumentException("expected a ClusterRole in the text, found none");
    }

    private static String roleName(String program) {
        return "trimtab-junit:" + program;
    }

    static Instance bound(Cluster cluster, String program, ClusterRole role, Program start) {
        ClusterRole own = new ClusterRoleBuilder(role)
                .editMetadata()
                .withName(roleName(program))
                .endMetadata()
                .build();
        cluster.apply(
                own,
                new ClusterRoleBindingBuilder()
                        .withNewMetadata()
                        .withName(roleName(program))
                        .endMetadata()
                        .withNewRoleRef("rbac.authorization.k8s.io", "ClusterRole", roleName(program))
                        .addNewSubject(null, "ServiceAccount", program, "default")
                        .build());
        UserInfo user = new UserInfo(
                "system:serviceaccount:default:" + program,
                "",
                List.of("system:serviceaccounts", "system:serviceaccounts:default", UserInfo.AUTHENTICATED_GROUP),
                Map.of());
        return new Instance(cluster, program, start, user);
    }

    static List<String> unused(Cluster cluster, Instance program) {
        return cluster.get(ClusterRole.class, roleName(program.name()))
                .map(role -> program.learnedRole().unused(role.getRules()))
                .orElse(List.of());
    }
}
