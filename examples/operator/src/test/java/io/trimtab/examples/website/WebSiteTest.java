package io.trimtab.examples.website;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.junit.fault.CrashAtEveryWrite;
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
        cluster.run(WebSiteController::controller).settle();
    }

    private static WebSite site(String name, int replicas, String host) {
        WebSite site = new WebSite();
        site.getMetadata().setName(name);
        site.getMetadata().setNamespace("default");
        site.getSpec().replicas = replicas;
        site.getSpec().host = host;
        return site;
    }

    @Test
    void givenASite_whenItIsCreated_thenItRunsAndSaysWhere(Cluster cluster) {
        operator(cluster);
        WebSite shop = cluster.create(site("shop", 3, "shop.example.com"));
        cluster.settle();

        assertThat(cluster.get(Deployment.class, "default", "shop"))
                .hasValueSatisfying(
                        d -> assertThat(d.getStatus().getReadyReplicas()).isEqualTo(3));
        assertThat(cluster.get(Service.class, "default", "shop")).isPresent();
        assertThat(cluster.refresh(shop).getStatus())
                .returns(3, status -> status.readyReplicas)
                .returns(1L, status -> status.observedGeneration)
                .returns("http://shop.default.svc", status -> status.address);
        assertThat(cluster.events(shop)).extracting(Event::getReason).containsExactly("Up");
    }

    @Test
    void givenASite_whenItIsScaledAndItsNodeIsLost_thenItIsWholeAgain(Cluster cluster) {
        operator(cluster);
        WebSite shop = cluster.create(site("shop", 2, ""));
        cluster.settle();
        cluster.edit(shop, s -> s.getSpec().replicas = 6);
        cluster.settle();
        assertThat(cluster.refresh(shop).getStatus().readyReplicas).isEqualTo(6);

        cluster.stopNode("node-1").advance(Duration.ofMinutes(7));

        assertThat(cluster.refresh(shop).getStatus().readyReplicas).isEqualTo(6);
    }

    @Test
    void givenTwoSites_whenOneIsDeleted_thenItsHostGoesAndTheOtherStays(Cluster cluster) {
        operator(cluster);
        WebSite shop = cluster.create(site("shop", 1, "shop.example.com"));
        cluster.create(site("blog", 1, "blog.example.com"));
        cluster.settle();
        // The garbage collector looks for new kinds every half minute.
        cluster.advance(Duration.ofMinutes(1)).delete(shop).settle();

        assertThat(cluster.exists(shop)).isFalse();
        assertThat(cluster.get(Deployment.class, "default", "shop")).isEmpty();
        assertThat(cluster.list(ConfigMap.class, WebSiteController.HOSTS))
                .extracting(map -> map.getMetadata().getName())
                .contains("default.blog")
                .doesNotContain("default.shop");
    }

    @Test
    void givenTooManyReplicas_whenASiteIsCreated_thenTheServerRefuses(Cluster cluster) {
        operator(cluster);
        assertThatThrownBy(() -> cluster.create(site("shop", 101, "")))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining("spec.replicas: Invalid value: 101");
    }

    /** Before and after each of its writes the operator dies once, and is started anew: the end is the same. */
    @CrashAtEveryWrite
    void givenACrashAtEachWrite_whenASiteComesAndGoes_thenTheEndIsTheSame(Cluster cluster) {
        operator(cluster);
        WebSite shop = cluster.create(site("shop", 2, "shop.example.com"));
        cluster.advance(Duration.ofMinutes(1));
        assertThat(cluster.refresh(shop).getStatus().readyReplicas).isEqualTo(2);
        cluster.delete(shop).advance(Duration.ofMinutes(1));
        assertThat(cluster.exists(shop)).isFalse();
    }
}
