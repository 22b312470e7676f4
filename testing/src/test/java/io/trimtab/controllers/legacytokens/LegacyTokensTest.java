package io.trimtab.controllers.legacytokens;

import static io.trimtab.junit.Workloads.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.controller.Manager;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Tokens of Secrets: their use is noted, and those that nobody uses are marked, then deleted; after a day here, not a year. */
@TrimtabCluster(nodes = 0, scheduler = false, controllers = "serviceaccount-controller,serviceaccount-token-controller")
class LegacyTokensTest {
    private static final String LAST_USED = "kubernetes.io/legacy-token-last-used";
    private static final String INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";

    private static ServiceAccount account(Cluster cluster, String... secrets) {
        ServiceAccountBuilder account =
                new ServiceAccountBuilder().withNewMetadata().withName("robot").endMetadata();
        for (String secret : secrets) {
            account.addToSecrets(new ObjectReferenceBuilder().withName(secret).build());
        }
        return cluster.create(account.build());
    }

    private static Secret token(Cluster cluster, String name) {
        Secret secret = cluster.create(new SecretBuilder()
                .withNewMetadata()
                .withName(name)
                .addToAnnotations("kubernetes.io/service-account.name", "robot")
                .endMetadata()
                .withType("kubernetes.io/service-account-token")
                .build());
        cluster.settle();
        return secret;
    }

    private static int ask(Cluster cluster, Secret secret) {
        String token = new String(
                Base64.getDecoder().decode(cluster.refresh(secret).getData().get("token")), StandardCharsets.UTF_8);
        ApiRequest request = new ApiRequest(
                "GET",
                "/api/v1/namespaces",
                Map.of(),
                Map.of("authorization", List.of("Bearer " + token)),
                new byte[0],
                new ApiRequest.Peer("10.0.0.1", List.of(), null));
        int code = ((ApiResponse.Whole) cluster.parts().apiServer().server().handle(request)).code();
        cluster.settle();
        return code;
    }

    private static String label(Cluster cluster, Secret secret, String name) {
        Map<String, String> labels = cluster.refresh(secret).getMetadata().getLabels();
        return labels == null ? "" : labels.getOrDefault(name, "");
    }

    private static String today(Cluster cluster) {
        return LocalDate.ofInstant(cluster.now(), ZoneOffset.UTC).toString();
    }

    @Test
    void givenACluster_whenItIsUp_thenItSaysSinceWhenUsesAreNoted(Cluster cluster) {
        ConfigMap tracking = cluster.get(
                        ConfigMap.class, "kube-system", "kube-apiserver-legacy-service-account-token-tracking")
                .orElseThrow();
        assertThat(tracking.getData()).containsExactly(Map.entry("since", today(cluster)));

        cluster.edit(tracking, map -> map.getData().put("since", "yesterday"));
        cluster.advance(Duration.ofMinutes(31));

        assertThat(cluster.refresh(tracking).getData()).containsEntry("since", today(cluster));
    }

    @Test
    void givenAToken_whenItIsUsed_thenItsSecretSaysOnWhichDay(Cluster cluster) {
        account(cluster);
        Secret secret = token(cluster, "robot-token");
        assertThat(label(cluster, secret, LAST_USED)).isEmpty();

        assertThat(ask(cluster, secret)).isEqualTo(403);

        assertThat(label(cluster, secret, LAST_USED)).isEqualTo(today(cluster));
        String version = cluster.refresh(secret).getMetadata().getResourceVersion();
        ask(cluster, secret);
        assertThat(cluster.refresh(secret).getMetadata().getResourceVersion()).isEqualTo(version);
    }

    @Test
    void givenATokenNobodyUses_whenItsTimeHasPassed_thenItIsRefused_andDeletedAfterAsMuchAgain(Cluster cluster) {
        cluster.run("cleaner", process -> {
            Manager manager = process.manager();
            manager.add(LegacyTokenCleaner.component(manager, Duration.ofDays(2)));
            manager.start();
            return manager;
        });
        account(cluster, "made", "used", "mounted");
        Secret made = token(cluster, "made");
        Secret used = token(cluster, "used");
        Secret mounted = token(cluster, "mounted");
        Secret manual = token(cluster, "manual");
        cluster.settle();
        cluster.create(new PodBuilder(pod("reader"))
                .editSpec()
                .addNewVolume()
                .withName("token")
                .withNewSecret()
                .withSecretName("mounted")
                .endSecret()
                .endVolume()
                .endSpec()
                .build());

        cluster.advance(Duration.ofDays(2));
        ask(cluster, used);
        cluster.advance(Duration.ofDays(2).plusHours(1));

        assertThat(label(cluster, made, INVALID_SINCE)).isNotEmpty();
        assertThat(ask(cluster, made)).isEqualTo(401);
        for (Secret kept : List.of(used, mounted, manual)) {
            assertThat(label(cluster, kept, INVALID_SINCE)).isEmpty();
            assertThat(ask(cluster, kept)).isEqualTo(403);
        }
        cluster.edit(made, secret -> secret.getMetadata().getLabels().remove(INVALID_SINCE));
        assertThat(ask(cluster, made)).isEqualTo(403);

        cluster.advance(Duration.ofDays(4));
        assertThat(label(cluster, made, INVALID_SINCE)).isNotEmpty();
        cluster.advance(Duration.ofDays(3));

        assertThat(cluster.exists(made)).isFalse();
        assertThat(cluster.exists(mounted)).isTrue();
        assertThat(cluster.exists(manual)).isTrue();
    }
}
