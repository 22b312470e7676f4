package io.trimtab.apiserver.oidc;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.AccessReviews;
import io.trimtab.apiserver.auth.TokenAuthenticator.BadToken;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.callout.CalloutException;
import io.trimtab.apiserver.callout.CalloutTransport;
import io.trimtab.apiserver.callout.Target;
import io.trimtab.apiserver.cel.CelList;
import io.trimtab.apiserver.cel.CelNull;
import io.trimtab.apiserver.cel.CelProgram;
import io.trimtab.apiserver.cel.IdentityExpressions;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One issuer of tokens: checks them by its keys, and makes users of their claims. Looks for the issuer until it is found; until
 * then its tokens are no good. Safe for use by any thread.
 */
final class JwtIssuer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JwtIssuer.class);
    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration RETRY = Duration.ofSeconds(10);
    private static final Duration LEEWAY = Duration.ofMinutes(1);
    private static final String CREDENTIAL_ID = "authentication.kubernetes.io/credential-id";
    private static final DateTimeFormatter GO_TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss '+0000 UTC'");

    private final IssuerConfig config;
    private final List<String> algorithms;
    private final CalloutTransport transport;
    private final Driver driver;
    private final Target.Trust trust;
    private final IssuerKeys keys;
    /** Of claims that others vouch for, by issuer. */
    private final Map<String, IssuerKeys> others = new ConcurrentHashMap<>();

    private volatile @Nullable String problem;
    private volatile boolean closed;

    /** A token taken apart, not to be believed yet. */
    private record Parts(ObjectNode header, ObjectNode claims, byte[] signed, byte[] signature) {}

    JwtIssuer(IssuerConfig config, Collection<String> algorithms, CalloutTransport transport, Driver driver) {
        this.config = config;
        this.algorithms = List.copyOf(algorithms);
        this.transport = transport;
        this.driver = driver;
        this.trust = config.authorities() == null ? Target.Trust.SYSTEM : Target.Trust.of(config.authorities());
        this.keys = new IssuerKeys(transport, driver, config.url(), config.discoveryUrl(), trust);
        this.problem = "oidc: authenticator for issuer " + FieldErrors.quote(config.url()) + " is not initialized";
    }

    /** Begins to look for the issuer, on threads of the driver. */
    void start() {
        driver.execute(this::look);
    }

    private void look() {
        if (closed) {
            return;
        }
        try {
            keys.find();
            problem = null;
        } catch (BadToken e) {
            LOG.warn("oidc authenticator: initializing plugin, issuer={} reason={}", config.url(), e.getMessage());
            problem = e.getMessage();
            driver.schedule(RETRY, this::look);
        }
    }

    /** Why tokens cannot be checked; null if they can. */
    @Nullable
    String problem() {
        String known = problem;
        return known == null
                ? null
                : "oidc: authenticator for issuer " + FieldErrors.quote(config.url()) + " is not healthy: " + known;
    }

    @Override
    public void close() {
        closed = true;
    }

    /**
     * Whom a token stands for; empty if it is another issuer's.
     *
     * @throws BadToken if it is this issuer's, and no good
     */
    Optional<UserInfo> authenticate(String token) {
        Parts parts = parse(token);
        if (parts == null || !issuer(parts).equals(config.url())) {
            return Optional.empty();
        }
        if (!keys.isFound()) {
            throw new BadToken("oidc: authenticator not initialized");
        }
        try {
            verify(parts, keys, config.url());
        } catch (BadToken e) {
            throw new BadToken("oidc: verify token: " + e.getMessage());
        }
        ObjectNode claims = parts.claims();
        try {
            expand(claims);
        } catch (BadToken e) {
            throw new BadToken("oidc: could not expand distributed claims: " + e.getMessage());
        }
        String name = username(claims);
        List<String> groups = groups(claims);
        UserInfo user = new UserInfo(name, uid(claims), groups, extra(claims));
        check(claims, user);
        return Optional.of(user);
    }

    // ---- Tokens --------------------------------------------------------------------------------------------------

    private static @Nullable Parts parse(String token) {
        String[] parts = token.split("\\.", -1);
        if (parts.length != 3) {
            return null;
        }
        try {
            Base64.Decoder decoder = Base64.getUrlDecoder();
            JsonNode header = JSON.readTree(decoder.decode(parts[0]));
            JsonNode claims = JSON.readTree(decoder.decode(parts[1]));
            byte[] signature = decoder.decode(parts[2]);
            return header instanceof ObjectNode h && claims instanceof ObjectNode c
                    ? new Parts(h, c, (parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII), signature)
                    : null;
        } catch (IOException | IllegalArgumentException e) {
            return null;
        }
    }

    private static String issuer(Parts parts) {
        String said = parts.claims().path("iss").asText("");
        return said.equals("accounts.google.com") ? "https://accounts.google.com" : said;
    }

    private void verify(Parts parts, IssuerKeys by, String expected) {
        ObjectNode claims = parts.claims();
        String said = issuer(parts);
        if (!said.equals(expected)) {
            throw new BadToken("oidc: id token issued by a different provider, expected " + FieldErrors.quote(expected)
                    + " got " + FieldErrors.quote(said));
        }
        List<String> audiences = texts(claims.path("aud"));
        if (config.audiences().size() == 1
                && !audiences.contains(config.audiences().get(0))) {
            throw new BadToken("oidc: expected audience "
                    + FieldErrors.quote(config.audiences().get(0)) + " got " + quoted(audiences));
        }
        Instant now = driver.now();
        Instant end = time(claims, "exp");
        if (end == null || end.isBefore(now)) {
            throw new BadToken("oidc: token is expired (Token Expiry: "
                    + (end == null ? "0001-01-01 00:00:00 +0000 UTC" : shown(end)) + ")");
        }
        Instant begin = time(claims, "nbf");
        if (begin != null && now.plus(LEEWAY).isBefore(begin)) {
            throw new BadToken(
                    "oidc: current time " + shown(now) + " before the nbf (not before) time: " + shown(begin));
        }
        String algorithm = parts.header().path("alg").asText("");
        if (!algorithms.contains(algorithm)) {
            throw new BadToken("oidc: id token signed with unsupported algorithm, expected " + quoted(algorithms)
                    + " got " + FieldErrors.quote(algorithm));
        }
        if (parts.header().has("crit")) {
            // It asks that something be understood, and we understand nothing of the sort.
            throw new BadToken("failed to verify signature: failed to verify id token signature");
        }
        try {
            by.verify(parts.header().path("kid").asText(""), algorithm, parts.signed(), parts.signature());
        } catch (BadToken e) {
            throw new BadToken("failed to verify signature: " + e.getMessage());
        }
        if (config.audiences().size() > 1 && config.audiences().stream().noneMatch(audiences::contains)) {
            throw new BadToken("oidc: expected audience in "
                    + quoted(config.audiences().stream().sorted().toList()) + " got " + quoted(audiences));
        }
    }

    private static @Nullable Instant time(ObjectNode claims, String name) {
        JsonNode claim = claims.path(name);
        if (claim.isMissingNode() || claim.isNull()) {
            return null;
        }
        if (!claim.isNumber()) {
            throw new BadToken("oidc: failed to unmarshal claims: json: cannot unmarshal " + sort(claim)
                    + " into Go value of type" + " json.Number");
        }
        // Years beyond a calendar's end are for ever.
        return Instant.ofEpochSecond((long) Math.max(-1e11, Math.min(1e11, claim.doubleValue())));
    }

    private static String shown(Instant time) {
        return GO_TIME.format(time.atZone(ZoneOffset.UTC));
    }

    // ---- Claims that others vouch for ----------------------------------------------------------------------------

    private void expand(ObjectNode claims) {
        IssuerConfig.Source groups = config.groups();
        String name = groups == null ? "" : groups.claim();
        if (name.isEmpty() || claims.has(name) || !claims.has("_claim_names")) {
            return;
        }
        JsonNode sources = claims.get("_claim_sources");
        if (sources == null) {
            throw new BadToken("oidc: no claim sources");
        }
        String source = claims.path("_claim_names").path(name).asText("");
        if (source.isEmpty()) {
            return;
        }
        if (!sources.has(source)) {
            throw new BadToken("id token _claim_names contained a source " + source + " missing in _claims_sources");
        }
        String url = sources.path(source).path("endpoint").asText("");
        if (url.isEmpty()) {
            return;
        }
        claims.set(
                name,
                distributed(name, url, sources.path(source).path("access_token").asText("")));
    }

    private JsonNode distributed(String name, String url, String accessToken) {
        CalloutTransport.Reply reply;
        try {
            reply = keys.get(
                    url, accessToken.isEmpty() ? Map.of() : Map.of("Authorization", List.of("Bearer " + accessToken)));
        } catch (CalloutException | IllegalArgumentException e) {
            throw new BadToken("while getting distributed claim " + FieldErrors.quote(name) + ": " + e.getMessage());
        }
        if (reply.code() < 200 || reply.code() > 226) {
            throw new BadToken("while getting distributed claim " + FieldErrors.quote(name)
                    + ": error while getting distributed claim JWT: " + reply.code());
        }
        Parts parts = parse(new String(reply.body(), StandardCharsets.UTF_8).strip());
        if (parts == null) {
            throw new BadToken("getting untrusted issuer from endpoint " + url + " failed for claim "
                    + FieldErrors.quote(name) + ": malformed token");
        }
        String issuer = issuer(parts);
        IssuerKeys known = others.computeIfAbsent(issuer, i -> new IssuerKeys(transport, driver, i, "", trust));
        try {
            if (!known.isFound()) {
                known.find();
            }
            verify(parts, known, issuer);
        } catch (BadToken e) {
            throw new BadToken("verify distributed claim token: " + e.getMessage());
        }
        JsonNode value = parts.claims().get(name);
        if (value == null) {
            throw new BadToken("jwt returned by distributed claim endpoint " + FieldErrors.quote(url)
                    + " did not contain claim: " + name);
        }
        return value;
    }

    // ---- Users ---------------------------------------------------------------------------------------------------

    private String username(ObjectNode claims) {
        IssuerConfig.Source source = config.username();
        if (source.expression() != null) {
            Object value = evaluate(source.expression(), claims, "username claim expression");
            if (!(value instanceof String name)) {
                throw new BadToken("oidc: error evaluating username claim expression: username claim expression must"
                        + " return a string");
            }
            if (name.isEmpty()) {
                throw new BadToken("oidc: empty username via CEL expression is not allowed");
            }
            return name;
        }
        String claim = source.claim();
        String name = text(claims, claim, "oidc: parse username claims " + FieldErrors.quote(claim) + ": ");
        if (claim.equals("email") && claims.has("email_verified")) {
            JsonNode verified = claims.get("email_verified");
            if (!verified.isBoolean() && !verified.isNull()) {
                throw new BadToken("oidc: parse 'email_verified' claim: json: cannot unmarshal " + sort(verified)
                        + " into Go value of type bool");
            }
            if (!verified.asBoolean()) {
                throw new BadToken("oidc: email not verified");
            }
        }
        return source.prefix() + name;
    }

    private List<String> groups(ObjectNode claims) {
        IssuerConfig.Source source = config.groups();
        if (source == null) {
            return List.of();
        }
        if (source.expression() != null) {
            Object value = evaluate(source.expression(), claims, "group claim expression");
            return strings(value, "oidc: error evaluating group claim expression: ");
        }
        JsonNode claim = claims.get(source.claim());
        if (claim == null || claim.isNull()) {
            return List.of();
        }
        List<String> groups = new ArrayList<>();
        boolean textual = claim.isTextual();
        if (claim.isArray()) {
            textual = true;
            for (JsonNode group : claim) {
                textual &= group.isTextual();
            }
        }
        if (!textual) {
            throw new BadToken("oidc: parse groups claim " + FieldErrors.quote(source.claim())
                    + ": json: cannot unmarshal " + sort(claim) + " into Go value of type string");
        }
        texts(claim).forEach(group -> groups.add(source.prefix() + group));
        return groups;
    }

    private String uid(ObjectNode claims) {
        IssuerConfig.Source source = config.uid();
        if (source == null) {
            return "";
        }
        if (source.expression() == null) {
            return text(claims, source.claim(), "oidc: parse uid claim " + FieldErrors.quote(source.claim()) + ": ");
        }
        Object value = evaluate(source.expression(), claims, "uid claim expression");
        if (!(value instanceof String uid)) {
            throw new BadToken(
                    "oidc: error evaluating uid claim expression: uid claim expression must return a string");
        }
        return uid;
    }

    private Map<String, List<String>> extra(ObjectNode claims) {
        Map<String, List<String>> extra = new LinkedHashMap<>();
        JsonNode id = claims.path("jti");
        if (id.isTextual() && !id.asText().isEmpty()) {
            extra.put(CREDENTIAL_ID, List.of("JTI=" + id.asText()));
        }
        config.extra().forEach((key, expression) -> {
            CelProgram.Outcome outcome = expression.program().evaluate(variable("claims", claims(claims)));
            if (outcome.error() != null) {
                throw new BadToken(failed(expression, outcome));
            }
            List<String> values = strings(
                    outcome.value(), "oidc: error evaluating extra claim expression: " + expression.text() + ": ");
            if (!values.isEmpty()) {
                extra.put(key, values);
            }
        });
        return extra;
    }

    private void check(ObjectNode claims, UserInfo user) {
        config.requiredClaims().forEach((claim, wanted) -> {
            if (!claims.has(claim)) {
                throw new BadToken("oidc: required claim " + claim + " not present in ID token");
            }
            String value = text(claims, claim, "oidc: parse claim " + claim + ": ");
            if (!value.equals(wanted)) {
                throw new BadToken("oidc: required claim " + claim + " value does not match. Got = " + value
                        + ", want = " + wanted);
            }
        });
        Object claimValue = claims(claims);
        for (IssuerConfig.Rule rule : config.rules()) {
            check(rule, "claims", claimValue, "oidc: error evaluating claim validation expression: ");
        }
        if (!config.userRules().isEmpty()) {
            ObjectNode shown = AccessReviews.show(user);
            ObjectNode whole = JsonNodeFactory.instance
                    .objectNode()
                    .put("username", user.name())
                    .put("uid", user.uid());
            whole.set("groups", shown.has("groups") ? shown.get("groups") : JsonNodeFactory.instance.arrayNode());
            whole.set("extra", shown.has("extra") ? shown.get("extra") : JsonNodeFactory.instance.objectNode());
            Object value = IdentityExpressions.user(whole);
            for (IssuerConfig.Rule rule : config.userRules()) {
                check(rule, "user", value, "oidc: error evaluating user info validation rule: ");
            }
        }
    }

    private static void check(IssuerConfig.Rule rule, String variable, Object value, String prefix) {
        CelProgram.Outcome outcome = rule.expression().program().evaluate(variable(variable, value));
        if (outcome.error() != null) {
            throw new BadToken(prefix + failed(rule.expression(), outcome));
        }
        if (!outcome.isTrue()) {
            throw new BadToken(
                    prefix + "validation expression '" + rule.expression().text() + "' failed: " + rule.message());
        }
    }

    // ---- Values --------------------------------------------------------------------------------------------------

    private static @Nullable Object evaluate(IssuerConfig.Expression expression, ObjectNode claims, String what) {
        CelProgram.Outcome outcome = expression.program().evaluate(variable("claims", claims(claims)));
        if (outcome.error() != null) {
            throw new BadToken("oidc: error evaluating " + what + ": " + failed(expression, outcome));
        }
        return outcome.value();
    }

    private static String failed(IssuerConfig.Expression expression, CelProgram.Outcome outcome) {
        return "expression '" + expression.text() + "' resulted in error: " + outcome.error();
    }

    private static Object claims(ObjectNode claims) {
        return IdentityExpressions.claims(claims);
    }

    private static Function<String, @Nullable Object> variable(String name, Object value) {
        return asked -> asked.equals(name) ? value : null;
    }

    /** A text, or several; what is empty counts as absent. */
    private static List<String> strings(@Nullable Object value, String prefix) {
        List<String> found = new ArrayList<>();
        if (value instanceof String text) {
            found.add(text);
        } else if (value instanceof CelList list) {
            for (Object item : list) {
                if (!(item instanceof String text)) {
                    throw new BadToken(prefix + "expression must return a string or a list of strings");
                }
                found.add(text);
            }
        } else if (value != CelNull.NULL) {
            throw new BadToken(prefix + "expression must return a string or a list of strings");
        }
        found.removeIf(String::isEmpty);
        return found;
    }

    private static String text(ObjectNode claims, String name, String prefix) {
        JsonNode claim = claims.get(name);
        if (claim == null) {
            throw new BadToken(prefix + "claim not present");
        }
        if (!claim.isTextual() && !claim.isNull()) {
            throw new BadToken(prefix + "json: cannot unmarshal " + sort(claim) + " into Go value of type string");
        }
        return claim.isNull() ? "" : claim.asText();
    }

    private static String sort(JsonNode node) {
        return switch (node.getNodeType()) {
            case NUMBER -> "number";
            case BOOLEAN -> "bool";
            case ARRAY -> "array";
            case OBJECT -> "object";
            default -> "string";
        };
    }

    private static List<String> texts(JsonNode claim) {
        List<String> list = new ArrayList<>();
        if (claim.isTextual()) {
            list.add(claim.asText());
        } else {
            claim.forEach(value -> list.add(value.asText()));
        }
        return list;
    }

    private static String quoted(List<String> values) {
        return values.stream().map(FieldErrors::quote).collect(Collectors.joining(" ", "[", "]"));
    }
}
