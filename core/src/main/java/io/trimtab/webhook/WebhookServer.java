package io.trimtab.webhook;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Apply;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Manager;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves {@link Webhooks}, and looks after all that this takes: a certificate authority and a serving certificate in a Secret
 * that all replicas share, their renewal long before they end, the configurations that tell the API server of the webhooks, and
 * the certificates it is to trust. Every replica serves, leader or not, and every replica looks after all this: whoever comes
 * first writes, the others read.
 *
 * <p>The program's role needs get, create and update of the Secret, get and patch of its two webhook configurations, and get and
 * patch of the definitions it converts. Who can read the Secret can pose as the webhook towards the API server, no more.
 *
 * <p>Safe for use by any thread.
 *
 * @since 0.1
 */
public final class WebhookServer implements Manager.Component {
    private static final Logger log = LoggerFactory.getLogger(WebhookServer.class);
    private static final ResourceType<Secret> SECRETS = ResourceType.of(Secret.class);
    private static final ResourceType<CustomResourceDefinition> DEFINITIONS =
            ResourceType.of(CustomResourceDefinition.class);
    private static final ResourceType<ValidatingWebhookConfiguration> VALIDATING =
            ResourceType.of(ValidatingWebhookConfiguration.class);
    private static final ResourceType<MutatingWebhookConfiguration> MUTATING =
            ResourceType.of(MutatingWebhookConfiguration.class);
    /** After a failure, and after another replica was first. */
    private static final Duration AGAIN = Duration.ofSeconds(5);

    private final Driver driver;
    private final Client client;
    private final Webhooks webhooks;
    private final WebhookOptions options;
    private final ServingKeys.Lives lives;
    private final Driver.Lane lane;

    /** On the lane. */
    private @Nullable HttpsPort port;
    /** On the lane. */
    private Driver.@Nullable Timer timer;

    private volatile @Nullable ServingKeys keys; // written on the lane
    private volatile int listening = -1; // written on the lane
    private volatile boolean configured; // written on the lane
    private volatile boolean closed; // set by any thread

    /** A server that does not serve yet; {@link #start} it, or hand it to a manager. */
    public WebhookServer(Driver driver, Client client, Webhooks webhooks, WebhookOptions options) {
        this.driver = driver;
        this.client = client;
        this.webhooks = webhooks;
        this.options = options;
        this.lives = new ServingKeys.Lives(
                options.authorityLife(), options.serverLife(), ServingKeys.Lives.DEFAULT.handOver());
        this.lane = driver.lane("webhooks " + webhooks.name());
    }

    @Override
    public String name() {
        return "webhooks " + webhooks.name();
    }

    /** Begins; returns at once. What cannot be done now is tried again until it can. */
    @Override
    public void start() {
        lane.execute(this::step);
    }

    /** True once the webhooks are served, and the API server has been told of them. */
    public boolean isReady() {
        return configured && (options.port() < 0 || listening >= 0);
    }

    /** The port it listens on; -1 while it does not. */
    public int port() {
        return listening;
    }

    /** The certificates that the API server trusts, in PEM; empty until there are some. */
    public String caBundle() {
        ServingKeys now = keys;
        return now == null ? "" : now.bundle();
    }

    /** What is served. */
    public Webhooks webhooks() {
        return webhooks;
    }

    /** The Secret that holds the certificates. */
    public String secretName() {
        return webhooks.name() + "-webhook-certificates";
    }

    @Override
    public void close() {
        closed = true;
        configured = false;
        lane.execute(() -> {
            if (timer != null) {
                timer.cancel();
            }
            HttpsPort open = port;
            port = null;
            listening = -1;
            if (open != null) {
                open.close();
            }
        });
    }

    // ---- the step, on the lane -------------------------------------------------------------------------------------

    private void step() {
        if (closed) {
            return;
        }
        Duration wait = options.checkEvery();
        try {
            ServingKeys now = ensureKeys();
            if (now == null) {
                wait = AGAIN; // another replica was first: read what it wrote
            } else {
                keys = now;
                serve(now);
                Configurations wanted = new Configurations(webhooks, options, now.bundle());
                if (options.configure()) {
                    configure(wanted);
                } else {
                    inject(wanted);
                }
                configured = true;
            }
        } catch (RuntimeException e) {
            log.warn("Webhooks cannot be looked after, will try again: webhooks={} wait={}", webhooks.name(), AGAIN, e);
            wait = AGAIN;
        }
        timer = driver.schedule(wait, () -> lane.execute(this::step));
    }

    /** The keys as they should be now, as stored; null if somebody else has just changed them. */
    private @Nullable ServingKeys ensureKeys() {
        Secret found = client.get(SECRETS, options.namespace(), secretName()).orElse(null);
        ServingKeys known = found == null ? null : read(found);
        ServingKeys due = known == null
                ? ServingKeys.create(webhooks.name(), options.names(), driver.now(), lives)
                : known.due(webhooks.name(), options.names(), driver.now(), lives);
        if (due == known) {
            return known;
        }
        try {
            if (found == null) {
                client.create(SECRETS, secret(new SecretBuilder(), due));
            } else {
                client.update(SECRETS, secret(new SecretBuilder(found), due));
            }
        } catch (ApiException e) {
            if (e.isConflict() || e.isAlreadyExists() || e.isNotFound() && found != null) {
                return null;
            }
            throw e;
        }
        log.info(
                "Certificates written: webhooks={} secret={}/{} until={}",
                webhooks.name(),
                options.namespace(),
                secretName(),
                due.server().certificate().getNotAfter().toInstant());
        return due;
    }

