package io.trimtab.standalone;

import io.trimtab.apiserver.callout.ServiceResolver.Routing;
import io.trimtab.apiserver.resource.ServedVersions;
import io.trimtab.features.FeatureGates;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The servers that an API server asks, or stands before: webhooks and aggregated API servers. Immutable.
 *
 * @param routing how Services are reached
 * @param proxyClientCertFile what this server shows to those behind it; null to issue one
 * @param proxyClientKeyFile its key
 * @param requestHeaders how proxies in front of servers say who asks
 * @param tokenWebhook asked whom bearer tokens stand for; null for none
 * @param authorizationWebhook asked what users may do, in the mode {@code Webhook}; null for none
 * @param features which of Kubernetes' features are on
 * @param versions which versions of the built-in resources are served
 */
public record ExtensionOptions(
        Routing routing,
        @Nullable Path proxyClientCertFile,
        @Nullable Path proxyClientKeyFile,
        RequestHeaderOptions requestHeaders,
        @Nullable TokenWebhook tokenWebhook,
        @Nullable AuthorizationWebhook authorizationWebhook,
        FeatureGates features,
        ServedVersions versions) {

    /** What a server does when nobody says. */
    public static final ExtensionOptions DEFAULT = new ExtensionOptions(
            Routing.AUTOMATIC,
            null,
            null,
            RequestHeaderOptions.DEFAULT,
            null,
            null,
            FeatureGates.DEFAULT,
            ServedVersions.DEFAULT);

    /** The gate of MutatingAdmissionPolicies. */
    public static final String MUTATING_POLICIES = "MutatingAdmissionPolicy";

    ExtensionOptions withFeatures(FeatureGates gates, ServedVersions served) {
        return new ExtensionOptions(
                routing,
                proxyClientCertFile,
                proxyClientKeyFile,
                requestHeaders,
                tokenWebhook,
                authorizationWebhook,
                gates,
                served);
    }

    /**
     * How proxies say who asks.
     *
     * @param clientCaFile authorities of proxies; null to have one of our own
     * @param allowedNames common names of proxies; empty for any
     */
    public record RequestHeaderOptions(
            @Nullable Path clientCaFile,
            List<String> allowedNames,
            List<String> userHeaders,
            List<String> uidHeaders,
            List<String> groupHeaders,
            List<String> extraPrefixes) {
        static final RequestHeaderOptions DEFAULT = new RequestHeaderOptions(
                null,
                List.of(),
                List.of("X-Remote-User"),
                List.of("X-Remote-Uid"),
                List.of("X-Remote-Group"),
                List.of("X-Remote-Extra-"));

        public RequestHeaderOptions {
            allowedNames = List.copyOf(allowedNames);
            userHeaders = List.copyOf(userHeaders);
            uidHeaders = List.copyOf(uidHeaders);
            groupHeaders = List.copyOf(groupHeaders);
            extraPrefixes = List.copyOf(extraPrefixes);
        }
    }

    /**
     * @param configFile a kubeconfig that leads to it
     * @param version of TokenReview
     * @param keep how long answers hold
     */
    public record TokenWebhook(Path configFile, String version, Duration keep) {}

    /**
     * @param configFile a kubeconfig that leads to it
     * @param version of SubjectAccessReview
     * @param keepAllowed how long a yes holds
     * @param keepRefused how long a no holds
     */
    public record AuthorizationWebhook(Path configFile, String version, Duration keepAllowed, Duration keepRefused) {}
}
