package io.trimtab.apiserver.admission;

import static io.trimtab.apiserver.admission.AdmissionFixture.NODE;
import static io.trimtab.apiserver.resource.CoreResources.LEASES;
import static io.trimtab.apiserver.resource.CoreResources.NODES;
import static io.trimtab.apiserver.resource.CoreResources.PODS;
import static io.trimtab.apiserver.resource.CoreResources.SERVICE_ACCOUNTS;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NodeRestrictionTest {
    private final AdmissionFixture cluster = new AdmissionFixture();

    @BeforeEach
    void enable() {
        cluster.enable("NodeRestriction");
        cluster.cluster.put(PODS, "metadata: {name: mine, namespace: default, uid: m}\nspec: {nodeName: n1}");
        cluster.cluster.put(PODS, "metadata: {name: other, namespace: default, uid: o}\nspec: {nodeName: n2}");
        cluster.cluster.put(NODES, "metadata: {name: n1, uid: node-uid}");
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    @Test
    void givenANode_whenItWritesAnotherNode_thenForbidden() {
        assertThatThrownBy(() -> cluster.update(NODE, NODES, "", "metadata: {name: n2}", "metadata: {name: n2}"))
                .hasMessage("nodes \"n2\" is forbidden: node \"n1\" is not allowed to modify node \"n2\"");
        cluster.update(NODE, NODES, "status", "metadata: {name: n1}", "metadata: {name: n1}");
    }

    @Test
    void givenANode_whenItChangesItsTaintsOrLabels_thenForbidden() {
        assertThatThrownBy(() -> cluster.update(
                        NODE,
                        NODES,
                        "",
                        "metadata: {name: n1}\nspec: {taints: [{key: a, effect: NoSchedule}]}",
                        "metadata: {name: n1}"))
                .hasMessage("nodes \"n1\" is forbidden: node \"n1\" is not allowed to modify taints");
        assertThatThrownBy(() -> cluster.update(
                        NODE,
                        NODES,
                        "",
                        "metadata: {name: n1}",
                        "metadata: {name: n1, labels: {node-restriction.kubernetes.io/a: b, kubernetes.io/os: linux}}"))
                .hasMessage(
                        "nodes \"n1\" is forbidden: is not allowed to modify labels: node-restriction.kubernetes.io/a");
        assertThatThrownBy(() -> cluster.create(
                        NODE, NODES, "", "metadata: {name: n1, labels: {foo.k8s.io/a: b, mine: c}}", false))
                .hasMessage("nodes \"n1\" is forbidden: node \"n1\" is not allowed to set the following labels:"
                        + " foo.k8s.io/a");
    }

    @Test
    void givenANode_whenItCreatesAPod_thenOnlyAMirrorOfItsOwn() {
        String mirror = """
                metadata:
                  name: p
                  annotations: {kubernetes.io/config.mirror: x}
                  ownerReferences: [{apiVersion: v1, kind: Node, name: n1, uid: %s, controller: true}]
                spec: {nodeName: %s, containers: [{name: c}]%s}
                """;

        cluster.create(NODE, PODS, "", mirror.formatted("node-uid", "n1", ""), false);
        assertThatThrownBy(() -> cluster.create(NODE, PODS, "", "metadata: {name: p}\nspec: {nodeName: n1}", false))
                .hasMessageContaining("node \"n1\" can only create mirror pods");
        assertThatThrownBy(() -> cluster.create(NODE, PODS, "", mirror.formatted("node-uid", "n2", ""), false))
                .hasMessageContaining("node \"n1\" can only create pods with spec.nodeName set to itself");
        assertThatThrownBy(() -> cluster.create(NODE, PODS, "", mirror.formatted("wrong", "n1", ""), false))
                .hasMessageContaining("UID mismatch");
        assertThatThrownBy(() -> cluster.create(
                        NODE,
                        PODS,
                        "",
                        mirror.formatted("node-uid", "n1", ", volumes: [{name: v, configMap: {name: m}}]"),
                        false))
                .hasMessageContaining("can not create pods that reference configmaps");
    }

    @Test
    void givenANode_whenItTouchesAPodOfAnother_thenForbidden() {
        assertThatThrownBy(() -> cluster.delete(NODE, PODS, "other"))
                .hasMessageContaining("node \"n1\" can only delete pods with spec.nodeName set to itself");
        cluster.delete(NODE, PODS, "mine");
        assertThatThrownBy(() -> cluster.update(
                        NODE,
                        PODS,
                        "status",
                        "metadata: {name: other}\nspec: {nodeName: n2}",
                        "metadata: {name: other}"))
                .hasMessageContaining("can only update pod status for pods with spec.nodeName set to itself");
        assertThatThrownBy(() -> cluster.update(NODE, PODS, "", "metadata: {name: mine}", "metadata: {name: mine}"))
                .hasMessageContaining("can only create and delete mirror pods");
        assertThatThrownBy(() -> cluster.create(NODE, PODS, "eviction", "metadata: {name: other}", false))
                .hasMessageContaining("node n1 can only evict pods with spec.nodeName set to itself");
    }

    @Test
    void givenANode_whenItAsksForATokenOfAnothersPod_thenForbidden() {
        String request = "metadata: {name: sa}\nspec: {boundObjectRef: {apiVersion: v1, kind: Pod, name: %s, uid: %s}}";

        assertThatThrownBy(
                        () -> cluster.create(NODE, SERVICE_ACCOUNTS, "token", "metadata: {name: sa}\nspec: {}", false))
                .hasMessageContaining("node requested token not bound to a pod");
        assertThatThrownBy(
                        () -> cluster.create(NODE, SERVICE_ACCOUNTS, "token", request.formatted("other", "o"), false))
                .hasMessageContaining("node requested token bound to a pod scheduled on a different node");
        assertThatThrownBy(() -> cluster.create(NODE, SERVICE_ACCOUNTS, "token", request.formatted("mine", "x"), false))
                .hasMessageContaining("does not match the UID in record");
        assertThatThrownBy(() -> cluster.create(NODE, SERVICE_ACCOUNTS, "token", request.formatted("mine", "m"), false))
                .hasMessageContaining("audience \"\" not found in pod spec volume, system:node:n1 is not authorized to"
                        + " request tokens for this audience");
    }

    @Test
    void givenANode_whenItWritesALease_thenOnlyItsOwn() {
        cluster.namespace("kube-node-lease", "");

        cluster.create(NODE, LEASES, "", "metadata: {name: n1, namespace: kube-node-lease}", false);
        assertThatThrownBy(() ->
                        cluster.create(NODE, LEASES, "", "metadata: {name: n2, namespace: kube-node-lease}", false))
                .hasMessageContaining("can only access node lease with the same name as the requesting node");
        assertThatThrownBy(() -> cluster.create(NODE, LEASES, "", "metadata: {name: n1}", false))
                .hasMessageContaining("can only access leases in the \"kube-node-lease\" system namespace");
    }
}
