package io.trimtab.informer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.trimtab.client.FakeApi;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.runtime.VirtualDriver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a cache holds and what it costs. */
class CompactCacheTest {
    private final VirtualDriver driver = VirtualDriver.create();
    private final FakeApi api = new FakeApi();

    /** As a kubelet leaves it: some 6 KB of JSON, of which a third are managed fields. */
    private static String podJson(int i) {
        String suffix = Integer.toString(i + 60_466_176, 36).substring(1); // five letters and digits
        String template = "app-" + i / 10;
        return """
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"%1$s-7d4b9c6f5d-%2$s","generateName":"%1$s-7d4b9c6f5d-",
            "namespace":"team-%4$d","uid":"0f8fad5b-d9cb-469f-a165-%3$012d","creationTimestamp":"2026-01-05T10:11:12Z",
            "labels":{"app.kubernetes.io/name":"%1$s","app.kubernetes.io/part-of":"shop","pod-template-hash":"7d4b9c6f5d"},
            "annotations":{"prometheus.io/scrape":"true","prometheus.io/port":"8080"},
            "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"%1$s-7d4b9c6f5d",
            "uid":"7c9e6679-7425-40de-944b-%4$012d","controller":true,"blockOwnerDeletion":true}],
            "managedFields":[{"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"2026-01-05T10:11:15Z",
            "fieldsType":"FieldsV1","subresource":"status","fieldsV1":{"f:status":{"f:conditions":{"k:{\\"type\\":\\"Ready\\"}":
            {".":{},"f:status":{},"f:type":{}}},"f:containerStatuses":{},"f:hostIP":{},"f:phase":{},"f:podIP":{}}}}]},
            "spec":{"volumes":[{"name":"config","configMap":{"name":"%1$s","defaultMode":420}},
            {"name":"kube-api-access-%2$s","projected":{"defaultMode":420,"sources":[{"serviceAccountToken":
            {"expirationSeconds":3607,"path":"token"}},{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt",
            "path":"ca.crt"}]}},{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1",
            "fieldPath":"metadata.namespace"}}]}}]}}],
            "containers":[{"name":"main","image":"registry.example.com/shop/%1$s:1.2.3","ports":[{"name":"http",
            "containerPort":8080,"protocol":"TCP"}],"env":[{"name":"LOG_LEVEL","value":"info"},{"name":"POD_NAME",
            "valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.name"}}},{"name":"DB_PASSWORD","valueFrom":
            {"secretKeyRef":{"name":"db","key":"password"}}}],"resources":{"limits":{"cpu":"500m","memory":"512Mi"},
            "requests":{"cpu":"100m","memory":"256Mi"}},"volumeMounts":[{"name":"config","mountPath":"/etc/app"},
            {"name":"kube-api-access-%2$s","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],
            "livenessProbe":{"httpGet":{"path":"/healthz","port":8080,"scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,
            "successThreshold":1,"failureThreshold":3},"readinessProbe":{"httpGet":{"path":"/ready","port":8080,
            "scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3},
            "terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File",
            "imagePullPolicy":"IfNotPresent","securityContext":{"runAsNonRoot":true,"allowPrivilegeEscalation":false}}],
            "restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst",
            "serviceAccountName":"default","serviceAccount":"default","nodeName":"node-%5$d","securityContext":{},
            "schedulerName":"default-scheduler","tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists",
            "effect":"NoExecute","tolerationSeconds":300},{"key":"node.kubernetes.io/unreachable","operator":"Exists",
            "effect":"NoExecute","tolerationSeconds":300}],"priority":0,"enableServiceLinks":true,
            "preemptionPolicy":"PreemptLowerPriority"},
            "status":{"phase":"Running","conditions":[{"type":"PodReadyToStartContainers","status":"True","lastProbeTime":null,
            "lastTransitionTime":"2026-01-05T10:11:14Z"},{"type":"Initialized","status":"True","lastProbeTime":null,
            "lastTransitionTime":"2026-01-05T10:11:12Z"},{"type":"Ready","status":"True","lastProbeTime":null,
            "lastTransitionTime":"2026-01-05T10:11:%6$02dZ"},{"type":"ContainersReady","status":"True","lastProbeTime":null,
            "lastTransitionTime":"2026-01-05T10:11:%6$02dZ"},{"type":"PodScheduled","status":"True","lastProbeTime":null,
            "lastTransitionTime":"2026-01-05T10:11:12Z"}],"hostIP":"10.0.%5$d.1","hostIPs":[{"ip":"10.0.%5$d.1"}],
            "podIP":"10.%7$d.%8$d.7","podIPs":[{"ip":"10.%7$d.%8$d.7"}],"startTime":"2026-01-05T10:11:12Z",
            "containerStatuses":[{"name":"main","state":{"running":{"startedAt":"2026-01-05T10:11:%6$02dZ"}},"lastState":{},
            "ready":true,"restartCount":0,"image":"registry.example.com/shop/%1$s:1.2.3",
            "imageID":"registry.example.com/shop/%1$s@sha256:0123456789abcdef0123456789abcdef0123456789abcdef%4$016d",
            "containerID":"containerd://89abcdef0123456789abcdef0123456789abcdef0123456789abcd%3$010d","started":true}],
            "qosClass":"Burstable"}}
            """.formatted(template, suffix, i, i / 10, i % 100, i % 60, i % 250, i / 250);
    }

