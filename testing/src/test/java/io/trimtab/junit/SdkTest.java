package io.trimtab.junit;

import static io.trimtab.junit.Workloads.deployment;
import static io.trimtab.junit.Workloads.service;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Version;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Result;
import io.trimtab.junit.fault.AnyFault;
import io.trimtab.junit.fault.CrashAtEveryWrite;
import io.trimtab.junit.fault.StaleReads;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What authors of controllers have of the kit, besides a cluster: each feature once. */
@TrimtabCluster(nodes = 0, scheduler = false, controllers = "garbage-collector-controller,namespace-controller")
class SdkTest {
    private static final ResourceType<ConfigMap> CONFIG_MAPS = ResourceType.of(ConfigMap.class);

    private static final String ROLE = """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRole
            metadata:
              name: mirror
            rules:
            - apiGroups: [""]
              resources: ["configmaps"]
              verbs: ["list", "watch", "create"]
            - apiGroups: [""]
              resources: ["services"]
              verbs: ["list", "watch"]
            """;

    /** Keeps a ConfigMap beside each Service. */
    static Controller mirror(Manager manager) {
        Client client = manager.client("mirror");
        var services = manager.informers().informer(Service.class).lister();
        var mirrors = manager.informers().informer(ConfigMap.class).lister();
        return Controller.of("mirror", Service.class).owns(ConfigMap.class).reconcile(request -> {
            Service service = services.get(request.namespace(), request.name()).orElse(null);
            if (service == null || request.name().equals("kubernetes")) {
                return Result.done();
            }
            var owner = new OwnerReferenceBuilder()
                    .withApiVersion("v1")
                    .withKind("Service")
                    .withName(request.name())
                    .withUid(service.getMetadata().getUid())
                    .withController(true)
                    .build();
            boolean there = mirrors.get(request.namespace(), request.name())
                    .filter(m -> m.getMetadata().getOwnerReferences().contains(owner))
                    .isPresent();
            if (!there) {
                try {
                    client.create(
                            CONFIG_MAPS,
                            new ConfigMapBuilder()
                                    .withNewMetadata()
                                    .withName(request.name())
                                    .withNamespace(request.namespace())
                                    .withOwnerReferences(owner)
                                    .endMetadata()
                                    .withData(Map.of("service", request.name()))
                                    .build());
                } catch (ApiException e) {
                    if (e.isAlreadyExists()) {
                        return Result.again(); // a former one's is still being collected
                    }
                    throw e;
                }
            }
            return Result.done();
        });
    }

    static AutoCloseable program(Surroundings process) {
        Manager manager = process.manager();
        manager.add(mirror(manager));
        manager.start();
        return manager;
    }

    // ---- Faults by annotation --------------------------------------------------------------------------------------

    @CrashAtEveryWrite
    void givenAController_whenItCrashesAtEachWrite_thenItEndsWhereItWould(Cluster cluster) {
        cluster.run(SdkTest::mirror).apply(service("web"), service("db")).settle();

        assertThat(cluster.get(ConfigMap.class, "web")).isPresent();
        assertThat(cluster.get(ConfigMap.class, "db")).isPresent();
    }

    @StaleReads(runs = 3)
    @AnyFault(runs = 8)
    void givenAController_whenAnythingGoesWrong_thenItEndsWhereItWould(Cluster cluster) {
        cluster.run(SdkTest::mirror).apply(service("web")).settle();

        assertThat(cluster.get(ConfigMap.class, "web")).isPresent();
    }

    @Test
    void givenASeed_whenRunTwiceWithFaults_thenTheHistoriesAreEqualByteForByte() {
        Trials trials = Trials.small().faults();
        Trials.Scenario scenario =
                cluster -> cluster.run(SdkTest::mirror).apply(service("web")).settle();

        for (long seed = 1; seed <= 5; seed++) {
            assertThat(trials.history(scenario, seed))
                    .isEqualTo(trials.history(scenario, seed))
                    .isNotEmpty();
        }
    }

