package io.trimtab.standalone.cli;

import io.trimtab.standalone.AccessOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** The flags that say who gets in and who decides, by files and by an issuer of tokens; named as Kubernetes names them. */
final class AccessFlags {
    private static final Set<String> MODE_FLAGS = Set.of(
            "--authorization-mode",
            "--authorization-webhook-config-file",
            "--authorization-webhook-version",
            "--authorization-webhook-cache-authorized-ttl",
            "--authorization-webhook-cache-unauthorized-ttl");

    @Option(
            names = "--authentication-config",
            paramLabel = "FILE",
            description = "AuthenticationConfiguration: issuers of tokens, and where one may come without; read again"
                    + " when it changes.")
    private @Nullable Path authenticationConfig;

    @Option(
            names = "--authorization-config",
            paramLabel = "FILE",
            description = "AuthorizationConfiguration, in place of --authorization-mode; read again when it changes.")
    private @Nullable Path authorizationConfig;

    @Option(
            names = "--authorization-policy-file",
            paramLabel = "FILE",
            description = "Who may do what, a JSON object a line, with --authorization-mode ABAC.")
    private @Nullable Path policyFile;

    @Option(
            names = "--tls-sni-cert-key",
            paramLabel = "CERT,KEY[:NAME,...]",
            description = "Certificate for clients that ask for these names; default: those in it. May be repeated.")
    private List<String> certificates = List.of();

    @Option(names = "--oidc-issuer-url", paramLabel = "URL", description = "OpenID Connect issuer to believe.")
    private @Nullable String issuerUrl;

    @Option(names = "--oidc-client-id", paramLabel = "NAME", description = "Whom its tokens must be meant for.")
    private @Nullable String clientId;

    @Option(names = "--oidc-username-claim", paramLabel = "CLAIM", description = "Default: sub.")
    private @Nullable String usernameClaim;

    @Option(
            names = "--oidc-username-prefix",
            paramLabel = "PREFIX",
            description = "Default: the issuer's URL and #, unless the claim is email; - for none.")
    private @Nullable String usernamePrefix;

    @Option(
            names = "--oidc-groups-claim",
            paramLabel = "CLAIM",
            description = "The claim that names the user's groups.")
    private @Nullable String groupsClaim;

    @Option(
            names = "--oidc-groups-prefix",
            paramLabel = "PREFIX",
            description = "Before each group, so that nobody claims one of the cluster's own.")
    private @Nullable String groupsPrefix;

    @Option(names = "--oidc-required-claim", paramLabel = "CLAIM=VALUE", description = "May be repeated.")
    private List<String> requiredClaims = List.of();

    @Option(
            names = "--oidc-signing-algs",
            split = ",",
            paramLabel = "NAME",
            description = "Of RS256 (default), RS384, RS512, ES256, ES384, ES512, PS256, PS384, PS512.")
    private List<String> signingAlgorithms = List.of();

    @Option(names = "--oidc-ca-file", paramLabel = "FILE", description = "Who vouches for the issuer's server.")
    private @Nullable Path caFile;

    AccessOptions options(CommandSpec spec) {
        ParseResult parsed = spec.commandLine().getParseResult();
        if (authorizationConfig != null && MODE_FLAGS.stream().anyMatch(parsed::hasMatchedOption)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--authorization-config can not be specified when --authorization-mode or --authorization-webhook-*"
                            + " flags are defined");
        }
        return new AccessOptions(
                authenticationConfig,
                openId(spec),
                parsed.hasMatchedOption("--anonymous-auth"),
                authorizationConfig,
                policyFile,
                certificates.stream().map(text -> certificate(spec, text)).toList());
    }

    private static AccessOptions.NamedCertificate certificate(CommandSpec spec, String text) {
        int colon = text.indexOf(':');
        String files = colon < 0 ? text : text.substring(0, colon);
        String[] pair = files.split(",");
        String wrong = pair.length != 2
                ? "expected comma separated certificate and key file paths"
                : colon >= 0 && text.substring(colon + 1).isBlank() ? "empty names list is not allowed" : "";
        if (!wrong.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(), "invalid argument \"" + text + "\" for \"--tls-sni-cert-key\" flag: " + wrong);
        }
        List<String> names = colon < 0
                ? List.of()
                : Arrays.stream(text.substring(colon + 1).split(","))
                        .map(String::strip)
                        .toList();
        return new AccessOptions.NamedCertificate(Path.of(pair[0].strip()), Path.of(pair[1].strip()), names);
    }

    private AccessOptions.@Nullable OpenId openId(CommandSpec spec) {
        boolean any = issuerUrl != null
                || clientId != null
                || usernameClaim != null
                || usernamePrefix != null
                || groupsClaim != null
                || groupsPrefix != null
                || caFile != null
                || !requiredClaims.isEmpty()
                || !signingAlgorithms.isEmpty();
        if (!any) {
            return null;
        }
        if (authenticationConfig != null) {
            throw new ParameterException(
                    spec.commandLine(), "authentication-config file and oidc-* flags are mutually exclusive");
        }
        if (text(issuerUrl).isEmpty() || text(clientId).isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(),
                    "oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set");
        }
        Map<String, String> required = new LinkedHashMap<>();
        for (String claim : requiredClaims) {
            int equals = claim.indexOf('=');
            if (equals < 0) {
                throw new ParameterException(
                        spec.commandLine(),
                        "invalid argument \"" + claim + "\" for \"--oidc-required-claim\" flag: malformed pair, expect"
                                + " string=string");
            }
            required.put(
                    claim.substring(0, equals).strip(),
                    claim.substring(equals + 1).strip());
        }
        return new AccessOptions.OpenId(
                text(issuerUrl),
                text(clientId),
                usernameClaim == null ? "sub" : usernameClaim,
                text(usernamePrefix),
                text(groupsClaim),
                text(groupsPrefix),
                required,
                signingAlgorithms.isEmpty() ? List.of("RS256") : signingAlgorithms,
                caFile);
    }

    private static String text(@Nullable String value) {
        return value == null ? "" : value;
    }
}
