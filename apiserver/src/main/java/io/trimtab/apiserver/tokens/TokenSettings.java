package io.trimtab.apiserver.tokens;

import java.util.List;

/**
 * How service account tokens are made.
 *
 * @param issuer the URL that stands in each token
 * @param audiences the names by which the API server goes; tokens that ask for none are meant for these
 * @param maxExpirationSeconds the longest life that may be asked for; 0 for no bound of our own
 * @param extendExpiration whether the tokens that pods get by themselves live for a year, with a warning after an hour
 */
public record TokenSettings(
        String issuer, List<String> audiences, long maxExpirationSeconds, boolean extendExpiration) {
    /** As a cluster has them that nobody configured: the issuer is the API server's name inside the cluster. */
    public static final TokenSettings DEFAULT = of("https://kubernetes.default.svc");

    public TokenSettings {
        audiences = List.copyOf(audiences);
    }

    /** The issuer, which is the audience too. */
    public static TokenSettings of(String issuer) {
        return new TokenSettings(issuer, List.of(issuer), 0, true);
    }
}