    private @Nullable ServingKeys read(Secret secret) {
        try {
            Map<String, String> data = new LinkedHashMap<>();
            if (secret.getData() != null) {
                secret.getData()
                        .forEach((key, value) ->
                                data.put(key, new String(Base64.getDecoder().decode(value), StandardCharsets.UTF_8)));
            }
            return ServingKeys.of(data);
        } catch (IllegalArgumentException e) {
            log.warn(
                    "Secret holds no usable certificates, making new ones: secret={}/{} cause={}",
                    options.namespace(),
                    secretName(),
                    e.getMessage());
            return null;
        }
    }

    private Secret secret(SecretBuilder base, ServingKeys content) {
        Map<String, String> data = new LinkedHashMap<>();
        content.toData()
                .forEach((key, value) ->
                        data.put(key, Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8))));
        return base.editOrNewMetadata()
                .withNamespace(options.namespace())
                .withName(secretName())
                .endMetadata()
                .withType(base.getType() == null ? "kubernetes.io/tls" : base.getType())
                .withData(data)
                .build();
    }

    private void serve(ServingKeys now) {
        HttpsPort open = port;
        if (open != null) {
            open.show(now);
        } else if (options.port() >= 0) {
            open = HttpsPort.open(options.bindAddress(), options.port(), webhooks, now, driver);
            port = open;
            listening = open.port();
            log.info("Webhooks are served: webhooks={} port={} paths={}", webhooks.name(), listening, webhooks.paths());
        }
    }

    /** Says the whole of it again each time: what somebody else has changed is put right. */
    private void configure(Configurations wanted) {
        Apply apply = Apply.as(webhooks.name() + "-webhooks", client);
        wanted.validating().ifPresent(apply::object);
        wanted.mutating().ifPresent(apply::object);
        for (Conversion conversion : webhooks.conversions()) {
            convert(conversion, wanted);
        }
    }

    private void convert(Conversion conversion, Configurations wanted) {
        if (client.get(DEFINITIONS, null, conversion.definition()).isEmpty()) {
            throw new IllegalStateException("there is no definition " + conversion.definition() + " to convert yet");
        }
        // Its conversion and nothing else: the rest of the definition is somebody else's.
        var body = KubernetesJson.mapper().createObjectNode();
        body.put("apiVersion", DEFINITIONS.apiVersion()).put("kind", DEFINITIONS.kind());
        body.putObject("metadata").put("name", conversion.definition());
        var webhook = body.putObject("spec")
                .putObject("conversion")
                .put("strategy", "Webhook")
                .putObject("webhook");
        webhook.putArray("conversionReviewVersions").add("v1");
        webhook.set("clientConfig", KubernetesJson.mapper().valueToTree(wanted.client(Webhooks.CONVERT)));
        client.patchOnly(
                DEFINITIONS,
                null,
                conversion.definition(),
                Patch.apply(body.toString(), webhooks.name() + "-webhooks", true));
    }

    // ---- configurations that somebody else keeps -------------------------------------------------------------------

    private void inject(Configurations wanted) {
        if (!webhooks.hooks(false).isEmpty()) {
            inject(VALIDATING, webhooks.name(), found -> {
                ValidatingWebhookConfigurationBuilder changed = new ValidatingWebhookConfigurationBuilder(found);
                for (int i = 0; i < found.getWebhooks().size(); i++) {
                    changed.editWebhook(i)
                            .editOrNewClientConfig()
                            .withCaBundle(wanted.caBundle())
                            .endClientConfig()
                            .endWebhook();
                }
                return changed.build();
            });
        }
        if (!webhooks.hooks(true).isEmpty()) {
            inject(MUTATING, webhooks.name(), found -> {
                MutatingWebhookConfigurationBuilder changed = new MutatingWebhookConfigurationBuilder(found);
                for (int i = 0; i < found.getWebhooks().size(); i++) {
                    changed.editWebhook(i)
                            .editOrNewClientConfig()
                            .withCaBundle(wanted.caBundle())
                            .endClientConfig()
                            .endWebhook();
                }
                return changed.build();
            });
        }
        for (Conversion conversion : webhooks.conversions()) {
            inject(
                    DEFINITIONS,
                    conversion.definition(),
                    found -> new CustomResourceDefinitionBuilder(found)
                            .editSpec()
                            .editOrNewConversion()
                            .editOrNewWebhook()
                            .editOrNewClientConfig()
                            .withCaBundle(wanted.caBundle())
                            .endClientConfig()
                            .endWebhook()
                            .endConversion()
                            .endSpec()
                            .build());
        }
    }

    private interface Change<T> {
        T of(T found);
    }

    private <T extends HasMetadata> void inject(ResourceType<T> type, String named, Change<T> change) {
        Optional<T> found = client.get(type, null, named);
        if (found.isEmpty()) {
            throw new IllegalStateException(
                    "there is no " + type.kind() + " " + named + " to put certificates into yet");
        }
        T changed = change.of(found.get());
        if (!Objects.equals(changed, found.get())) {
            client.update(type, changed); // a conflict throws, and is tried again
        }
    }
}
