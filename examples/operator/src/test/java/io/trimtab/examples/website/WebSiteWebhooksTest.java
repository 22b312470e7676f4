package io.trimtab.examples.website;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.webhook.WebhookServer;
import io.trimtab.webhook.Webhooks;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The webhooks as the API server calls them: no socket, but the configuration, the certificates and the reviews are real. */
@TrimtabCluster(nodes = 0, scheduler = false, controllers = "")
class WebSiteWebhooksTest {

    @BeforeEach
    void serve(Cluster cluster) {
        Webhooks webhooks = WebSiteWebhooks.webhooks();
        cluster.applyFile("k8s/websites.yaml")
                .answer("website-operator.website-operator.svc", webhooks)
                .run("website-operator", process -> {
                    WebhookServer server = new WebhookServer(
                            process.driver(),
                            process.api(),
                            webhooks,
                            WebSiteWebhooks.options().withoutPort());
                    server.start();
                    return server;
                })
                .settle();
    }

    private static WebSite site(String host) {
        WebSite site = new WebSite();
        site.getMetadata().setName("shop");
        site.getMetadata().setNamespace("default");
        site.getSpec().host = host;
        return site;
    }

    @Test
    void givenAHostInCapitals_whenASiteIsCreated_thenItIsStoredInSmallLetters(Cluster cluster) {
        assertThat(cluster.create(site(" Shop.Example.COM ")).getSpec().host).isEqualTo("shop.example.com");
    }

    @Test
    void givenSomethingThatIsNoHost_whenASiteIsCreated_thenItIsRefusedWithTheReason(Cluster cluster) {
        assertThatThrownBy(() -> cluster.create(site("not a host")))
                .hasMessageContaining("admission webhook \"validate.websites.examples.trimtab.io\" denied the request: "
                        + "spec.host: \"not a host\" is not the name of a host");
    }

    @Test
    void givenASiteOfTheFirstVersion_whenCreated_thenBothVersionsShowIt(Cluster cluster) {
        WebSiteV1Alpha1 old = new WebSiteV1Alpha1();
        old.getMetadata().setName("shop");
        old.getMetadata().setNamespace("default");
        old.getSpec().size = 3;
        old.getSpec().url = "http://shop.example.com";

        cluster.create(old);

        assertThat(cluster.get(WebSite.class, "shop").orElseThrow().getSpec())
                .returns(3, spec -> spec.replicas)
                .returns("shop.example.com", spec -> spec.host);
        assertThat(cluster.get(WebSiteV1Alpha1.class, "shop").orElseThrow().getSpec())
                .returns(3, spec -> spec.size)
                .returns("http://shop.example.com", spec -> spec.url);
    }
}
