package io.trimtab.standalone;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.micrometer.core.instrument.MeterRegistry;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.admission.webhook.MutatingWebhooks;
import io.trimtab.apiserver.admission.webhook.ValidatingWebhooks;
import io.trimtab.apiserver.aggregation.Aggregator;
import io.trimtab.apiserver.auth.Authenticator;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.RequestHeaders;
import io.trimtab.apiserver.auth.TokenAuthenticator;
import io.trimtab.apiserver.auth.WebhookAuthorizer;
import io.trimtab.apiserver.auth.WebhookTokens;
import io.trimtab.apiserver.authorization.AuthorizationConfig;
import io.trimtab.apiserver.callout.HttpsTransport;
import io.trimtab.apiserver.callout.LocalCallouts;
import io.trimtab.apiserver.callout.ServiceResolver;
import io.trimtab.apiserver.callout.WebhookClient;
import io.trimtab.apiserver.callout.WebhookServer;
import io.trimtab.apiserver.certificates.CertificateAuthority;
import io.trimtab.apiserver.certificates.Credential;
import io.trimtab.apiserver.certificates.Pem;
import io.trimtab.apiserver.customresources.ConversionWebhooks;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** Makes the parts of an API server that call other servers, or are called by proxies. Used by the thread that starts it. */
final class Extensions {
    private static final String USER_AGENT = "kube-apiserver-admission";
    private static final String PROXY = "front-proxy-client";

    private final ExtensionOptions options;
    private final Storage storage;
    private final Driver driver;
    private final MeterRegistry metrics;
    private final LocalCallouts callouts;
    private final List<AutoCloseable> parts;

    /**
     * Who proxies are.
     *
     * @param authoritiesPem in PEM, of all of them
     * @param client what this server shows to those behind it; null for nothing
     */
    record Proxies(
            String authoritiesPem,
            List<String> allowedNames,
            @Nullable Credential client) {}

    /** @param parts gets what is to be closed with the server */
    Extensions(
            ExtensionOptions options,
            Storage storage,
            Driver driver,
            MeterRegistry metrics,
            IntSupplier securePort,
            List<AutoCloseable> parts) {
        this.options = options;
        this.storage = storage;
        this.driver = driver;
        this.metrics = metrics;
        this.parts = parts;
        this.callouts = new LocalCallouts(
                new HttpsTransport(driver, new ServiceResolver(storage, driver, options.routing(), securePort)));
        parts.add(callouts);
    }

    LocalCallouts callouts() {
        return callouts;
    }

    ConversionWebhooks conversions() {
        return new ConversionWebhooks(new WebhookClient(callouts, USER_AGENT), driver, metrics);
    }

    List<AdmissionPlugin> webhooks(ResourceRegistry resources, Authorizer authorizer) {
        WebhookClient client = new WebhookClient(callouts, USER_AGENT);
        MutatingWebhooks mutating = new MutatingWebhooks(storage, resources, client, authorizer, driver, metrics);
        ValidatingWebhooks validating = new ValidatingWebhooks(storage, resources, client, authorizer, driver, metrics);
        parts.add(mutating);
        parts.add(validating);
        return List.of(mutating, validating);
    }

    Aggregator aggregator(ResourceRegistry resources, @Nullable Proxies proxies) {
        Credential client = proxies == null ? null : proxies.client();
        Aggregator aggregator = Aggregator.start(storage, resources, callouts, client, metrics, driver);
        parts.add(aggregator);
        return aggregator;
    }

    Optional<TokenAuthenticator> tokenWebhook(List<String> audiences) {
        ExtensionOptions.TokenWebhook webhook = options.tokenWebhook();
        if (webhook == null) {
            return Optional.empty();
        }
        return Optional.of(new WebhookTokens(
                new WebhookClient(callouts, "kube-apiserver"),
                server("--authentication-token-webhook-config-file", webhook.configFile()),
                webhook.version(),
                webhook.keep(),
                audiences,
                driver));
    }

    Authorizer authorizationWebhook() {
        ExtensionOptions.AuthorizationWebhook webhook = options.authorizationWebhook();
        if (webhook == null) {
            throw new StartException("authorization-mode Webhook's authorization config file not passed");
        }
        return new WebhookAuthorizer(
                new WebhookClient(callouts, "kube-apiserver"),
                server("--authorization-webhook-config-file", webhook.configFile()),
                WebhookAuthorizer.Settings.of(webhook.version(), webhook.keepAllowed(), webhook.keepRefused()),
                driver);
    }

