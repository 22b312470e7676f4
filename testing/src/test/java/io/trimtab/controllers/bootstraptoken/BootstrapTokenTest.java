package io.trimtab.controllers.bootstraptoken;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Tokens by which nodes join, from their first signature to their end. */
@TrimtabCluster(nodes = 1, controllers = "*,bootstrap-signer-controller,token-cleaner-controller")
class BootstrapTokenTest {

    private static Secret token(String id, Map<String, String> more) {
        Map<String, String> data = new TreeMap<>(Map.of(
                "token-id", id,
                "token-secret", "my voice is my passcode",
                "usage-bootstrap-signing", "true"));
        data.putAll(more);
        return new SecretBuilder()
                .withNewMetadata()
                .withNamespace("kube-system")
                .withName("bootstrap-token-" + id)
                .endMetadata()
                .withType("bootstrap.kubernetes.io/token")
                .withStringData(data)
                .build();
    }

    private static ConfigMap info(String kubeconfig) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace("kube-public")
                .withName("cluster-info")
                .endMetadata()
                .addToData("kubeconfig", kubeconfig)
                .addToData("jws-kubeconfig-ffffff", "of a token that is gone")
                .build();
    }

    private static Map<String, String> data(Cluster cluster) {
        return cluster.get(ConfigMap.class, "kube-public", "cluster-info")
                .orElseThrow()
                .getData();
    }

    @Test
    void givenTokens_whenTheyAreForSigning_thenWhatNodesReadIsSigned(Cluster cluster) {
        cluster.create(info("Hello from the other side. I must have called a thousand times."));
        Secret good = cluster.create(token("joshua", Map.of()));
        cluster.create(token("abcdef", Map.of("usage-bootstrap-signing", "false")));
        cluster.create(token("abcde0", Map.of("token-id", "abcde1")));
        cluster.settle();

        assertThat(data(cluster))
                .containsOnlyKeys("kubeconfig", "jws-kubeconfig-joshua")
                .containsEntry(
                        "jws-kubeconfig-joshua",
                        "eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8");

        cluster.delete(good).settle();
        assertThat(data(cluster)).containsOnlyKeys("kubeconfig");
    }

    @Test
    void givenATokenThatEnds_whenItsTimeComes_thenItIsDeletedAndItsSignatureGoes(Cluster cluster) {
        cluster.create(info("x"));
        Secret ends = cluster.create(token(
                "joshua", Map.of("expiration", cluster.now().plusSeconds(3600).toString())));
        Secret stays = cluster.create(token("abcdef", Map.of()));
        cluster.advance(Duration.ofMinutes(59));
        assertThat(data(cluster)).containsKeys("jws-kubeconfig-joshua", "jws-kubeconfig-abcdef");

        cluster.advance(Duration.ofMinutes(2));

        assertThat(cluster.exists(ends)).isFalse();
        assertThat(cluster.exists(stays)).isTrue();
        assertThat(data(cluster)).doesNotContainKey("jws-kubeconfig-joshua").containsKey("jws-kubeconfig-abcdef");
    }

    @Test
    @TrimtabCluster(nodes = 0)
    void givenNobodyNamedThem_whenTokensCome_thenTheyAreLeftAlone(Cluster cluster) {
        cluster.create(info("x"));
        Secret ended = cluster.create(token("joshua", Map.of("expiration", "2001-01-01T00:00:00Z")));
        cluster.advance(Duration.ofMinutes(1));

        assertThat(cluster.exists(ended)).isTrue();
        assertThat(data(cluster)).containsKey("jws-kubeconfig-ffffff");
    }

    @Test
    void givenANode_whenItRegisters_thenItIsToldForHowLongToBelieve(Cluster cluster) {
        cluster.settle();

        assertThat(cluster.get(Node.class, "node-1").orElseThrow().getMetadata().getAnnotations())
                .containsEntry("node.alpha.kubernetes.io/ttl", "0");
    }
}
