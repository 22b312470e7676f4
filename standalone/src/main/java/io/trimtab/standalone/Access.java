package io.trimtab.standalone;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.auth.AbacAuthorizer;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.AuthorizerChain;
import io.trimtab.apiserver.auth.NodeAuthorizer;
import io.trimtab.apiserver.auth.RbacAuthorizer;
import io.trimtab.apiserver.auth.ReloadedAuthorizer;
import io.trimtab.apiserver.authorization.AuthorizationConfig;
import io.trimtab.apiserver.oidc.AuthenticationConfig;
import io.trimtab.apiserver.oidc.JwtIssuers;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the parts of an API server that say who gets in and who decides what they may do, and exchanges them when their files
 * change. Used by the thread that starts the server.
 */
final class Access {
    private static final Logger LOG = LoggerFactory.getLogger(Access.class);

    private final ApiServerOptions options;
    private final AccessOptions access;
    private final Storage storage;
    private final Driver driver;
    private final Extensions extensions;
    private final List<AutoCloseable> parts;
    /** What the configuration says of those without credentials; null if it says nothing. */
    private AuthenticationConfig.@Nullable Anonymous anonymous;

    /** The types of the server itself that decide, each made once: they read the store. */
    private final Map<String, Authorizer> own = new LinkedHashMap<>();

    /** @param parts gets what is to be closed with the server */
    Access(ApiServerOptions options, Storage storage, Driver driver, Extensions extensions, List<AutoCloseable> parts) {
        this.options = options;
        this.access = options.access();
        this.storage = storage;
        this.driver = driver;
        this.extensions = extensions;
        this.parts = parts;
    }

    // ---- Who gets in ---------------------------------------------------------------------------------------------

    /**
     * The issuers whose tokens are believed; empty if there can be none.
     *
     * @param audiences the names by which this server goes
     */
    Optional<JwtIssuers> issuers(List<String> audiences) {
        Path file = access.authenticationConfig();
        AccessOptions.OpenId openId = access.openId();
        if (file == null) {
            return openId == null ? Optional.empty() : Optional.of(ofFlags(openId, audiences));
        }
        if (openId != null) {
            throw new StartException("authentication-config file and oidc-* flags are mutually exclusive");
        }
        String text = read(file, "failed to load authentication configuration from file \"" + file + "\": ");
        ObjectNode tree;
        try {
            tree = AuthenticationConfig.read(text);
        } catch (IllegalArgumentException e) {
            throw new StartException(
                    "failed to load authentication configuration from file \"" + file + "\": " + e.getMessage(), e);
        }
        if (access.anonymousSaid() && tree.path("anonymous").isObject()) {
            throw new StartException("anonymous: Forbidden: --anonymous-auth flag cannot be set when anonymous field is"
                    + " configured in authentication configuration file");
        }
        AuthenticationConfig config = config(tree);
        anonymous = config.anonymous();
        JwtIssuers issuers = new JwtIssuers(config, JwtIssuers.ALGORITHMS, audiences, extensions.callouts(), driver);
        parts.add(issuers);
        parts.add(WatchedFile.start(driver, List.of(file), List.of(text), texts -> reload(issuers, texts.get(0))));
        return Optional.of(issuers);
    }

    private AuthenticationConfig config(ObjectNode tree) {
        try {
            return AuthenticationConfig.of(tree, List.of(options.serviceAccountIssuer()));
        } catch (IllegalArgumentException e) {
            throw new StartException("invalid authentication configuration: " + e.getMessage(), e);
        }
    }

    private void reload(JwtIssuers issuers, String text) {
        AuthenticationConfig fresh =
                AuthenticationConfig.of(AuthenticationConfig.read(text), List.of(options.serviceAccountIssuer()));
        if (!Objects.equals(anonymous, fresh.anonymous())) {
            throw new IllegalArgumentException("anonymous: Forbidden: changed from initial configuration file");
        }
        issuers.exchange(fresh, problem -> {
            if (problem == null) {
                LOG.info("reloaded authentication config");
            } else {
                LOG.warn("failed to update authentication config, reason={}", problem);
            }
        });
    }

    private JwtIssuers ofFlags(AccessOptions.OpenId flags, List<String> audiences) {
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        ObjectNode jwt = config.putArray("jwt").addObject();
        ObjectNode issuer = jwt.putObject("issuer").put("url", flags.issuerUrl());
        issuer.putArray("audiences").add(flags.clientId());
        Path caFile = flags.caFile();
        if (caFile != null) {
            issuer.put("certificateAuthority", read(caFile, ""));
        }
        ObjectNode mappings = jwt.putObject("claimMappings");
        String prefix = flags.usernamePrefix();
        if (prefix.isEmpty() && !flags.usernameClaim().equals("email")) {
            prefix = flags.issuerUrl() + "#"; // two issuers may know two of the same name
        }
        mappings.putObject("username")
                .put("claim", flags.usernameClaim())
                .put("prefix", prefix.equals("-") ? "" : prefix);
        if (!flags.groupsClaim().isEmpty()) {
            mappings.putObject("groups").put("claim", flags.groupsClaim()).put("prefix", flags.groupsPrefix());
        }
        flags.requiredClaims()
                .forEach((claim, value) -> jwt.withArray("claimValidationRules")
                        .addObject()
                        .put("claim", claim)
                        .put("requiredValue", value));
        for (String algorithm : flags.signingAlgorithms()) {
            if (!JwtIssuers.ALGORITHMS.contains(algorithm)) {
                throw new StartException("oidc: unsupported signing alg: \"" + algorithm + "\"");
            }
        }
        JwtIssuers issuers =
                new JwtIssuers(config(config), flags.signingAlgorithms(), audiences, extensions.callouts(), driver);
        parts.add(issuers);
        return issuers;
    }