    private static Pod pod(int i) {
        try {
            return KubernetesJson.mapper().readValue(podJson(i), Pod.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private SharedInformer<Pod> pods(DefaultInformerFactory factory) {
        SharedInformer<Pod> informer = factory.informer(Pod.class);
        factory.start();
        driver.settle();
        return informer;
    }

    private static long used() {
        for (int i = 0; i < 4; i++) {
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @Test
    void givenPodsOfManyTemplates_whenCached_thenEachTakesLessThanFourKilobytes() {
        int count = 2000;
        FakeApi others = new FakeApi();
        for (int i = 0; i < count; i++) {
            others.put(pod(100_000 + i));
        }
        for (int i = 0; i < count; i++) {
            api.put(pod(i));
        }
        DefaultInformerFactory factory = new DefaultInformerFactory(api.client(driver), driver);
        pods(new DefaultInformerFactory(others.client(driver), driver))
                .count(); // classes, tables and pools are there now
        long before = used();

        SharedInformer<Pod> informer = pods(factory);
        assertThat(informer.count()).isEqualTo(count);

        long each = (used() - before) / count;
        assertThat(each).as("bytes of heap for a pod").isBetween(500L, 4096L);
        assertThat((double) informer.sizeBytes() / count).as("as estimated").isBetween(each * 0.7, each * 2.0);
        System.out.println("bytes of heap for a cached pod: " + each + ", estimated " + informer.sizeBytes() / count);
    }

    @Test
    void givenAPod_whenCached_thenItSaysTheSameButForManagedFields() throws IOException {
        api.put(pod(7));

        Pod cached = pods(new DefaultInformerFactory(api.client(driver), driver))
                .lister()
                .list()
                .get(0);

        JsonNode wanted = KubernetesJson.mapper()
                .valueToTree(api.client(driver)
                        .get(
                                ResourceType.of(Pod.class),
                                "team-0",
                                cached.getMetadata().getName())
                        .orElseThrow());
        ((com.fasterxml.jackson.databind.node.ObjectNode) wanted.get("metadata")).remove("managedFields");
        JsonNode found = KubernetesJson.mapper().valueToTree(cached);
        assertThat(found).isEqualTo(wanted);
        assertThat(KubernetesJson.mapper().readTree(KubernetesJson.write(KubernetesJson.copy(cached))))
                .isEqualTo(KubernetesJson.mapper().readTree(KubernetesJson.write(cached)));
        assertThat(cached.getMetadata().getLabels().get("pod-template-hash")).isEqualTo("7d4b9c6f5d");
        assertThat(cached.getMetadata().getLabels()).doesNotContainKey("absent");
    }

    @Test
    void givenPodsOfOneTemplate_whenCached_thenTheyShareWhatIsEqualAndNobodyCanChangeIt() {
        api.put(pod(1));
        api.put(pod(2));

        List<Pod> cached = pods(new DefaultInformerFactory(api.client(driver), driver))
                .lister()
                .list();

        Pod one = cached.get(0);
        Pod two = cached.get(1);
        assertThat(one.getSpec().getTolerations()).isSameAs(two.getSpec().getTolerations());
        assertThat(one.getMetadata().getLabels()).isSameAs(two.getMetadata().getLabels());
        assertThat(one.getSpec().getContainers().get(0).getResources())
                .isSameAs(two.getSpec().getContainers().get(0).getResources());
        assertThatThrownBy(() -> one.getMetadata().getLabels().put("a", "b"))
                .isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> one.getSpec().getTolerations().clear())
                .isInstanceOf(UnsupportedOperationException.class);
        assertThat(KubernetesJson.copy(one).getMetadata().getLabels())
                .isNotSameAs(one.getMetadata().getLabels());
    }

    @Test
    void givenAProjection_whenCached_thenOnlyThatIsThere() {
        api.put(pod(1));
        ResourceType<Pod> type = ResourceType.of(Pod.class);
        Pod cached = pods(new DefaultInformerFactory(
                        api.client(driver),
                        driver,
                        DefaultInformerFactory.Options.DEFAULT.withTransform(
                                type, Projection.keep("spec.containers.image", "status.phase"))))
                .lister()
                .list()
                .get(0);

        assertThat(cached.getStatus().getPhase()).isEqualTo("Running");
        assertThat(cached.getStatus().getConditions()).isEmpty();
        assertThat(cached.getSpec().getNodeName()).isNull();
        assertThat(cached.getSpec().getContainers()).singleElement().satisfies(container -> {
            assertThat(container.getImage()).startsWith("registry.example.com");
            assertThat(container.getEnv()).isEmpty();
        });
        assertThat(cached.getMetadata().getOwnerReferences()).hasSize(1);
    }

    @Test
    void givenFieldsToDrop_whenCached_thenTheRestIsThere() {
        Pod dropped = Projection.<Pod>drop("metadata.annotations.prometheus\\.io/port", "spec.volumes", "status")
                .apply(pod(1));

        assertThat(dropped.getMetadata().getAnnotations()).containsOnlyKeys("prometheus.io/scrape");
        assertThat(dropped.getSpec().getVolumes()).isEmpty();
        assertThat(dropped.getStatus()).isNull();
        assertThat(dropped.getSpec().getContainers()).hasSize(1);
        assertThat(Projection.<Pod>metadataOnly().apply(pod(1)).getSpec()).isNull();
    }

    @Test
    void givenATransformThatThrows_whenCached_thenTheObjectIsKeptAsItCame() {
        api.put(pod(1));
        Pod cached = pods(new DefaultInformerFactory(
                        api.client(driver),
                        driver,
                        DefaultInformerFactory.Options.DEFAULT.withTransform(ResourceType.of(Pod.class), p -> {
                            throw new IllegalStateException("broken");
                        })))
                .lister()
                .list()
                .get(0);

        assertThat(cached.getStatus().getPhase()).isEqualTo("Running");
    }

    @Test
    void givenMetrics_whenAWatchBreaks_thenTheLagGrowsUntilTheServerIsBack() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        DefaultInformerFactory factory = new DefaultInformerFactory(
                api.client(driver), driver, DefaultInformerFactory.Options.DEFAULT, registry, "");
        ConfigMap map = new ConfigMapBuilder()
                .withNewMetadata()
                .withName("a")
                .withNamespace("n")
                .endMetadata()
                .build();
        api.put(map);
        SharedInformer<ConfigMap> informer = factory.informer(ConfigMap.class);
        factory.start();
        driver.settle();
        assertThat(registry.get("trimtab.informer.objects")
                        .tag("resource", "configmaps")
                        .gauge()
                        .value())
                .isEqualTo(1);
        assertThat(registry.get("trimtab.informer.bytes").gauge().value()).isBetween(200.0, 4000.0);
        assertThat(informer.lag()).isZero();

        api.serve("/api/v1/configmaps", false);
        api.endWatches(new IOException("gone"));
        driver.advance(Duration.ofMinutes(5));
        assertThat(informer.lag()).isGreaterThan(Duration.ofMinutes(4));
        assertThat(registry.get("trimtab.informer.lag.seconds").gauge().value()).isGreaterThan(240);

        api.serve("/api/v1/configmaps", true);
        driver.advance(Duration.ofMinutes(2));
        assertThat(informer.lag()).isZero();
    }
}
