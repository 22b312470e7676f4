package io.trimtab.apiserver.tokens;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.TokenAuthenticator.BadToken;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Base64;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notes on Secrets on which day their tokens were last used, and refuses those that are marked as not to be used any more: so that
 * tokens that nobody needs can be found and cleared away. Safe for use by any thread.
 */
final class SecretTokens {
    static final String LAST_USED = "kubernetes.io/legacy-token-last-used";
    static final String INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";
    private static final Logger LOG = LoggerFactory.getLogger(SecretTokens.class);

    private final Storage storage;
    private final Driver driver;

    SecretTokens(Storage storage, Driver driver) {
        this.storage = storage;
        this.driver = driver;
    }

    /** Whether the Secret has this token to show to its readers. */
    static boolean has(StoredObject secret, String token) {
        String stored = secret.tree().path("data").path("token").asText("");
        byte[] shown = Base64.getEncoder().encode(token.getBytes(StandardCharsets.UTF_8));
        return MessageDigest.isEqual(stored.getBytes(StandardCharsets.US_ASCII), shown);
    }

    /** @throws BadToken if the Secret is marked as invalid; that somebody tried is noted as well */
    void used(StoredObject secret, String account) {
        note(secret);
        if (!label(secret.tree(), INVALID_SINCE).isEmpty()) {
            throw new BadToken(
                    "the token in secret " + secret.namespace() + "/" + secret.name() + " for service account "
                            + secret.namespace() + "/" + account
                            + " has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based"
                            + " tokens, or remove the '" + INVALID_SINCE
                            + "' label from the secret to temporarily allow use of this token");
        }
    }

    private void note(StoredObject secret) {
        LocalDate today = LocalDate.ofInstant(driver.now(), ZoneOffset.UTC);
        String before = label(secret.tree(), LAST_USED);
        // Another server's clock may be ahead: its day is as good as ours, or they would write in turns at midnight.
        if (before.equals(today.toString()) || before.equals(today.plusDays(1).toString())) {
            return;
        }
        try {
            storage.update(CoreResources.SECRETS, secret.namespace(), secret.name(), current -> {
                if (current.path("metadata").path("uid").asText().equals(secret.uid())) {
                    ObjectNode metadata = current.withObjectProperty("metadata");
                    metadata.withObjectProperty("labels").put(LAST_USED, today.toString());
                }
                return current;
            });
        } catch (StatusException e) {
            LOG.warn(
                    "use of a token not noted: secret={}/{} why={}", secret.namespace(), secret.name(), e.getMessage());
        }
    }

    private static String label(JsonNode object, String name) {
        return object.path("metadata").path("labels").path(name).asText("");
    }
}
