package io.trimtab.apiserver.admission;

import static io.trimtab.apiserver.admission.AdmissionFixture.BOB;
import static io.trimtab.apiserver.resource.CoreResources.CONFIG_MAPS;
import static io.trimtab.apiserver.resource.CoreResources.PODS;
import static io.trimtab.apiserver.resource.CoreResources.RESOURCE_QUOTAS;
import static io.trimtab.apiserver.resource.CoreResources.SERVICES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ResourceQuotaTest {
    private final AdmissionFixture cluster = new AdmissionFixture();

    @AfterEach
    void close() {
        cluster.close();
    }

    private void quota(String name, String hard, String used, String spec) {
        cluster.cluster.put(
                RESOURCE_QUOTAS,
                "metadata: {name: " + name + ", namespace: default}\nspec: {" + spec + "}\nstatus: {hard: {" + hard
                        + "}, used: {" + used + "}}");
    }

    private String used(String name, String resource) {
        return cluster.cluster
                .storage
                .get(RESOURCE_QUOTAS, "default", name)
                .orElseThrow()
                .tree()
                .path("status")
                .path("used")
                .path(resource)
                .asText();
    }

    private void pod(String name, String resources) {
        cluster.create(
                PODS,
                "metadata: {name: " + name + "}\nspec: {containers: [{name: c, resources: {" + resources + "}}]}");
    }

    @Test
    void givenACount_whenItIsReached_thenForbidden() {
        quota("q", "configmaps: 1, count/services: 5", "configmaps: 0, count/services: 0", "");

        cluster.create(CONFIG_MAPS, "metadata: {name: one}");

        assertThat(used("q", "configmaps")).isEqualTo("1");
        assertThatThrownBy(() -> cluster.create(CONFIG_MAPS, "metadata: {name: two}"))
                .hasMessage("configmaps \"two\" is forbidden: exceeded quota: q, requested: configmaps=1, used:"
                        + " configmaps=1, limited: configmaps=1");
        assertThat(used("q", "count/services")).isEqualTo("0");
    }

    @Test
    void givenADryRun_whenItFits_thenItIsNotCharged() {
        quota("q", "configmaps: 1", "configmaps: 0", "");

        cluster.create(BOB, CONFIG_MAPS, "", "metadata: {name: one}", true);

        assertThat(used("q", "configmaps")).isEqualTo("0");
    }

    @Test
    void givenAQuotaThatNobodyHasCounted_whenAnObjectComes_thenItPasses() {
        cluster.cluster.put(RESOURCE_QUOTAS, "metadata: {name: q, namespace: default}\nspec: {hard: {configmaps: 0}}");

        cluster.create(CONFIG_MAPS, "metadata: {name: one}");
    }

    @Test
    void givenComputeQuotas_whenAPodDoesNotSayWhatItNeeds_thenForbidden() {
        quota("q", "requests.cpu: '1', limits.memory: 1Gi", "requests.cpu: '0', limits.memory: '0'", "");

        assertThatThrownBy(() -> pod("p", ""))
                .hasMessage("pods \"p\" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu"
                        + " for: c");
    }

    @Test
    void givenComputeQuotas_whenPodsUseThemUp_thenTheNextIsForbidden() {
        quota(
                "q",
                "pods: 10, requests.cpu: '1', limits.memory: 1Gi",
                "pods: 0, requests.cpu: '0', limits.memory: '0'",
                "");

        pod("a", "requests: {cpu: 600m}, limits: {memory: 512Mi}");

        assertThat(used("q", "requests.cpu")).isEqualTo("600m");
        assertThat(used("q", "limits.memory")).isEqualTo("512Mi");
        assertThatThrownBy(() -> pod("b", "requests: {cpu: 500m}, limits: {memory: 256Mi}"))
                .hasMessage("pods \"b\" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used:"
                        + " requests.cpu=600m, limited: requests.cpu=1");
        assertThat(used("q", "pods")).isEqualTo("1");
    }

    @Test
    void givenInitContainersAndSidecars_whenCharged_thenWhatThePodNeedsAtMost() {
        quota("q", "requests.cpu: '10'", "requests.cpu: '0'", "");

        cluster.create(PODS, """
                metadata: {name: p}
                spec:
                  initContainers:
                  - {name: side, restartPolicy: Always, resources: {requests: {cpu: 100m}}}
                  - {name: init, resources: {requests: {cpu: '2'}}}
                  containers:
                  - {name: c, resources: {requests: {cpu: '1'}}}
                """);

        assertThat(used("q", "requests.cpu")).isEqualTo("2100m");
    }

    @Test
    void givenScopes_whenAPodIsOutside_thenItIsNotCharged() {
        quota("best", "pods: 1", "pods: 0", "scopes: [BestEffort]");
        quota("rest", "pods: 5", "pods: 0", "scopes: [NotBestEffort]");
        quota("ends", "pods: 0", "pods: 0", "scopes: [Terminating]");

        pod("p", "requests: {cpu: 1}");
        pod("q", "");

        assertThat(used("best", "pods")).isEqualTo("1");
        assertThat(used("rest", "pods")).isEqualTo("1");
        assertThatThrownBy(() -> cluster.create(
                        PODS,
                        "metadata: {name: r}\nspec: {activeDeadlineSeconds: 5, containers: [{name: c, resources:"
                                + " {requests: {cpu: 1}}}]}"))
                .hasMessageContaining("exceeded quota: ends");
    }

    @Test
    void givenPriorityScopes_whenAPodHasTheClass_thenOnlyItIsCharged() {
        quota(
                "high",
                "pods: 0",
                "pods: 0",
                "scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}");
        cluster.cluster.put(
                io.trimtab.apiserver.resource.CoreResources.PRIORITY_CLASSES, "metadata: {name: high}\nvalue: 9");

        pod("p", "");
        assertThatThrownBy(() ->
                        cluster.create(PODS, "metadata: {name: h}\nspec: {priorityClassName: high, containers: []}"))
                .hasMessageContaining("exceeded quota: high");
    }

    @Test
    void givenAService_whenItBecomesANodePort_thenOnlyTheDifferenceIsCharged() {
        quota("q", "services: 1, services.nodeports: 1", "services: 1, services.nodeports: 0", "");

        cluster.update(
                BOB,
                SERVICES,
                "",
                "metadata: {name: s}\nspec: {type: ClusterIP, ports: [{port: 1}]}",
                "metadata: {name: s}\nspec: {type: NodePort, ports: [{port: 1}]}");

        assertThat(used("q", "services")).isEqualTo("1");
        assertThat(used("q", "services.nodeports")).isEqualTo("1");
        assertThatThrownBy(() -> cluster.update(
                        BOB,
                        SERVICES,
                        "",
                        "metadata: {name: s}\nspec: {type: NodePort, ports: [{port: 1}]}",
                        "metadata: {name: s}\nspec: {type: NodePort, ports: [{port: 1}, {port: 2}]}"))
                .hasMessage("services \"s\" is forbidden: exceeded quota: q, requested: services.nodeports=1, used:"
                        + " services.nodeports=1, limited: services.nodeports=1");
    }
}
