package io.trimtab.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Kind;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.Version;
import io.trimtab.client.ResourceType;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Program;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.webhook.Admission.Operation;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Webhooks as a program serves them, called by a real API server. */
@TrimtabCluster(nodes = 0, scheduler = false, controllers = "")
class WebhookServerTest {
    private static final WebhookOptions OPTIONS =
            WebhookOptions.service("default", "hooks").withoutPort();

    private static ConfigMap map(String name, Map<String, String> data) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace("default")
                .endMetadata()
                .withData(data)
                .build();
    }

    private static Program serving(Webhooks webhooks) {
        return process -> {
            WebhookServer server = new WebhookServer(process.driver(), process.api(), webhooks, OPTIONS);
            server.start();
            return server;
        };
    }

    private static Webhooks maps() {
        return Webhooks.named("maps")
                .mutating(ConfigMap.class, (admission, map) -> {
                    map.getData().put("seen", admission.caller().name());
                    return Verdict.allow();
                })
                .validating(
                        ResourceType.of(ConfigMap.class),
                        HookOptions.on(Operation.CREATE, Operation.UPDATE, Operation.DELETE),
                        admission -> admission.object().getData().containsKey("bad")
                                ? Verdict.invalid("data.bad: must not be set")
                                : Verdict.allow().warn("maps are watched"))
                .build();
    }

    @Test
    void givenWebhooksOfAProgram_whenObjectsAreWritten_thenTheyAreChangedAndJudged(Cluster cluster) {
        Webhooks webhooks = maps();
        cluster.answer("hooks.default.svc", webhooks)
                .run("hooks", serving(webhooks))
                .settle();

        ConfigMap good = cluster.create(map("good", Map.of("a", "1")));

        assertThat(good.getData()).containsEntry("a", "1").containsEntry("seen", "admin");
        assertThatThrownBy(() -> cluster.create(map("worse", Map.of("bad", "1"))))
                .hasMessageContaining(
                        "admission webhook \"validate.configmaps.core\" denied the request: data.bad: must not be set");
        cluster.delete(good);
    }

    @Test
    void givenTwoReplicas_whenTheyStart_thenOneSecretAndOneAuthorityServeBoth(Cluster cluster) {
        Webhooks webhooks = maps();
        cluster.answer("hooks.default.svc", webhooks)
                .run("hooks-a", serving(webhooks))
                .run("hooks-b", serving(webhooks))
                .settle()
                .advance(Duration.ofMinutes(1));

        Secret secret = cluster.get(Secret.class, "maps-webhook-certificates").orElseThrow();
        assertThat(secret.getType()).isEqualTo("kubernetes.io/tls");
        assertThat(secret.getData()).containsOnlyKeys("ca.crt", "ca.key", "tls.crt", "tls.key");
        String bundle = secret.getData().get("ca.crt");
        assertThat(cluster.get(ValidatingWebhookConfiguration.class, "maps")
                        .orElseThrow()
                        .getWebhooks())
                .singleElement()
                .satisfies(hook -> {
                    assertThat(hook.getClientConfig().getCaBundle()).isEqualTo(bundle);
                    assertThat(hook.getClientConfig().getService().getPath()).isEqualTo("/validate--v1-configmap");
                    assertThat(hook.getRules().get(0).getOperations()).containsExactly("CREATE", "UPDATE", "DELETE");
                    assertThat(hook.getFailurePolicy()).isEqualTo("Fail");
                });
        assertThat(cluster.get(MutatingWebhookConfiguration.class, "maps")
                        .orElseThrow()
                        .getWebhooks())
                .singleElement()
                .satisfies(
                        hook -> assertThat(hook.getClientConfig().getCaBundle()).isEqualTo(bundle));
    }

    @Test
    void givenCertificatesThatEnd_whenTimePasses_thenTheyAreRenewedAndPublished(Cluster cluster) {
        Webhooks webhooks = maps();
        WebhookOptions brief = OPTIONS.withLives(Duration.ofDays(6), Duration.ofDays(2));
        cluster.answer("hooks.default.svc", webhooks)
                .run("hooks", process -> {
                    WebhookServer server = new WebhookServer(process.driver(), process.api(), webhooks, brief);
                    server.start();
                    return server;
                })
                .settle();
        String first = certificate(cluster, "tls.crt");
        String authority = certificate(cluster, "ca.crt");

        cluster.advance(Duration.ofHours(33));
        assertThat(certificate(cluster, "tls.crt")).isNotEqualTo(first);
        assertThat(certificate(cluster, "ca.crt")).isEqualTo(authority);

        cluster.advance(Duration.ofHours(72));
        assertThat(certificate(cluster, "ca.crt")).isNotEqualTo(authority);
        assertThat(cluster.get(ValidatingWebhookConfiguration.class, "maps")
                        .orElseThrow()
                        .getWebhooks()
                        .get(0)
                        .getClientConfig()
                        .getCaBundle())
                .isEqualTo(certificate(cluster, "ca.crt"));
    }

    private static String certificate(Cluster cluster, String key) {
        return cluster.get(Secret.class, "maps-webhook-certificates")
                .orElseThrow()
                .getData()
                .get(key);
    }

    @Test
    void givenAConfigurationOfSomebodyElses_whenOnlyInjecting_thenItsCertificatesAreSetAndNothingElse(Cluster cluster) {
        Webhooks webhooks = Webhooks.named("theirs")
                .validating(ConfigMap.class, admission -> Verdict.allow())
                .build();
        cluster.apply("""
                apiVersion: admissionregistration.k8s.io/v1
                kind: ValidatingWebhookConfiguration
                metadata: {name: theirs}
                webhooks:
                - name: their.own.name
                  admissionReviewVersions: [v1]
                  sideEffects: None
                  failurePolicy: Ignore
                  clientConfig: {service: {namespace: default, name: hooks, path: /validate--v1-configmap}}
                  rules: [{apiGroups: [""], apiVersions: [v1], resources: [configmaps], operations: [UPDATE]}]
                """);
        cluster.run("hooks", process -> {
                    WebhookServer server =
                            new WebhookServer(process.driver(), process.api(), webhooks, OPTIONS.withConfigure(false));
                    server.start();
                    return server;
                })
                .settle();

        assertThat(cluster.get(ValidatingWebhookConfiguration.class, "theirs")
                        .orElseThrow()
                        .getWebhooks())
                .singleElement()
                .satisfies(hook -> {
                    assertThat(hook.getName()).isEqualTo("their.own.name");
                    assertThat(hook.getFailurePolicy()).isEqualTo("Ignore");
                    assertThat(hook.getClientConfig().getCaBundle()).isNotEmpty();
                });
    }

    // ---- Conversion ------------------------------------------------------------------------------------------------

    /** The version that is stored. */
    @Group("stable.example.com")
    @Version("v2")
    @Kind("Host")
    @Plural("hosts")
    public static class Host extends CustomResource<Host.Spec, Void> implements Namespaced {
        private static final long serialVersionUID = 1;

        /** What is wanted. */
        public static class Spec {
            public String host = "";
            public String port = "";
        }
    }

    /** The version of old. */
    @Group("stable.example.com")
    @Version("v1")
    @Kind("Host")
    @Plural("hosts")
    public static class OldHost extends CustomResource<OldHost.Spec, Void> implements Namespaced {
        private static final long serialVersionUID = 1;

        /** What was wanted. */
        public static class Spec {
            public String hostPort = "";
        }
    }

    private static Host upgraded(OldHost old) {
        Host now = new Host();
        now.setSpec(new Host.Spec());
        String[] parts = old.getSpec().hostPort.split(":");
        now.getSpec().host = parts[0];
        now.getSpec().port = parts[1];
        return now;
    }

    private static OldHost downgraded(Host now) {
        OldHost old = new OldHost();
        old.setSpec(new OldHost.Spec());
        old.getSpec().hostPort = now.getSpec().host + ":" + now.getSpec().port;
        return old;
    }

    @Test
    void givenAConversion_whenObjectsAreReadAndWrittenInBothVersions_thenTheServerConvertsByTheProgram(
            Cluster cluster) {
        String properties = "{type: object, properties: %s}";
        cluster.apply("""
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: hosts.stable.example.com}
                spec:
                  group: stable.example.com
                  scope: Namespaced
                  names: {plural: hosts, singular: host, kind: Host}
                  versions:
                  - name: v2
                    served: true
                    storage: true
                    schema: {openAPIV3Schema: {type: object, properties: {spec: %s}}}
                  - name: v1
                    served: true
                    storage: false
                    schema: {openAPIV3Schema: {type: object, properties: {spec: %s}}}
                """.formatted(
                        properties.formatted("{host: {type: string}, port: {type: string}}"),
                        properties.formatted("{hostPort: {type: string}}")));
        Webhooks webhooks = Webhooks.named("hosts")
                .converting(Conversion.hub(Host.class)
                        .spoke(OldHost.class, Host.class, WebhookServerTest::upgraded, WebhookServerTest::downgraded))
                .build();
        cluster.answer("hooks.default.svc", webhooks)
                .run("hooks", serving(webhooks))
                .settle();
        OldHost old = new OldHost();
        old.getMetadata().setName("a");
        old.getMetadata().setNamespace("default");
        old.getMetadata().setLabels(Map.of("kept", "yes"));
        old.setSpec(new OldHost.Spec());
        old.getSpec().hostPort = "h:80";

        cluster.create(old);

        GenericKubernetesResource now = cluster.api()
                .get(ResourceType.dynamic("stable.example.com", "v2", "hosts", "Host", true), "default", "a")
                .orElseThrow();
        assertThat(now.<String>get("spec", "host")).isEqualTo("h");
        assertThat(now.<String>get("spec", "port")).isEqualTo("80");
        assertThat(now.getMetadata().getLabels()).containsEntry("kept", "yes");
        assertThat(cluster.get(OldHost.class, "a").orElseThrow().getSpec().hostPort)
                .isEqualTo("h:80");
        assertThat(cluster.get(CustomResourceDefinition.class, "hosts.stable.example.com")
                        .orElseThrow()
                        .getSpec()
                        .getConversion()
                        .getStrategy())
                .isEqualTo("Webhook");
    }
}
