package io.trimtab.apiserver.oidc;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.trimtab.apiserver.auth.TokenAuthenticator.BadToken;
import io.trimtab.apiserver.callout.CalloutException;
import io.trimtab.apiserver.callout.CalloutTransport;
import io.trimtab.apiserver.callout.Target;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one issuer: found by its discovery document, kept, and read again when a token is signed by a key that is not among
 * them and the issuer no longer says that they hold. Safe for use by any thread; a read blocks the caller.
 */
final class IssuerKeys {
    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    /** Keys are taken for older than they say: a token may be newer than they are. */
    private static final Duration AHEAD = Duration.ofSeconds(30);

    private static final String WELL_KNOWN = "/.well-known/openid-configuration";

    private final CalloutTransport transport;
    private final Driver driver;
    private final String issuer;
    private final String discoveryUrl;
    private final Target.Trust trust;
    private final ReentrantLock lock = new ReentrantLock();
    /** Null until the issuer was found. Written under the lock. */
    private volatile @Nullable String keysUrl;
    /** Written under the lock. */
    private volatile Kept kept = new Kept(JsonWebKeys.NONE, Instant.MIN);

    private record Kept(JsonWebKeys keys, Instant until) {}

    /** @param discoveryUrl empty for that below the issuer's URL */
    IssuerKeys(CalloutTransport transport, Driver driver, String issuer, String discoveryUrl, Target.Trust trust) {
        this.transport = transport;
        this.driver = driver;
        this.issuer = issuer;
        this.discoveryUrl = discoveryUrl;
        this.trust = trust;
    }

    boolean isFound() {
        return keysUrl != null;
    }

    /**
     * Asks the issuer where its keys are.
     *
     * @throws BadToken if it does not say
     */
    void find() {
        String below = issuer.endsWith("/") ? issuer.substring(0, issuer.length() - 1) : issuer;
        CalloutTransport.Reply reply;
        try {
            reply = get(discoveryUrl.isEmpty() ? below + WELL_KNOWN : discoveryUrl, Map.of());
        } catch (CalloutException | IllegalArgumentException e) {
            throw new BadToken("Get " + FieldErrors.quote(below + WELL_KNOWN) + ": " + e.getMessage());
        }
        String text = new String(reply.body(), StandardCharsets.UTF_8);
        if (reply.code() != 200) {
            throw new BadToken(reply.code() + ": " + text);
        }
        JsonNode document;
        try {
            document = JSON.readTree(reply.body());
        } catch (IOException e) {
            throw new BadToken("oidc: failed to decode provider discovery object: " + e.getMessage());
        }
        String said = document.path("issuer").asText("");
        if (!said.equals(issuer)) {
            throw new BadToken("oidc: issuer did not match the issuer returned by provider, expected "
                    + FieldErrors.quote(issuer) + " got " + FieldErrors.quote(said));
        }
        keysUrl = document.path("jwks_uri").asText("");
    }

    /**
     * Checks a signature.
     *
     * @param keyId of the key that the token names; empty if it names none
     * @throws BadToken if no key of the issuer made it
     */
    void verify(String keyId, String algorithm, byte[] text, byte[] signature) {
        Kept before = kept;
        if (before.keys().verify(keyId, algorithm, text, signature)) {
            return;
        }
        if (!driver.now().plus(AHEAD).isAfter(before.until())) {
            throw new BadToken("failed to verify id token signature");
        }
        if (!fresh(before).verify(keyId, algorithm, text, signature)) {
            throw new BadToken("failed to verify id token signature");
        }
    }

    /** The keys as they are now; who comes while they are read waits for those. */
    private JsonWebKeys fresh(Kept before) {
        lock.lock();
        try {
            if (kept != before) {
                return kept.keys();
            }
            Kept read = read();
            kept = read;
            return read.keys();
        } finally {
            lock.unlock();
        }
    }

    private Kept read() {
        String url = keysUrl;
        if (url == null) {
            throw new BadToken("oidc: authenticator not initialized");
        }
        CalloutTransport.Reply reply;
        try {
            reply = get(url, Map.of());
        } catch (CalloutException | IllegalArgumentException e) {
            throw new BadToken(
                    "fetching keys oidc: get keys failed Get " + FieldErrors.quote(url) + ": " + e.getMessage());
        }
        String text = new String(reply.body(), StandardCharsets.UTF_8);
        if (reply.code() != 200) {
            throw new BadToken("fetching keys oidc: get keys failed: " + reply.code() + " " + text);
        }
        try {
            return new Kept(JsonWebKeys.of(JSON.readTree(reply.body())), until(reply));
        } catch (JsonProcessingException e) {
            throw new BadToken("fetching keys oidc: failed to decode keys: " + e.getOriginalMessage() + " " + text);
        } catch (IOException | IllegalArgumentException e) {
            throw new BadToken("fetching keys oidc: failed to decode keys: " + e.getMessage() + " " + text);
        }
    }

    /** For how long the issuer says that its answer holds. */
    private Instant until(CalloutTransport.Reply reply) {
        Instant now = driver.now();
        String control = reply.header("cache-control");
        if (control != null) {
            String lower = control.toLowerCase(Locale.ROOT);
            if (lower.contains("no-store") || lower.contains("no-cache")) {
                return now;
            }
            for (String part : lower.split(",")) {
                String trimmed = part.strip();
                if (trimmed.startsWith("max-age=")) {
                    try {
                        return now.plusSeconds(Math.min(Long.parseLong(trimmed.substring(8)), 31_536_000L));
                    } catch (NumberFormatException e) {
                        return now;
                    }
                }
            }
        }
        String expires = reply.header("expires");
        if (expires != null) {
            try {
                return ZonedDateTime.parse(expires, DateTimeFormatter.RFC_1123_DATE_TIME)
                        .toInstant();
            } catch (DateTimeException e) {
                return now;
            }
        }
        return now;
    }

    /** Reads what is at a URL, from servers that are trusted as the issuer's is. */
    CalloutTransport.Reply get(String url, Map<String, List<String>> headers) {
        URI uri = URI.create(url);
        String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        String root = uri.getScheme() + "://" + uri.getRawAuthority();
        return transport.send(new CalloutTransport.Request(
                Target.of(root, trust),
                "GET",
                uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery(),
                headers,
                new byte[0],
                TIMEOUT));
    }
}