    // ---- Causality -------------------------------------------------------------------------------------------------

    @Test
    void givenAnObject_whenAskedWhy_thenTheAnswerLeadsBackToTheTest(Cluster cluster) {
        cluster.run(SdkTest::mirror).apply(service("web")).settle();

        List<String> why = cluster.why(cluster.get(ConfigMap.class, "web").orElseThrow())
                .lines()
                .toList();

        assertThat(why).hasSize(4);
        assertThat(why.get(0)).contains("mirror: create configmaps default/web -> 201");
        assertThat(why.get(1)).contains("mirror: reconciles default/web, woken by");
        assertThat(why.get(2)).contains("mirror: is told ADDED services default/web");
        assertThat(why.get(3)).contains("test: patch services default/web");
        assertThat(cluster.timeline())
                .contains("<table>", "reconciles default/web")
                .doesNotContain("src=", "href=");
    }

    @Test
    @TrimtabCluster(nodes = 1)
    void givenTheClustersOwnControllers_whenAskedWhyAPodIsThere_thenTheAnswerNamesThem(Cluster cluster) {
        cluster.apply(deployment("web", 1)).settle();

        String why = String.join("\n", cluster.history().why(cluster.pods("web").get(0)));

        assertThat(cluster.history().toString())
                .contains("replicaset-controller: create pods", "deployment-controller: create replicasets");
        assertThat(why).isNotEmpty();
    }

    // ---- Roles -----------------------------------------------------------------------------------------------------

    @Test
    void givenAController_whenItHasWorked_thenItsRoleIsLearned(Cluster cluster) {
        cluster.run(SdkTest::mirror).apply(service("web")).settle();

        assertThat(cluster.program("mirror").learnedRole().toYaml())
                .isEqualTo("""
                apiVersion: rbac.authorization.k8s.io/v1
                kind: ClusterRole
                metadata:
                  name: mirror
                rules:
                - apiGroups: [""]
                  resources: ["configmaps"]
                  verbs: ["list", "watch", "create"]
                - apiGroups: [""]
                  resources: ["services"]
                  verbs: ["list", "watch"]
                """.replace("\"list\", \"watch\"", watchedBy(cluster)));
    }

    /** Streaming lists are watches. */
    private static String watchedBy(Cluster cluster) {
        return cluster.program("mirror").learnedRole().toYaml().contains("\"list\"")
                ? "\"list\", \"watch\""
                : "\"watch\"";
    }

    @Test
    @TrimtabCluster(
            nodes = 0,
            scheduler = false,
            controllers = "garbage-collector-controller,namespace-controller",
            checked = false)
    void givenARole_whenARuleIsMissing_thenTheTestFailsWithTheRule(Cluster cluster) {
        String lesser = ROLE.replace(", \"create\"", "");

        assertThatThrownBy(() -> cluster.run("mirror", lesser, SdkTest::program)
                        .apply(service("web"))
                        .settle())
                .isInstanceOf(OracleViolation.class)
                .hasMessageContaining(
                        """
                            - apiGroups: [""]
                              resources: ["configmaps"]
                              verbs: ["create"]
                        """.stripIndent().strip().lines().findFirst().orElseThrow())
                .hasMessageContaining("verbs: [\"create\"]");
    }

    @Test
    @TrimtabCluster(
            nodes = 0,
            scheduler = false,
            controllers = "garbage-collector-controller,namespace-controller",
            checked = false)
    void givenARole_whenAVerbIsNotUsed_thenTheTestFails(Cluster cluster) {
        String greater = ROLE.replace("\"create\"", "\"create\", \"delete\"");
        cluster.run("mirror", greater, SdkTest::program).apply(service("web")).settle();

        assertThatThrownBy(cluster::assertSound)
                .isInstanceOf(OracleViolation.class)
                .hasMessageContaining("delete configmaps");
    }

    // ---- Plans -----------------------------------------------------------------------------------------------------

