package io.trimtab.standalone.cli;

import io.trimtab.apiserver.callout.ServiceResolver.Routing;
import io.trimtab.apiserver.resource.ServedVersions;
import io.trimtab.features.FeatureGates;
import io.trimtab.standalone.ExtensionOptions;
import io.trimtab.standalone.ExtensionOptions.AuthorizationWebhook;
import io.trimtab.standalone.ExtensionOptions.RequestHeaderOptions;
import io.trimtab.standalone.ExtensionOptions.TokenWebhook;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/** The flags about webhooks, aggregated API servers, and proxies. */
final class ExtensionFlags {
    @Option(
            names = "--enable-aggregator-routing",
            arity = "0..1",
            fallbackValue = "true",
            description = "Reach the Services of webhooks and API servers at their endpoints only; false: at their"
                    + " cluster IP; default: as a client in the cluster does.",
            paramLabel = "true|false")
    private @Nullable Boolean toEndpoints;

    @Option(
            names = "--proxy-client-cert-file",
            paramLabel = "FILE",
            description = "Shown to aggregated API servers; default: one is issued.")
    private @Nullable Path proxyClientCert;

    @Option(
            names = "--proxy-client-key-file",
            paramLabel = "FILE",
            description = "The key of --proxy-client-cert-file.")
    private @Nullable Path proxyClientKey;

    @Option(
            names = "--requestheader-client-ca-file",
            paramLabel = "FILE",
            description = "Authorities of proxies that say who asks; default: one for this server itself.")
    private @Nullable Path requestHeaderCa;

    @Option(
            names = "--requestheader-allowed-names",
            split = ",",
            paramLabel = "NAME",
            description = "Common names that a proxy's certificate may have; default: any.")
    private List<String> allowedNames = List.of();

    @Option(
            names = "--requestheader-username-headers",
            split = ",",
            defaultValue = "X-Remote-User",
            paramLabel = "HEADER",
            description = "Headers in which a proxy names the user.")
    private List<String> userHeaders = List.of();

    @Option(
            names = "--requestheader-uid-headers",
            split = ",",
            defaultValue = "X-Remote-Uid",
            paramLabel = "HEADER",
            description = "Headers in which a proxy names the user's UID.")
    private List<String> uidHeaders = List.of();

    @Option(
            names = "--requestheader-group-headers",
            split = ",",
            defaultValue = "X-Remote-Group",
            paramLabel = "HEADER",
            description = "Headers in which a proxy names the user's groups.")
    private List<String> groupHeaders = List.of();

    @Option(
            names = "--requestheader-extra-headers-prefix",
            split = ",",
            defaultValue = "X-Remote-Extra-",
            paramLabel = "PREFIX",
            description = "What headers of a user's extra attributes begin with.")
    private List<String> extraPrefixes = List.of();

    @Option(
            names = "--authentication-token-webhook-config-file",
            paramLabel = "FILE",
            description = "A kubeconfig that leads to who knows bearer tokens.")
    private @Nullable Path tokenWebhook;

    @Option(
            names = "--authentication-token-webhook-version",
            defaultValue = "v1beta1",
            paramLabel = "VERSION",
            description = "Of the TokenReviews that are sent: v1 or v1beta1.")
    private String tokenVersion = "v1beta1";

    @Option(
            names = "--authentication-token-webhook-cache-ttl",
            defaultValue = "2m",
            converter = DurationConverter.class,
            paramLabel = "TIME",
            description = "How long an answer about a token is believed.")
    private Duration tokenKeep = Duration.ofMinutes(2);

    @Option(
            names = "--authorization-webhook-config-file",
            paramLabel = "FILE",
            description = "A kubeconfig that leads to who knows what users may do; with --authorization-mode Webhook.")
    private @Nullable Path authorizationWebhook;

    @Option(
            names = "--authorization-webhook-version",
            defaultValue = "v1beta1",
            paramLabel = "VERSION",
            description = "Of the SubjectAccessReviews that are sent: v1 or v1beta1.")
    private String authorizationVersion = "v1beta1";

    @Option(
            names = "--authorization-webhook-cache-authorized-ttl",
            defaultValue = "5m",
            converter = DurationConverter.class,
            paramLabel = "TIME",
            description = "How long a yes is believed.")
    private Duration keepAllowed = Duration.ofMinutes(5);

    @Option(
            names = "--authorization-webhook-cache-unauthorized-ttl",
            defaultValue = "30s",
            converter = DurationConverter.class,
            paramLabel = "TIME",
            description = "How long a no is believed.")
    private Duration keepRefused = Duration.ofSeconds(30);

    @Option(
            names = "--feature-gates",
            paramLabel = "NAME=true|false",
            description =
                    "Features of Kubernetes to switch on or off, all those of 1.34, and AllAlpha and AllBeta; here"
                            + " MutatingAdmissionPolicy makes a difference.")
    private List<String> features = List.of();

    @Option(
            names = "--runtime-config",
            split = ",",
            converter = {NameConverter.class, SwitchConverter.class},
            paramLabel = "VERSION=true|false",
            mapFallbackValue = "true",
            description =
                    "Versions of built-in resources to serve or not, as admissionregistration.k8s.io/v1beta1=true;"
                            + " also api/all, api/ga, api/beta, api/alpha.")
    private Map<String, Boolean> versions = Map.of();

    /** The names of the maps' keys. */
    static final class NameConverter implements ITypeConverter<String> {
        @Override
        public String convert(String text) {
            return text.strip();
        }
    }

    /** True and false as Go reads them. */
    static final class SwitchConverter implements ITypeConverter<Boolean> {
        @Override
        public Boolean convert(String text) {
            return switch (text) {
                case "1", "t", "T", "true", "TRUE", "True" -> true;
                case "0", "f", "F", "false", "FALSE", "False" -> false;
                default -> throw new TypeConversionException("\"" + text + "\" is neither true nor false");
            };
        }
    }

    /** @throws ParameterException if a gate is unknown or locked */
    FeatureGates gates(CommandSpec spec) {
        try {
            return FeatureGates.parse(features);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    ExtensionOptions options(CommandSpec spec) {
        Boolean endpoints = toEndpoints;
        return new ExtensionOptions(
                endpoints == null ? Routing.AUTOMATIC : endpoints ? Routing.ENDPOINTS : Routing.CLUSTER_IP,
                proxyClientCert,
                proxyClientKey,
                new RequestHeaderOptions(
                        requestHeaderCa, allowedNames, userHeaders, uidHeaders, groupHeaders, extraPrefixes),
                tokenWebhook == null ? null : new TokenWebhook(tokenWebhook, tokenVersion, tokenKeep),
                authorizationWebhook == null
                        ? null
                        : new AuthorizationWebhook(
                                authorizationWebhook, authorizationVersion, keepAllowed, keepRefused),
                gates(spec),
                new ServedVersions(versions));
    }
}
