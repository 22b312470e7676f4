package io.trimtab.apiserver.auth;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.Authorizer.Attributes;
import io.trimtab.apiserver.auth.Authorizer.Decision;
import io.trimtab.apiserver.auth.Authorizer.Verdict;
import io.trimtab.apiserver.resource.CoreResources;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NodeAuthorizerTest {
    private static final UserInfo N1 = UserInfo.of("system:node:n1", "system:nodes");
    private static final UserInfo N2 = UserInfo.of("system:node:n2", "system:nodes");

    private final SecurityFixture cluster = new SecurityFixture();
    private final NodeAuthorizer nodes = new NodeAuthorizer(cluster.storage);

    @AfterEach
    void close() {
        cluster.close();
    }

    private static Attributes get(String resource, String namespace, String name) {
        return Attributes.resource("get", "", "v1", resource, "", namespace, name);
    }

    private void allows(UserInfo user, Attributes asked) {
        assertThat(nodes.authorize(user, asked).verdict()).isEqualTo(Verdict.ALLOW);
    }

    private void denies(UserInfo user, Attributes asked, String reason) {
        assertThat(nodes.authorize(user, asked)).isEqualTo(new Decision(Verdict.NO_OPINION, reason));
    }

    @Test
    void givenAPodOnANode_whenTheNodeReadsWhatItMentions_thenOnlyThatNodeMay() {
        denies(N1, get("secrets", "ns", "s"), "no relationship found between node 'n1' and this object");
        cluster.put(CoreResources.PODS, """
                metadata: {name: p, namespace: ns}
                spec:
                  nodeName: n1
                  serviceAccountName: sa
                  containers: [{name: c, envFrom: [{configMapRef: {name: m}}]}]
                  volumes:
                  - {name: a, secret: {secretName: s}}
                  - {name: b, persistentVolumeClaim: {claimName: c}}
                """);
        cluster.put(
                CoreResources.PERSISTENT_VOLUMES,
                "metadata: {name: v}\nspec: {claimRef: {namespace: ns, name: c}, csi: {nodeStageSecretRef: {namespace: x,"
                        + " name: deep}}}");

        for (Attributes asked : new Attributes[] {
            get("secrets", "ns", "s"),
            get("configmaps", "ns", "m"),
            get("persistentvolumeclaims", "ns", "c"),
            get("persistentvolumes", "", "v"),
            get("secrets", "x", "deep"),
            get("pods", "ns", "p"),
            Attributes.resource("create", "", "v1", "serviceaccounts", "token", "ns", "sa")
        }) {
            allows(N1, asked);
            denies(N2, asked, "no relationship found between node 'n2' and this object");
        }
        denies(N1, get("secrets", "other", "s"), "no relationship found between node 'n1' and this object");
        denies(N1, Attributes.resource("list", "", "v1", "secrets", "", "ns", ""), "No Object name found");
        denies(
                N1,
                Attributes.resource("delete", "", "v1", "secrets", "", "ns", "s"),
                "can only read resources of this type");
        denies(
                N1,
                Attributes.resource("create", "", "v1", "serviceaccounts", "token", "ns", "other"),
                "no relationship found between node 'n1' and this object");
    }

    @Test
    void givenAPod_whenItGoesOrIsBound_thenTheNextDecisionKnows() {
        cluster.put(
                CoreResources.PODS,
                "metadata: {name: p, namespace: ns}\nspec: {volumes: [{name: a, secret: {secretName: s}}]}");
        denies(N1, get("secrets", "ns", "s"), "no relationship found between node 'n1' and this object");

        cluster.storage.update(CoreResources.PODS, "ns", "p", pod -> {
            ((ObjectNode) pod.path("spec")).put("nodeName", "n1");
            return pod;
        });
        allows(N1, get("secrets", "ns", "s"));

        cluster.remove(CoreResources.PODS, "ns", "p");
        denies(N1, get("secrets", "ns", "s"), "no relationship found between node 'n1' and this object");
    }

    @Test
    void givenAMirrorPod_whenItMentionsASecret_thenItsNodeGetsNothing() {
        cluster.put(CoreResources.PODS, """
                metadata: {name: p, namespace: ns, annotations: {kubernetes.io/config.mirror: x}}
                spec: {nodeName: n1, volumes: [{name: a, secret: {secretName: s}}]}
                """);

        allows(N1, get("pods", "ns", "p"));
        denies(N1, get("secrets", "ns", "s"), "no relationship found between node 'n1' and this object");
    }

    @Test
    void givenANode_whenItLists_thenOnlyItsOwn() {
        denies(
                N1,
                Attributes.resource("list", "", "v1", "pods", "", "", ""),
                "can only list/watch pods with spec.nodeName field selector");
        allows(N1, new Attributes("list", "", "v1", "pods", "", "", "", true, "", "spec.nodeName=n1", ""));
        denies(
                N1,
                new Attributes("list", "", "v1", "pods", "", "", "", true, "", "spec.nodeName=n2", ""),
                "can only list/watch pods with spec.nodeName field selector");
        denies(N1, get("nodes", "", "n2"), "node 'n1' cannot read 'n2', only its own Node object");
        denies(
                N1,
                Attributes.resource("list", "", "v1", "nodes", "", "", ""),
                "node 'n1' cannot read all nodes, only its own Node object");
        allows(N1, get("nodes", "", "n1"));
        allows(N1, Attributes.resource("list", "", "v1", "services", "", "", ""));
        denies(N1, Attributes.resource("delete", "", "v1", "services", "", "ns", "s"), "");
        denies(N1, Attributes.resource("delete", "", "v1", "nodes", "", "", "n1"), "");
    }

    @Test
    void givenLeases_whenANodeWrites_thenOnlyItsOwn() {
        Attributes own =
                Attributes.resource("update", "coordination.k8s.io", "v1", "leases", "", "kube-node-lease", "n1");
        allows(N1, own);
        denies(N2, own, "can only access node lease with the same name as the requesting node");
        denies(
                N1,
                Attributes.resource("update", "coordination.k8s.io", "v1", "leases", "", "kube-system", "n1"),
                "can only access leases in the \"kube-node-lease\" system namespace");
    }

    @Test
    void givenAUserThatOnlyLooksLikeANode_whenAsked_thenNoOpinion() {
        denies(UserInfo.of("system:node:n1"), get("nodes", "", "n1"), "");
        denies(UserInfo.of("n1", "system:nodes"), get("nodes", "", "n1"), "");
        denies(
                UserInfo.of("system:node:", "system:nodes"),
                get("nodes", "", "n1"),
                "unknown node for user \"system:node:\"");
    }
}