    @Test
    void givenAProgram_whenPlanned_thenItsWritesAreToldAndNothingHappens(Cluster cluster) {
        cluster.apply(service("web")).settle();

        Plan plan = cluster.plan("mirror", SdkTest::program);

        assertThat(plan.calls()).hasSize(1);
        assertThat(plan.toString())
                .contains("+ configmaps default/web", "service: \"web\"", "create configmaps default/web");
        assertThat(cluster.get(ConfigMap.class, "web")).isEmpty();
    }

    @Test
    void givenALiveCluster_whenPlannedAgainst_thenItIsOnlyRead(Cluster cluster, KubernetesClient live) {
        cluster.apply(service("web"), service("db")).settle();

        Plan plan = Plan.against(live, "mirror", SdkTest::program, Service.class, ConfigMap.class);

        assertThat(plan.calls()).hasSize(2);
        assertThat(cluster.get(ConfigMap.class, "web")).isEmpty();
        cluster.run(SdkTest::mirror).settle();
        assertThat(Plan.against(live, "mirror", SdkTest::program, Service.class, ConfigMap.class)
                        .isEmpty())
                .isTrue();
    }

    // ---- Custom resources, and ways in -----------------------------------------------------------------------------

    /** A custom resource, as its author writes it. */
    @Group("example.com")
    @Version("v1")
    public static class Site extends CustomResource<SiteSpec, SiteStatus> implements Namespaced {
        private static final long serialVersionUID = 1;
    }

    /** What is wanted. */
    public static class SiteSpec {
        public int pages;
    }

    /** What there is. */
    public static class SiteStatus {
        public int pages;
    }

    @Test
    @TrimtabCluster(nodes = 0, scheduler = false, controllers = "", crds = Site.class)
    void givenAClassOfACustomResource_whenDeclared_thenItIsServedAndValidated(Cluster cluster) {
        Site site = new Site();
        site.getMetadata().setName("web");
        site.setSpec(new SiteSpec());
        site.getSpec().pages = 3;

        cluster.create(site);
        cluster.editStatus(site, s -> {
            s.setStatus(new SiteStatus());
            s.getStatus().pages = 3;
        });

        assertThat(cluster.get(Site.class, "web").orElseThrow().getStatus().pages)
                .isEqualTo(3);
        assertThatThrownBy(() -> cluster.apply("""
                apiVersion: example.com/v1
                kind: Site
                metadata: {name: wrong, namespace: default}
                spec: {pages: many}
                """)).hasMessageContaining("spec.pages");
    }

    @Test
    void givenAClusterInVirtualTime_whenAKubeconfigIsAskedFor_thenProgramsOutsideReachIt(
            Cluster cluster, Config config, Client client) {
        cluster.apply(service("web"));

        try (KubernetesClient outside =
                new KubernetesClientBuilder().withConfig(config).build()) {
            assertThat(outside.services().inNamespace("default").withName("web").get())
                    .isNotNull();
        }
        assertThat(client.get(ResourceType.of(Service.class), "default", "web")).isPresent();
    }

    @Test
    @TrimtabCluster(
            backend = Backend.HTTP,
            nodes = 0,
            scheduler = false,
            controllers = "garbage-collector-controller,namespace-controller")
    void givenTheSameTest_whenOnOurServerInRealTime_thenItHolds(Cluster cluster) {
        cluster.run("mirror", SdkTest::program).apply(service("web")).settle();

        assertThat(cluster.get(ConfigMap.class, "web")).isPresent();
    }

    @Test
    @TrimtabCluster(backend = Backend.K3S)
    void givenTheSameTest_whenOnK3s_thenItHoldsOrSaysWhyNot(Cluster cluster) {
        cluster.run("mirror", SdkTest::program).apply(service("web"));

        cluster.runUntil(() -> cluster.get(ConfigMap.class, "web").isPresent(), java.time.Duration.ofSeconds(30));
    }
}
