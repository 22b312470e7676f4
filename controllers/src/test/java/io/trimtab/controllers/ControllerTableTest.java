package io.trimtab.controllers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class ControllerTableTest {
    /** What Kubernetes 1.34 lists in the help of its manager. */
    private static final List<String> KUBERNETES = List.of(
            "bootstrap-signer-controller",
            "certificatesigningrequest-approving-controller",
            "certificatesigningrequest-cleaner-controller",
            "certificatesigningrequest-signing-controller",
            "cloud-node-lifecycle-controller",
            "clusterrole-aggregation-controller",
            "cronjob-controller",
            "daemonset-controller",
            "deployment-controller",
            "device-taint-eviction-controller",
            "disruption-controller",
            "endpoints-controller",
            "endpointslice-controller",
            "endpointslice-mirroring-controller",
            "ephemeral-volume-controller",
            "garbage-collector-controller",
            "horizontal-pod-autoscaler-controller",
            "job-controller",
            "kube-apiserver-serving-clustertrustbundle-publisher-controller",
            "legacy-serviceaccount-token-cleaner-controller",
            "namespace-controller",
            "node-ipam-controller",
            "node-lifecycle-controller",
            "node-route-controller",
            "persistentvolume-attach-detach-controller",
            "persistentvolume-binder-controller",
            "persistentvolume-expander-controller",
            "persistentvolume-protection-controller",
            "persistentvolumeclaim-protection-controller",
            "pod-garbage-collector-controller",
            "podcertificaterequest-cleaner-controller",
            "replicaset-controller",
            "replicationcontroller-controller",
            "resourceclaim-controller",
            "resourcequota-controller",
            "root-ca-certificate-publisher-controller",
            "selinux-warning-controller",
            "service-cidr-controller",
            "service-lb-controller",
            "serviceaccount-controller",
            "serviceaccount-token-controller",
            "statefulset-controller",
            "storage-version-migrator-controller",
            "storageversion-garbage-collector-controller",
            "taint-eviction-controller",
            "token-cleaner-controller",
            "ttl-after-finished-controller",
            "ttl-controller",
            "validatingadmissionpolicy-status-controller",
            "volumeattributesclass-protection-controller");

    @Test
    void givenKubernetesNames_whenTheyAreSelected_thenEachIsKnownAndNoOther() {
        assertThat(ControllerTable.names()).containsExactlyElementsOf(KUBERNETES);
        assertThatCode(() -> ControllerTable.check(KUBERNETES)).doesNotThrowAnyException();
    }

    @Test
    void givenNamesOfOldReleases_whenTheyAreSelected_thenTheyAreKnownToo() {
        assertThatCode(() -> ControllerTable.check(
                        List.of("*", "-attachdetach", "svm", "resource-claim-controller", "route", "service")))
                .doesNotThrowAnyException();
        assertThat(ControllerTable.isSelected("service-cidr-controller", List.of("*", "-service-cidr-controller")))
                .isFalse();
    }

    @Test
    void givenAnotherName_whenItIsSelected_thenItIsRefusedInTheWordsOfKubernetes() {
        assertThatThrownBy(() -> ControllerTable.check(List.of("*", "-foo")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("\"foo\" is not in the list of known controllers");
        assertThatThrownBy(() -> ControllerTable.check(List.of("")))
                .hasMessage("\"\" is not in the list of known controllers");
    }
}
