package io.trimtab.examples.josdk;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.trimtab.josdk.JosdkOperator;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;

@TrimtabCluster
class WebSiteTest {
    private static void operator(Cluster cluster) {
        try (InputStream yaml = Objects.requireNonNull(WebSite.class.getResourceAsStream("/k8s/websites.yaml"))) {
            cluster.apply(new String(yaml.readAllBytes(), StandardCharsets.UTF_8))
                    .settle();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        cluster.parts()
                .manager()
                .add(JosdkOperator.builder(cluster.client(), cluster.driver())
                        .register(new WebSiteReconciler())
                        .build());
        cluster.settle();
    }

    private static WebSite site(int replicas, String host) {
        WebSite site = new WebSite();
        site.getMetadata().setName("shop");
        site.getMetadata().setNamespace("default");
        site.setSpec(new WebSite.Spec());
        site.getSpec().replicas = replicas;
        site.getSpec().host = host;
        return site;
    }

    @Test
    void givenASite_whenItIsCreated_thenItRunsAndSaysWhere(Cluster cluster) {
        operator(cluster);
        WebSite shop = cluster.create(site(3, "shop.example.com"));
        cluster.settle();

        assertThat(cluster.get(Deployment.class, "default", "shop"))
                .hasValueSatisfying(
                        d -> assertThat(d.getStatus().getReadyReplicas()).isEqualTo(3));
        assertThat(cluster.get(Service.class, "default", "shop")).isPresent();
        assertThat(cluster.get(ConfigMap.class, WebSiteReconciler.HOSTS, "default.shop"))
                .hasValueSatisfying(host -> assertThat(host.getData()).containsEntry("host", "shop.example.com"));
        assertThat(cluster.refresh(shop).getStatus())
                .returns(3, status -> status.readyReplicas)
                .returns("http://shop.default.svc", status -> status.address);
    }

    @Test
    void givenASite_whenItIsDeleted_thenWhatItHadGoesToo(Cluster cluster) {
        operator(cluster);
        WebSite shop = cluster.create(site(1, "shop.example.com"));
        cluster.settle();
        // The garbage collector looks for new kinds every half minute.
        cluster.advance(Duration.ofMinutes(1)).delete(shop).settle();

        assertThat(cluster.exists(shop)).isFalse();
        assertThat(cluster.get(Deployment.class, "default", "shop")).isEmpty();
        assertThat(cluster.get(ConfigMap.class, WebSiteReconciler.HOSTS, "default.shop"))
                .isEmpty();
    }

    @Test
    void givenASite_whenItsNodeIsLost_thenItsStatusFollows(Cluster cluster) {
        operator(cluster);
        WebSite shop = cluster.create(site(6, ""));
        cluster.settle();

        cluster.stopNode("node-1").advance(Duration.ofMinutes(1));
        assertThat(cluster.refresh(shop).getStatus().readyReplicas).isEqualTo(4);

        cluster.advance(Duration.ofMinutes(6));
        assertThat(cluster.refresh(shop).getStatus().readyReplicas).isEqualTo(6);
    }
}
