package io.trimtab.standalone;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who gets into an API server and who decides what they may do, as far as files say it. Immutable.
 *
 * @param authenticationConfig an AuthenticationConfiguration; null for none
 * @param openId an issuer named by flags; null for none
 * @param anonymousSaid whether a flag says if requests without credentials are served
 * @param authorizationConfig an AuthorizationConfiguration, in place of the modes; null for none
 * @param policyFile lines that say who may do what, for the authorizer {@code ABAC}; null for none
 * @param certificates of the server besides its first one, for clients that ask for one of their names
 */
public record AccessOptions(
        @Nullable Path authenticationConfig,
        @Nullable OpenId openId,
        boolean anonymousSaid,
        @Nullable Path authorizationConfig,
        @Nullable Path policyFile,
        List<NamedCertificate> certificates) {

    public AccessOptions {
        certificates = List.copyOf(certificates);
    }

    /** Without a policy file. */
    public AccessOptions(
            @Nullable Path authenticationConfig,
            @Nullable OpenId openId,
            boolean anonymousSaid,
            @Nullable Path authorizationConfig,
            List<NamedCertificate> certificates) {
        this(authenticationConfig, openId, anonymousSaid, authorizationConfig, null, certificates);
    }

    /** With no certificate but the first one. */
    public AccessOptions(
            @Nullable Path authenticationConfig,
            @Nullable OpenId openId,
            boolean anonymousSaid,
            @Nullable Path authorizationConfig) {
        this(authenticationConfig, openId, anonymousSaid, authorizationConfig, List.of());
    }

    /**
     * A certificate and its key, in PEM.
     *
     * @param names that clients ask for; empty for those in the certificate
     */
    public record NamedCertificate(Path certFile, Path keyFile, List<String> names) {
        public NamedCertificate {
            names = List.copyOf(names);
        }
    }

    /** Nothing but what the server makes itself. */
    public static final AccessOptions DEFAULT = new AccessOptions(null, null, false, null);

    /**
     * An issuer of tokens, as the flags {@code --oidc-*} name it.
     *
     * @param usernamePrefix empty for the issuer's URL, unless the claim is {@code email}; a dash for none
     * @param groupsClaim empty for no groups
     * @param requiredClaims and their values
     * @param caFile who vouches for the issuer's server; null for those the JVM trusts
     */
    public record OpenId(
            String issuerUrl,
            String clientId,
            String usernameClaim,
            String usernamePrefix,
            String groupsClaim,
            String groupsPrefix,
            Map<String, String> requiredClaims,
            List<String> signingAlgorithms,
            @Nullable Path caFile) {
        public OpenId {
            requiredClaims = Map.copyOf(requiredClaims);
            signingAlgorithms = List.copyOf(signingAlgorithms);
        }
    }
}