    /** Which requests without credentials are served. Asked after {@link #issuers}. */
    Predicate<ApiRequest> anonymous() {
        AuthenticationConfig.Anonymous said = anonymous;
        if (said == null) {
            // Where everybody may do everything, nobody is let in without a name.
            boolean everything = access.authorizationConfig() == null
                    && options.authorizationModes().contains("AlwaysAllow");
            boolean allowed = options.anonymous() && !everything;
            return request -> allowed;
        }
        if (!said.enabled() || said.paths().isEmpty()) {
            return request -> said.enabled();
        }
        Set<String> paths = Set.copyOf(said.paths());
        return request -> paths.contains(request.path());
    }

    // ---- Who decides ---------------------------------------------------------------------------------------------

    /** Who decides what users may do. */
    Authorizer authorizer(RbacAuthorizer rbac) {
        own.put("RBAC", rbac);
        own.put("AlwaysAllow", AuthorizerChain.alwaysAllow());
        own.put("AlwaysDeny", AuthorizerChain.alwaysDeny());
        Path file = access.authorizationConfig();
        if (file == null) {
            return ofModes();
        }
        String text = read(file, "");
        AuthorizationConfig config;
        ReloadedAuthorizer authorizer;
        try {
            config = AuthorizationConfig.read(text, List.of());
            if (config.ownTypes().contains("Node")) {
                addNodes();
            }
            if (config.ownTypes().contains("ABAC")) {
                addPolicies();
            }
            authorizer = new ReloadedAuthorizer(chain(config));
        } catch (IllegalArgumentException e) {
            throw new StartException(String.valueOf(e.getMessage()), e);
        }
        Collection<String> required = config.ownTypes();
        parts.add(WatchedFile.start(
                driver,
                List.of(file),
                List.of(text),
                texts -> authorizer.exchange(chain(AuthorizationConfig.read(texts.get(0), required)))));
        return authorizer;
    }

    /** Whether rights are given by Roles, which then nobody may give who has them not. */
    boolean usesRoles() {
        Path file = access.authorizationConfig();
        return file == null
                ? options.authorizationModes().contains("RBAC")
                : AuthorizationConfig.read(read(file, ""), List.of()).ownTypes().contains("RBAC");
    }

    private AuthorizerChain chain(AuthorizationConfig config) {
        List<Authorizer> chain = new ArrayList<>();
        for (AuthorizationConfig.Entry entry : config.authorizers()) {
            AuthorizationConfig.Webhook webhook = entry.webhook();
            if (webhook != null) {
                chain.add(extensions.authorizationWebhook(webhook));
                continue;
            }
            Authorizer known = own.get(entry.type());
            if (known == null) {
                throw new IllegalArgumentException("authorizer type " + entry.type()
                        + " is not allowed if it was not enabled at initial server startup");
            }
            chain.add(known);
        }
        return new AuthorizerChain(chain);
    }

    private AuthorizerChain ofModes() {
        checkModes();
        List<Authorizer> chain = new ArrayList<>();
        for (String mode : options.authorizationModes()) {
            switch (mode) {
                case "ABAC" -> chain.add(addPolicies());
                case "Node" -> chain.add(addNodes());
                case "Webhook" -> chain.add(extensions.authorizationWebhook());
                default -> chain.add(Objects.requireNonNull(own.get(mode), mode));
            }
        }
        return new AuthorizerChain(chain);
    }

    private void checkModes() {
        List<String> modes = options.authorizationModes();
        List<String> wrong = new ArrayList<>();
        boolean webhook = options.extensions().authorizationWebhook() != null;
        for (String mode : modes) {
            if (!AuthorizationConfig.TYPES.contains(mode)) {
                wrong.add("authorization-mode \"" + mode + "\" is not a valid mode");
            }
            if (mode.equals("ABAC") && access.policyFile() == null) {
                wrong.add("authorization-mode ABAC's authorization policy file not passed");
            }
            if (mode.equals("Webhook") && !webhook) {
                wrong.add("authorization-mode Webhook's authorization config file not passed");
            }
        }
        if (access.policyFile() != null && !modes.contains("ABAC")) {
            wrong.add("cannot specify --authorization-policy-file without mode ABAC");
        }
        if (webhook && !modes.contains("Webhook")) {
            wrong.add("cannot specify --authorization-webhook-config-file without mode Webhook");
        }
        if (Set.copyOf(modes).size() < modes.size()) {
            wrong.add("authorization-mode [\"" + String.join("\" \"", modes) + "\"] has mode specified more than once");
        }
        if (!wrong.isEmpty()) {
            throw new StartException(wrong.size() == 1 ? wrong.get(0) : "[" + String.join(", ", wrong) + "]");
        }
    }

    /** Read once: who changes the file has to start the server again, as with Kubernetes' own. */
    private Authorizer addPolicies() {
        Path file = access.policyFile();
        String prefix = "invalid authorization config: ";
        if (file == null) {
            throw new StartException(prefix + "open : no such file or directory");
        }
        try {
            AbacAuthorizer policies = AbacAuthorizer.parse(file.toString(), read(file, prefix));
            own.put("ABAC", policies);
            return policies;
        } catch (IllegalArgumentException e) {
            throw new StartException(prefix + e.getMessage(), e);
        }
    }

    private Authorizer addNodes() {
        NodeAuthorizer nodes = new NodeAuthorizer(storage);
        parts.add(nodes);
        own.put("Node", nodes);
        return nodes;
    }

    private static String read(Path file, String prefix) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new StartException(prefix + "open " + file + ": no such file or directory", e);
        } catch (IOException e) {
            throw new StartException(prefix + "open " + file + ": " + e.getMessage(), e);
        }
    }
}
