package io.trimtab.apiserver.tokens;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.Audiences;
import io.trimtab.apiserver.auth.TokenAuthenticator;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Accepts the tokens that a controller manager signs for Secrets of the type {@code kubernetes.io/service-account-token}: they hold as
 * long as the Secret that shows them, and its account, are there (pkg/serviceaccount/legacy.go). Safe for use by any thread.
 */
public final class LegacyTokens implements TokenAuthenticator {
    private static final String ISSUER = "kubernetes/serviceaccount";
    private static final String CLAIM = "kubernetes.io/serviceaccount/";

    private final Storage storage;
    private final TokenKeys keys;
    private final TokenSettings settings;
    private final SecretTokens secrets;

    public LegacyTokens(Storage storage, TokenKeys keys, TokenSettings settings, Driver driver) {
        this.storage = storage;
        this.keys = keys;
        this.settings = settings;
        this.secrets = new SecretTokens(storage, driver);
    }

    @Override
    public Optional<Authenticated> authenticate(String token, List<String> audiences) {
        Jwt jwt = Jwt.parse(token);
        if (jwt == null || !jwt.claims().path("iss").asText().equals(ISSUER)) {
            return Optional.empty();
        }
        if (!jwt.isSignedBy(keys)) {
            throw new BadToken("invalid signature, no keys found");
        }
        // The token names none: it is meant for this server, by whatever name.
        List<String> asked = audiences.isEmpty() ? settings.audiences() : audiences;
        List<String> both = Audiences.intersect(settings.audiences(), asked);
        if (both.isEmpty()) {
            throw new BadToken(
                    "token audiences " + settings.audiences() + " is invalid for the target audiences " + asked);
        }
        return Optional.of(new Authenticated(validate(token, jwt.claims()), both));
    }

    private UserInfo validate(String token, ObjectNode claims) {
        String subject = claim(claims, "sub", "sub");
        String namespace = claim(claims, CLAIM + "namespace", "namespace");
        String secretName = claim(claims, CLAIM + "secret.name", "secretName");
        String name = claim(claims, CLAIM + "service-account.name", "serviceAccountName");
        String uid = claim(claims, CLAIM + "service-account.uid", "serviceAccountUID");
        if (!subject.equals("system:serviceaccount:" + namespace + ":" + name)) {
            throw new BadToken("sub claim is invalid");
        }
        StoredObject secret = storage.get(CoreResources.SECRETS, namespace, secretName)
                .filter(found -> !isDeleting(found))
                .orElseThrow(() -> new BadToken("Token has been invalidated"));
        if (!SecretTokens.has(secret, token)) {
            throw new BadToken("Token does not match server's copy");
        }
        StoredObject account = storage.get(CoreResources.SERVICE_ACCOUNTS, namespace, name)
                .orElseThrow(() -> new BadToken("serviceaccounts \"" + name + "\" not found"));
        if (isDeleting(account)) {
            throw new BadToken("ServiceAccount " + namespace + "/" + name + " has been deleted");
        }
        if (!account.uid().equals(uid)) {
            throw new BadToken("ServiceAccount UID (" + account.uid() + ") does not match claim (" + uid + ")");
        }
        secrets.used(secret, name);
        return new UserInfo(
                subject, uid, List.of("system:serviceaccounts", "system:serviceaccounts:" + namespace), Map.of());
    }

    private static String claim(JsonNode claims, String field, String shown) {
        String value = claims.path(field).asText("");
        if (value.isEmpty()) {
            throw new BadToken(shown + " claim is missing");
        }
        return value;
    }

    private static boolean isDeleting(StoredObject object) {
        return object.tree().path("metadata").path("deletionTimestamp").isTextual();
    }
}
