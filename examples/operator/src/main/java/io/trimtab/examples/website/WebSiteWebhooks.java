package io.trimtab.examples.website;

import io.trimtab.webhook.Admission;
import io.trimtab.webhook.Conversion;
import io.trimtab.webhook.Verdict;
import io.trimtab.webhook.WebhookOptions;
import io.trimtab.webhook.Webhooks;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What the operator has to say while a WebSite is being written: hosts are lower case, whatever the user typed; what is no host
 * is refused, which the schema alone cannot say as well; and sites of the first version are read and written as such. Pure
 * functions: {@code WebhookServer} serves them.
 */
final class WebSiteWebhooks {
    /** Where the API server finds them, and their Secret. */
    static final String NAMESPACE = "website-operator";

    private static final Pattern HOST =
            Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+");

    private WebSiteWebhooks() {}

    /** In a pod behind the Service {@code website-operator}, which the manifest makes. */
    static WebhookOptions options() {
        return WebhookOptions.service(NAMESPACE, WebSiteController.NAME).listening("0.0.0.0", 9443);
    }

    static Webhooks webhooks() {
        return Webhooks.named(WebSiteController.NAME)
                .mutating(WebSite.class, (admission, site) -> {
                    site.getSpec().host = site.getSpec().host.strip().toLowerCase(Locale.ROOT);
                    return Verdict.allow();
                })
                .validating(WebSite.class, WebSiteWebhooks::validate)
                .converting(Conversion.hub(WebSite.class)
                        .spoke(
                                WebSiteV1Alpha1.class,
                                WebSite.class,
                                WebSiteWebhooks::upgraded,
                                WebSiteWebhooks::downgraded))
                .build();
    }

    private static Verdict validate(Admission<WebSite> admission) {
        WebSite.Spec spec = admission.object().getSpec();
        if (!spec.host.isEmpty() && !HOST.matcher(spec.host).matches()) {
            return Verdict.invalid(
                    "spec.host: \"" + spec.host + "\" is not the name of a host, such as shop.example.com");
        }
        return spec.replicas == 1
                ? Verdict.allow().warn("spec.replicas: a site with one replica is away while its node is drained")
                : Verdict.allow();
    }

    private static WebSite upgraded(WebSiteV1Alpha1 old) {
        WebSite site = new WebSite();
        site.getSpec().image = old.getSpec().image;
        site.getSpec().replicas = old.getSpec().size;
        site.getSpec().host = old.getSpec().url.replaceFirst("^https?://", "");
        site.setStatus(old.getStatus());
        return site;
    }

    private static WebSiteV1Alpha1 downgraded(WebSite site) {
        WebSiteV1Alpha1 old = new WebSiteV1Alpha1();
        old.getSpec().image = site.getSpec().image;
        old.getSpec().size = site.getSpec().replicas;
        old.getSpec().url = site.getSpec().host.isEmpty() ? "" : "http://" + site.getSpec().host;
        old.setStatus(site.getStatus());
        return old;
    }
}
