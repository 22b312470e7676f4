package io.trimtab.apiserver.oidc;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.cel.CelEnvironment;
import io.trimtab.apiserver.cel.CelProgram;
import io.trimtab.apiserver.cel.CelType;
import io.trimtab.apiserver.cel.IdentityExpressions;
import io.trimtab.apiserver.certificates.Pem;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Names;
import java.net.URI;
import java.net.URISyntaxException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An issuer whose tokens are believed, and how users are made of their claims. Immutable.
 *
 * @param url as in the claim {@code iss}
 * @param discoveryUrl where its configuration is, where that is not below the URL; empty if it is
 * @param authorities who vouch for its server; null for those the JVM trusts
 * @param audiences of which a token must name one
 * @param requiredClaims and their values
 * @param rules that must be true of the claims
 * @param username where the name comes from
 * @param groups where the groups come from; null for nowhere
 * @param uid where the uid comes from; null for nowhere
 * @param extra by key
 * @param userRules that must be true of the user
 */
record IssuerConfig(
        String url,
        String discoveryUrl,
        @Nullable List<X509Certificate> authorities,
        List<String> audiences,
        Map<String, String> requiredClaims,
        List<Rule> rules,
        Source username,
        @Nullable Source groups,
        @Nullable Source uid,
        Map<String, Expression> extra,
        List<Rule> userRules) {

    /** An expression and its text. */
    record Expression(String text, CelProgram program) {}

    /** An expression that must be true, and what is said if it is not. */
    record Rule(Expression expression, String message) {}

    /**
     * Where a value comes from: a claim, or an expression.
     *
     * @param claim empty if it is the expression
     */
    record Source(String claim, String prefix, @Nullable Expression expression) {}

    private static final Pattern HTTP_PATH = Pattern.compile("[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+");
    private static final CelEnvironment CLAIMS = IdentityExpressions.ofClaims();
    private static final CelEnvironment USERS = IdentityExpressions.ofUsers();

    /** Says what is wrong with it; the result is then good for nothing. */
    static IssuerConfig of(JsonNode jwt, String path, SortedSet<String> disallowed, FieldErrors errors) {
        return new Reader(jwt, path, errors).read(disallowed);
    }

    /** Belongs to one reading. */
    private static final class Reader {
        private final JsonNode jwt;
        private final String path;
        private final FieldErrors errors;
        private boolean usesEmail;
        private boolean verifiesEmail;

        Reader(JsonNode jwt, String path, FieldErrors errors) {
            this.jwt = jwt;
            this.path = path;
            this.errors = errors;
        }

        IssuerConfig read(SortedSet<String> disallowed) {
            JsonNode issuer = jwt.path("issuer");
            String at = path + ".issuer";
            String url = text(issuer, "url");
            if (url.isEmpty()) {
                errors.required(at + ".url", "");
            } else {
                url(url, disallowed, at + ".url");
            }
            String discovery = text(issuer, "discoveryURL");
            if (!discovery.isEmpty()) {
                if (!url.isEmpty() && url.replaceAll("/+$", "").equals(discovery.replaceAll("/+$", ""))) {
                    errors.invalid(at + ".discoveryURL", discovery, "discoveryURL must be different from URL");
                }
                url(discovery, new TreeSet<>(), at + ".discoveryURL");
            }
            List<String> audiences = audiences(issuer, at);
            List<X509Certificate> authorities = null;
            String pem = text(issuer, "certificateAuthority");
            if (!pem.isEmpty()) {
                try {
                    authorities = Pem.certificates(pem);
                } catch (IllegalArgumentException e) {
                    errors.invalid(
                            at + ".certificateAuthority",
                            "<omitted>",
                            "data does not contain any valid RSA or ECDSA certificates");
                }
            }
            String egress = text(issuer, "egressSelectorType");
            if (!egress.isEmpty() && !Set.of("controlplane", "cluster").contains(egress)) {
                errors.invalid(
                        at + ".egressSelectorType", egress, "egress selector must be either controlplane or cluster");
            }
            Map<String, String> required = new LinkedHashMap<>();
            List<Rule> rules = claimRules(required);
            JsonNode mappings = jwt.path("claimMappings");
            String mapped = path + ".claimMappings";
            Source username = source(mappings.path("username"), mapped + ".username", true);
            Source groups = source(mappings.path("groups"), mapped + ".groups", false);
            Source uid = uid(mappings.path("uid"), mapped + ".uid");
            if (username != null && username.expression() != null) {
                CelProgram program = username.expression().program();
                usesEmail |= program.selects("claims", "email");
                verifiesEmail |= program.selects("claims", "email_verified");
            }
            Map<String, Expression> extra = extra(mappings.path("extra"), mapped + ".extra");
            if (usesEmail && !verifiesEmail) {
                errors.invalid(
                        mapped + ".username.expression",
                        text(mappings.path("username"), "expression"),
                        "claims.email_verified must be used in claimMappings.username.expression or"
                                + " claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when"
                                + " claims.email is used in claimMappings.username.expression");
            }
            List<Rule> userRules = userRules();
            return new IssuerConfig(
                    url,
                    discovery,
                    authorities,
                    audiences,
                    required,
                    rules,
                    username == null ? new Source("", "", null) : username,
                    groups,
                    uid,
                    extra,
                    userRules);
        }

        private void url(String text, SortedSet<String> disallowed, String at) {
            if (disallowed.contains(text)) {
                errors.invalid(
                        at,
                        text,
                        "URL must not overlap with disallowed issuers: [" + String.join(" ", disallowed) + "]");
            }
            URI uri;
            try {
                uri = new URI(text);
            } catch (URISyntaxException e) {
                errors.invalid(at, text, "parse " + FieldErrors.quote(text) + ": " + e.getReason());
                return;
            }
            if (!"https".equalsIgnoreCase(uri.getScheme())) {
                errors.invalid(at, text, "URL scheme must be https");
            }
            if (uri.getRawUserInfo() != null) {
                errors.invalid(at, text, "URL must not contain a username or password");
            }
            if (uri.getRawQuery() != null && !uri.getRawQuery().isEmpty()) {
                errors.invalid(at, text, "URL must not contain a query");
            }
            if (uri.getRawFragment() != null && !uri.getRawFragment().isEmpty()) {
                errors.invalid(at, text, "URL must not contain a fragment");
            }
        }

        private List<String> audiences(JsonNode issuer, String at) {
            List<String> audiences = new ArrayList<>();
            issuer.path("audiences").forEach(audience -> audiences.add(audience.asText("")));
            String place = at + ".audiences";
            if (audiences.isEmpty()) {
                errors.required(place, "at least one " + place + " is required");
                return audiences;
            }
            Set<String> seen = new HashSet<>();
            for (int i = 0; i < audiences.size(); i++) {
                if (audiences.get(i).isEmpty()) {
                    errors.required(place + "[" + i + "]", "");
                }
                if (!seen.add(audiences.get(i))) {
                    errors.duplicate(place + "[" + i + "]", FieldErrors.text(audiences.get(i)));
                }
            }
            String policy = text(issuer, "audienceMatchPolicy");
            if (audiences.size() > 1 && !policy.equals("MatchAny")) {
                errors.invalid(
                        at + ".audienceMatchPolicy",
                        policy,
                        "audienceMatchPolicy must be MatchAny for multiple audiences");
            }
            if (audiences.size() == 1 && !policy.isEmpty() && !policy.equals("MatchAny")) {
                errors.invalid(
                        at + ".audienceMatchPolicy",
                        policy,
                        "audienceMatchPolicy must be empty or MatchAny for single audience");
            }
            return audiences;
        }

        private List<Rule> claimRules(Map<String, String> required) {
            List<Rule> rules = new ArrayList<>();
            Set<String> expressions = new HashSet<>();
            int i = 0;
            for (JsonNode rule : jwt.path("claimValidationRules")) {
                String at = path + ".claimValidationRules[" + i++ + "]";
                String claim = text(rule, "claim");
                String expression = text(rule, "expression");
                String message = text(rule, "message");
                if (!claim.isEmpty() && !expression.isEmpty()) {
                    errors.invalid(at, claim, "claim and expression can't both be set");
                } else if (claim.isEmpty() && expression.isEmpty()) {
                    errors.required(at, "claim or expression is required");
                } else if (!claim.isEmpty()) {
                    if (!message.isEmpty()) {
                        errors.invalid(at + ".message", message, "may not be specified when claim is set");
                    }
                    if (required.containsKey(claim)) {
                        errors.duplicate(at + ".claim", FieldErrors.text(claim));
                    }
                    required.put(claim, text(rule, "requiredValue"));
                } else {
                    if (!text(rule, "requiredValue").isEmpty()) {
                        errors.invalid(
                                at + ".requiredValue",
                                text(rule, "requiredValue"),
                                "may not be specified when expression is set");
                    }
                    if (!expressions.add(expression)) {
                        errors.duplicate(at + ".expression", FieldErrors.text(expression));
                        continue;
                    }
                    Expression compiled = compile(CLAIMS, expression, at + ".expression", CelType.BOOL);
                    if (compiled != null) {
                        verifiesEmail |= compiled.program().selects("claims", "email_verified");
                        rules.add(new Rule(compiled, message));
                    }
                }
            }
            return rules;
        }

        private @Nullable Source source(JsonNode mapping, String at, boolean needed) {
            String claim = text(mapping, "claim");
            String expression = text(mapping, "expression");
            boolean prefixed = mapping.hasNonNull("prefix");
            if (!claim.isEmpty() && !expression.isEmpty()) {
                errors.invalid(at, "", "claim and expression can't both be set");
                return null;
            }
            if (claim.isEmpty() && expression.isEmpty()) {
                if (needed) {
                    errors.required(at, "claim or expression is required");
                }
                return null;
            }
            if (!expression.isEmpty()) {
                if (prefixed) {
                    errors.invalid(
                            at + ".prefix", text(mapping, "prefix"), "may not be specified when expression is set");
                }
                Expression compiled = compile(CLAIMS, expression, at + ".expression", null);
                return compiled == null ? null : new Source("", "", compiled);
            }
            if (!prefixed) {
                errors.required(
                        at + ".prefix",
                        "prefix is required when claim is set. It can be set to an empty string to disable prefixing");
            }
            return new Source(claim, text(mapping, "prefix"), null);
        }

        private @Nullable Source uid(JsonNode mapping, String at) {
            String claim = text(mapping, "claim");
            String expression = text(mapping, "expression");
            if (!claim.isEmpty() && !expression.isEmpty()) {
                errors.invalid(at, "", "claim and expression can't both be set");
                return null;
            }
            if (!claim.isEmpty()) {
                return new Source(claim, "", null);
            }
            Expression compiled = expression.isEmpty() ? null : compile(CLAIMS, expression, at + ".expression", null);
            return compiled == null ? null : new Source("", "", compiled);
        }

        private Map<String, Expression> extra(JsonNode mappings, String place) {
            Map<String, Expression> extra = new LinkedHashMap<>();
            Set<String> seen = new HashSet<>();
            for (int i = 0; i < mappings.size(); i++) {
                String at = place + "[" + i + "]";
                String key = text(mappings.get(i), "key");
                key(key, at + ".key");
                if (!seen.add(key)) {
                    errors.duplicate(at + ".key", FieldErrors.text(key));
                    continue;
                }
                String expression = text(mappings.get(i), "valueExpression");
                if (expression.isEmpty()) {
                    errors.required(at + ".valueExpression", "");
                    continue;
                }
                Expression compiled = compile(CLAIMS, expression, at + ".valueExpression", null);
                if (compiled != null) {
                    verifiesEmail |= compiled.program().selects("claims", "email_verified");
                    extra.put(key, compiled);
                }
            }
            return extra;
        }

        private void key(String key, String at) {
            int slash = key.indexOf('/');
            String host = slash < 0 ? "" : key.substring(0, slash);
            if (key.isEmpty()) {
                errors.required(at, "");
            } else if (slash <= 0 || slash == key.length() - 1) {
                errors.invalid(at, key, "must be a domain-prefixed path (such as \"acme.io/foo\")");
            } else {
                Names.subdomain(host).forEach(why -> errors.invalid(at, host, why));
                String rest = key.substring(slash + 1);
                if (!HTTP_PATH.matcher(rest).matches()) {
                    errors.invalid(
                            at, rest, "Invalid path (regex used for validation is '" + HTTP_PATH.pattern() + "')");
                }
            }
            if (!key.equals(key.toLowerCase(Locale.ROOT))) {
                errors.invalid(at, key, "must be lowercase");
            }
            for (String domain : List.of("kubernetes.io", "k8s.io")) {
                if (host.equals(domain) || host.endsWith("." + domain)) {
                    errors.invalid(
                            at, key, "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use");
                }
            }
        }

        private List<Rule> userRules() {
            List<Rule> rules = new ArrayList<>();
            Set<String> seen = new HashSet<>();
            int i = 0;
            for (JsonNode rule : jwt.path("userValidationRules")) {
                String at = path + ".userValidationRules[" + i++ + "].expression";
                String expression = text(rule, "expression");
                if (expression.isEmpty()) {
                    errors.required(at, "");
                } else if (!seen.add(expression)) {
                    errors.duplicate(at, FieldErrors.text(expression));
                } else {
                    Expression compiled = compile(USERS, expression, at, CelType.BOOL);
                    if (compiled != null) {
                        rules.add(new Rule(compiled, text(rule, "message")));
                    }
                }
            }
            return rules;
        }

        private @Nullable Expression compile(
                CelEnvironment environment, String text, String at, @Nullable CelType wanted) {
            CelEnvironment.Compilation compilation = environment.compile(text);
            CelProgram program = compilation.program();
            if (program == null) {
                errors.invalid(at, text, "compilation failed: " + compilation.issues());
                return null;
            }
            if (wanted != null && !program.type().equals(wanted)) {
                errors.invalid(at, text, "must evaluate to " + wanted.declared());
                return null;
            }
            return new Expression(text, program);
        }

        private static String text(JsonNode node, String field) {
            return node.path(field).asText("");
        }
    }
}
