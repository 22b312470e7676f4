package io.trimtab.apiserver.tokens;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.Audiences;
import io.trimtab.apiserver.auth.TokenAuthenticator;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Accepts the tokens that {@link TokenIssuer} makes, as long as the service account, and what the token is bound to, exist.
 * Safe for use by any thread.
 */
public final class ServiceAccountTokens implements TokenAuthenticator {
    private static final Duration LEEWAY = Duration.ofMinutes(1);
    private static final String EXTRA = "authentication.kubernetes.io/";
    // A signature stays right for ever: checking it once per token saves most of the work. Emptied when full.
    private static final int REMEMBERED = 10_000;

    private final Storage storage;
    private final TokenKeys keys;
    private final TokenSettings settings;
    private final Driver driver;
    private final SecretTokens secrets;
    private final Map<String, ObjectNode> verified = new ConcurrentHashMap<>();

    public ServiceAccountTokens(Storage storage, TokenKeys keys, TokenSettings settings, Driver driver) {
        this.storage = storage;
        this.keys = keys;
        this.settings = settings;
        this.driver = driver;
        this.secrets = new SecretTokens(storage, driver);
    }

    @Override
    public Optional<Authenticated> authenticate(String token, List<String> audiences) {
        ObjectNode claims = verified.get(token);
        if (claims == null) {
            Jwt jwt = Jwt.parse(token);
            if (jwt == null || !jwt.claims().path("iss").asText().equals(settings.issuer())) {
                return Optional.empty();
            }
            if (!jwt.isSignedBy(keys)) {
                throw new BadToken("invalid signature, no keys found");
            }
            claims = jwt.claims();
            if (verified.size() >= REMEMBERED) {
                verified.clear();
            }
            verified.put(token, claims);
        }
        List<String> own = texts(claims.path("aud"));
        List<String> asked = audiences.isEmpty() ? settings.audiences() : audiences;
        List<String> both = Audiences.intersect(own.isEmpty() ? settings.audiences() : own, asked);
        if (both.isEmpty()) {
            throw new BadToken(
                    "token audiences " + quoted(own) + " is invalid for the target audiences " + quoted(asked));
        }
        return Optional.of(new Authenticated(validate(token, claims), both));
    }

    private UserInfo validate(String token, ObjectNode claims) {
        Instant now = driver.now();
        if (claims.has("exp")
                && now.minus(LEEWAY).getEpochSecond() > claims.path("exp").asLong()) {
            throw new BadToken("service account token has expired");
        }
        if (claims.has("nbf")
                && now.plus(LEEWAY).getEpochSecond() < claims.path("nbf").asLong()) {
            throw new BadToken("service account token is not valid yet");
        }
        if (claims.has("iat")
                && now.plus(LEEWAY).getEpochSecond() < claims.path("iat").asLong()) {
            throw new BadToken("service account token is issued in the future");
        }
        JsonNode own = claims.path("kubernetes.io");
        String namespace = own.path("namespace").asText("");
        JsonNode account = own.path("serviceaccount");
        String name = account.path("name").asText("");
        String uid = account.path("uid").asText("");
        StoredObject found = storage.get(CoreResources.SERVICE_ACCOUNTS, namespace, name)
                .orElseThrow(() -> new BadToken("serviceaccounts \"" + name + "\" not found"));
        if (!found.uid().equals(uid)) {
            throw new BadToken("service account UID (" + found.uid() + ") does not match claim (" + uid + ")");
        }
        if (isLongDeleted(found, now)) {
            throw new BadToken("service account " + namespace + "/" + name + " has been deleted");
        }
        mustExist(own.path("secret"), CoreResources.SECRETS, namespace, "secret", now);
        if (own.has("secret")) {
            // What such a Secret shows is a token for its readers, as if a controller manager had signed it.
            storage.get(
                            CoreResources.SECRETS,
                            namespace,
                            own.path("secret").path("name").asText(""))
                    .filter(secret -> SecretTokens.has(secret, token))
                    .ifPresent(secret -> secrets.used(secret, name));
        }
        mustExist(own.path("pod"), CoreResources.PODS, namespace, "pod", now);
        if (!own.has("pod")) {
            mustExist(own.path("node"), CoreResources.NODES, null, "node", now);
        }
        return user(claims, namespace, name, uid);
    }

    private static UserInfo user(ObjectNode claims, String namespace, String name, String uid) {
        JsonNode own = claims.path("kubernetes.io");
        Map<String, List<String>> extra = new LinkedHashMap<>();
        if (claims.has("jti")) {
            extra.put(
                    EXTRA + "credential-id", List.of("JTI=" + claims.path("jti").asText()));
        }
        putReference(extra, "node", own.path("node"));
        putReference(extra, "pod", own.path("pod"));
        return new UserInfo(
                "system:serviceaccount:" + namespace + ":" + name,
                uid,
                List.of("system:serviceaccounts", "system:serviceaccounts:" + namespace),
                extra);
    }

    private static void putReference(Map<String, List<String>> extra, String what, JsonNode reference) {
        if (reference.isObject()) {
            extra.put(EXTRA + what + "-name", List.of(reference.path("name").asText("")));
            String uid = reference.path("uid").asText("");
            if (!uid.isEmpty()) {
                extra.put(EXTRA + what + "-uid", List.of(uid));
            }
        }
    }

    private void mustExist(
            JsonNode reference, ApiResource resource, @Nullable String namespace, String what, Instant now) {
        if (!reference.isObject()) {
            return;
        }
        String uid = reference.path("uid").asText("");
        StoredObject found = storage.get(
                        resource, namespace, reference.path("name").asText(""))
                .orElseThrow(() -> new BadToken("service account token has been invalidated"));
        if (!found.uid().equals(uid)) {
            throw new BadToken(what + " UID (" + found.uid() + ") does not match service account " + what
                    + " ref claim (" + uid + ")");
        }
        if (isLongDeleted(found, now)) {
            throw new BadToken("service account token has been invalidated");
        }
    }

    /** Deleted for longer than clocks may differ, though something still keeps the object. */
    private static boolean isLongDeleted(StoredObject object, Instant now) {
        JsonNode deleted = object.tree().path("metadata").path("deletionTimestamp");
        return deleted.isTextual()
                && OffsetDateTime.parse(deleted.asText()).toInstant().isBefore(now.minus(LEEWAY));
    }

    private static List<String> texts(JsonNode claim) {
        if (claim.isTextual()) {
            return List.of(claim.asText());
        }
        List<String> list = new ArrayList<>();
        claim.forEach(value -> list.add(value.asText()));
        return list;
    }

    private static String quoted(List<String> values) {
        return values.stream().map(FieldErrors::quote).collect(Collectors.joining(" ", "[", "]"));
    }
}