    /** @throws IllegalArgumentException if its kubeconfig leads nowhere */
    Authorizer authorizationWebhook(AuthorizationConfig.Webhook webhook) {
        return new WebhookAuthorizer(
                new WebhookClient(callouts, "kube-apiserver"),
                WebhookServer.read(webhook.kubeconfig()),
                new WebhookAuthorizer.Settings(
                        webhook.version(),
                        webhook.keepAllowed(),
                        webhook.keepRefused(),
                        webhook.timeout(),
                        webhook.denies(),
                        webhook.conditions()),
                driver);
    }

    private static WebhookServer server(String flag, Path file) {
        try {
            return WebhookServer.read(file);
        } catch (IllegalArgumentException e) {
            throw new StartException(flag + " " + e.getMessage(), e);
        }
    }

    // ---- Proxies -------------------------------------------------------------------------------------------------

    /**
     * Who proxies are, for a server that listens. Without files there is an authority of our own, for nothing but this server's
     * own calls to those behind it.
     *
     * @param pki where keys are kept; null for nowhere
     */
    static Proxies proxies(ExtensionOptions options, @Nullable Path pki, Driver driver) {
        Path caFile = options.requestHeaders().clientCaFile();
        Path certFile = options.proxyClientCertFile();
        Credential client = null;
        if (certFile != null) {
            Path keyFile = options.proxyClientKeyFile();
            if (keyFile == null) {
                throw new StartException("--proxy-client-cert-file needs --proxy-client-key-file FILE");
            }
            client = credential(certFile, keyFile);
        }
        if (caFile != null) {
            String pem = read("--requestheader-client-ca-file", caFile);
            return new Proxies(pem, options.requestHeaders().allowedNames(), client);
        }
        Path directory = pki == null ? null : pki.resolve("front-proxy");
        CertificateAuthority authority =
                directory == null ? CertificateAuthority.create(driver) : CertificateAuthority.open(directory, driver);
        if (client == null) {
            // Nobody but servers behind this one reads it: any kind of key will do, and this kind is made at once.
            client = authority.issueClient(PROXY, List.of());
        }
        return new Proxies(authority.certificatePem(), List.of(PROXY), client);
    }

    private static Credential credential(Path certFile, Path keyFile) {
        try {
            return new Credential(
                    Pem.privateKey(read("--proxy-client-key-file", keyFile)),
                    Pem.certificates(read("--proxy-client-cert-file", certFile)));
        } catch (IllegalArgumentException e) {
            throw new StartException("--proxy-client-cert-file " + certFile + ": " + e.getMessage(), e);
        }
    }

    private static String read(String flag, Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new StartException(flag + " " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    List<Authenticator> proxyAuthenticators(@Nullable Proxies proxies) {
        if (proxies == null) {
            return List.of();
        }
        ExtensionOptions.RequestHeaderOptions headers = options.requestHeaders();
        return List.of(new RequestHeaders(
                new RequestHeaders.Settings(
                        Pem.certificates(proxies.authoritiesPem()),
                        proxies.allowedNames(),
                        headers.userHeaders(),
                        headers.uidHeaders(),
                        headers.groupHeaders(),
                        headers.extraPrefixes()),
                driver));
    }

    /** What servers behind this one read to believe it. */
    Map<String, String> published(@Nullable Proxies proxies) {
        if (proxies == null) {
            return Map.of();
        }
        ExtensionOptions.RequestHeaderOptions headers = options.requestHeaders();
        Map<String, String> data = new LinkedHashMap<>();
        data.put("requestheader-allowed-names", json(proxies.allowedNames()));
        data.put("requestheader-client-ca-file", proxies.authoritiesPem());
        data.put("requestheader-extra-headers-prefix", json(headers.extraPrefixes()));
        data.put("requestheader-group-headers", json(headers.groupHeaders()));
        data.put("requestheader-uid-headers", json(headers.uidHeaders()));
        data.put("requestheader-username-headers", json(headers.userHeaders()));
        return Collections.unmodifiableMap(data);
    }

    private static String json(List<String> texts) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        new ArrayList<>(texts).forEach(array::add);
        return array.toString();
    }
}
