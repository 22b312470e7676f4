package io.trimtab.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.HttpClientUtils;
import io.trimtab.apiserver.certificates.Credential;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.client.ResourceType;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.standalone.ApiServerOptions;
import io.trimtab.standalone.Cluster;
import io.trimtab.standalone.ClusterOptions;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A cluster with ports, read by somebody who may do nothing else. */
class LiveClusterTest {
    private static final String OBJECTS = """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: webs.example.com}
            spec:
              group: example.com
              names: {kind: Web, plural: webs, singular: web, listKind: WebList}
              scope: Namespaced
              versions:
              - name: v1
                served: true
                storage: true
                schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web, namespace: default}
            spec:
              replicas: 3
              selector: {matchLabels: {app: web}}
              template:
                metadata: {labels: {app: web}}
                spec: {containers: [{name: web, image: nginx}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: web, namespace: default}
            spec: {selector: {app: web}, ports: [{port: 80}]}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRole
            metadata: {name: reader}
            rules:
            - {apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch]}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: {name: reader}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: reader}]
            """;

    private static Driver driver;
    private static Cluster cluster;

    @BeforeAll
    static void start() throws Exception {
        driver = RealDriver.create("live");
        cluster = Cluster.start(
                ClusterOptions.IN_MEMORY
                        .withApiServer(ApiServerOptions.IN_MEMORY.withPorts(0, -1))
                        .withNodes(List.of("a", "b")),
                driver);
        assertThat(cluster.awaitReady(Duration.ofSeconds(60))).isTrue();
        try (KubernetesClient admin = cluster.apiServer().adminClient()) {
            admin.load(new ByteArrayInputStream(OBJECTS.getBytes(StandardCharsets.UTF_8)))
                    .create();
            admin.apps()
                    .deployments()
                    .inNamespace("default")
                    .withName("web")
                    .waitUntilCondition(
                            web -> web != null
                                    && web.getStatus() != null
                                    && Integer.valueOf(3).equals(web.getStatus().getAvailableReplicas()),
                            60,
                            TimeUnit.SECONDS);
            admin.load(new ByteArrayInputStream("""
                            apiVersion: example.com/v1
                            kind: Web
                            metadata: {name: one, namespace: default}
                            spec: {size: 3}
                            """.getBytes(StandardCharsets.UTF_8)))
                    .create();
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
        driver.close();
    }

    private static Config config(String user, List<String> groups) {
        Credential credential = cluster.apiServer().issueClient(user, groups);
        Base64.Encoder base64 = Base64.getEncoder();
        return new ConfigBuilder(Config.empty())
                .withMasterUrl("https://127.0.0.1:" + cluster.apiServer().securePort() + "/")
                .withCaCertData(base64.encodeToString(
                        cluster.apiServer().certificateAuthority().getBytes(StandardCharsets.UTF_8)))
                .withClientCertData(base64.encodeToString(credential.chainPem().getBytes(StandardCharsets.UTF_8)))
                .withClientKeyData(
                        base64.encodeToString(credential.privateKeyPem().getBytes(StandardCharsets.UTF_8)))
                .withClientKeyAlgo("EC")
                .build();
    }

    @Test
    void givenReader_whenLiveClusterIsImported_thenItGoesOnAsItWas() {
        LiveCluster.Reading reading = LiveCluster.read(config("reader", List.of()), driver);

        assertThat(reading.notes()).isEmpty();
        assertThat(reading.state().objects())
                .extracting(object -> object.path("kind").asText())
                .contains("Web", "Node", "Pod", "Service", "CustomResourceDefinition")
                .doesNotContain("Event");

        Outcome outcome = ClusterSimulation.of(reading.state())
                .length(Duration.ofMinutes(30))
                .run();

        assertThat(outcome.timeline()).as(outcome.text(100, true)).isEmpty();
        assertThat(outcome.notes()).isEmpty();
        assertThat(outcome.differences()).as(outcome.text(100, true)).isEmpty();
        String uid = reading.state().objects().stream()
                .filter(object -> object.path("kind").asText().equals("Web"))
                .findFirst()
                .orElseThrow()
                .path("metadata")
                .path("uid")
                .asText();
        assertThat(outcome.end()
                        .get(new Objects.Key("webs.example.com", "default", "one"))
                        .path("metadata")
                        .path("uid")
                        .asText())
                .isEqualTo(uid);
        assertThat(ControllerPlan.of(reading.state(), "deployment-controller").calls())
                .isEmpty();
    }

    @Test
    void givenImport_whenANodeIsDrained_thenItsPodsMoveAndTheOriginalIsUntouched() {
        ClusterState state =
                LiveCluster.read(config("reader", List.of()), driver).state();

        Outcome outcome = ClusterSimulation.of(state)
                .scenario(Scenario.parse("actions:\n- {at: 1m, drain: a}\n", "test", null))
                .length(Duration.ofMinutes(5))
                .run();

        assertThat(outcome.unfinished()).isEmpty();
        assertThat(outcome.differences()).contains("~ nodes a");
        try (KubernetesClient admin = cluster.apiServer().adminClient()) {
            assertThat(admin.nodes().withName("a").get().getSpec().getUnschedulable())
                    .isNotEqualTo(Boolean.TRUE);
        }
    }

    @Test
    void givenAdministrator_whenAnythingButGetIsSent_thenItNeverLeaves() {
        Config admin = config("admin", List.of("system:masters"));
        ConfigMap map = new ConfigMapBuilder()
                .withNewMetadata()
                .withName("never")
                .withNamespace("default")
                .endMetadata()
                .build();
        try (FabricClient client = Clients.connect(
                LiveCluster.readOnly(HttpClientUtils.getHttpClientFactory()), admin, driver, ClientOptions.DEFAULT)) {
            assertThat(client.raw("GET", "/api/v1/nodes", null)).isNotEmpty();
            assertThatThrownBy(() -> client.create(ResourceType.of(ConfigMap.class), map))
                    .hasStackTraceContaining("a live cluster is only read, but this would be POST");
        }
        try (KubernetesClient client = cluster.apiServer().adminClient()) {
            assertThat(client.configMaps()
                            .inNamespace("default")
                            .withName("never")
                            .get())
                    .isNull();
        }
    }
}
