package io.trimtab.junit;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static io.trimtab.junit.Workloads.deployment;
import static io.trimtab.junit.Workloads.service;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * What a test says that holds on every cluster: this class runs in virtual time, and by one switch against a kubeconfig; see
 * {@code testing/check-kubeconfig}. Needs three nodes on which pods run.
 */
@TrimtabCluster(nodes = 3)
class AnywhereTest {
    private static final Duration LIMIT = Duration.ofMinutes(2);

    @Test
    void givenADeployment_whenItIsScaledAndDeleted_thenItsPodsFollow(Cluster cluster) {
        Deployment web = cluster.create(deployment("anywhere-web", 3));
        cluster.settle();
        assertThat(cluster.refresh(web)).isComplete();
        assertThat(cluster.pods(web)).hasSize(3).allMatch(Pods::isReady);

        cluster.scale(web, 5).settle();
        assertThat(cluster.pods(web)).hasSize(5).allMatch(Pods::isReady);

        cluster.delete(web).runUntil(() -> pods(cluster).isEmpty(), LIMIT);
        assertThat(cluster.exists(web)).isFalse();
    }

    private static java.util.List<Pod> pods(Cluster cluster) {
        return cluster.list(Pod.class, "default").stream()
                .filter(pod -> pod.getMetadata().getName().startsWith("anywhere-"))
                .toList();
    }

    @Test
    void givenAController_whenServicesComeAndGo_thenItsMapsDoToo(Cluster cluster) {
        cluster.run("mirror", SdkTest::program);
        Service web = cluster.create(service("anywhere-mirrored"));
        cluster.runUntil(() -> cluster.get(ConfigMap.class, "anywhere-mirrored").isPresent(), LIMIT);

        cluster.delete(web)
                .runUntil(
                        () -> cluster.get(ConfigMap.class, "anywhere-mirrored").isEmpty(), LIMIT);
    }

    private static final String DEFINITION = """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: sails.anywhere.trimtab.io}
            spec:
              group: anywhere.trimtab.io
              scope: Namespaced
              names: {kind: Sail, plural: sails, singular: sail, listKind: SailList}
              versions:
              - name: v1
                served: true
                storage: true
                subresources: {status: {}}
                schema:
                  openAPIV3Schema:
                    type: object
                    properties:
                      spec:
                        type: object
                        properties: {area: {type: integer, minimum: 1, default: 7}}
            """;

    @Test
    void givenADefinition_whenObjectsAreMade_thenTheyHaveDefaultsOrAreRefused(Cluster cluster) {
        cluster.apply(DEFINITION).settle();
        GenericKubernetesResource sail = sail("anywhere-jib", Map.of());
        cluster.runUntil(() -> isServed(cluster), LIMIT);

        GenericKubernetesResource stored = cluster.create(sail);

        assertThat(stored.<Integer>get("spec", "area")).isEqualTo(7);
        assertThatThrownBy(() -> cluster.create(sail("anywhere-none", Map.of("area", 0))))
                .hasMessageContaining("spec.area: Invalid value: 0")
                .hasMessageContaining("should be greater than or equal to 1");
    }

    private static boolean isServed(Cluster cluster) {
        return cluster
                .client()
                .apiextensions()
                .v1()
                .customResourceDefinitions()
                .withName("sails.anywhere.trimtab.io")
                .get()
                .getStatus()
                .getConditions()
                .stream()
                .anyMatch(
                        c -> c.getType().equals("Established") && c.getStatus().equals("True"));
    }

    private static GenericKubernetesResource sail(String name, Map<String, Object> spec) {
        return new GenericKubernetesResourceBuilder()
                .withApiVersion("anywhere.trimtab.io/v1")
                .withKind("Sail")
                .withNewMetadata()
                .withName(name)
                .withNamespace("default")
                .endMetadata()
                .addToAdditionalProperties("spec", spec)
                .build();
    }

    @Test
    void givenANamespace_whenItIsDeleted_thenAllInItGoes(Cluster cluster) {
        Namespace dock = cluster.create(new NamespaceBuilder()
                .withNewMetadata()
                .withName("anywhere-dock")
                .endMetadata()
                .build());
        cluster.settle();
        Deployment web = deployment("anywhere-web", 2);
        web.getMetadata().setNamespace("anywhere-dock");
        web = cluster.create(web);
        cluster.settle();
        assertThat(cluster.refresh(web)).isComplete();

        cluster.delete(dock).runUntil(() -> !cluster.exists(dock), LIMIT);
        assertThat(cluster.list(Pod.class, "anywhere-dock")).isEmpty();
    }

    @Test
    void givenAMistake_whenAPodIsCreated_thenTheServerNamesIt(Cluster cluster) {
        assertThatThrownBy(() -> cluster.apply("""
                        apiVersion: v1
                        kind: Pod
                        metadata: {name: anywhere-wrong, namespace: default}
                        spec: {containers: [{name: A, image: nginx}]}
                        """))
                .hasMessageContaining(
                        "Pod \"anywhere-wrong\" is invalid: spec.containers[0].name: Invalid value: \"A\"");
    }

    @Test
    void givenAllParameters_whenATestTakesThem_thenTheyReachTheSameCluster(
            Cluster cluster, KubernetesClient fabric8, Client api, Path kubeconfig) throws Exception {
        Service web = cluster.create(service("anywhere-seen"));

        assertThat(fabric8.resource(web).get()).isNotNull();
        assertThat(api.get(ResourceType.of(Service.class), "default", "anywhere-seen"))
                .isPresent();
        try (KubernetesClient outside = new KubernetesClientBuilder()
                .withConfig(io.fabric8.kubernetes.client.Config.fromKubeconfig(Files.readString(kubeconfig)))
                .build()) {
            assertThat(outside.resource(web).get()).isNotNull();
        }
    }
}
