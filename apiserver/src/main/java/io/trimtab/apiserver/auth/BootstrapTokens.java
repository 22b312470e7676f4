package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Tokens with which nodes join: {@code <id>.<secret>}, kept in Secrets of {@code kube-system}. A token that does not fit its
 * Secret in every point is nobody's. Safe for use by any thread.
 */
public final class BootstrapTokens implements TokenAuthenticator {
    private static final Pattern TOKEN = Pattern.compile("([a-z0-9]{6})\\.([a-z0-9]{16})");
    private static final Pattern GROUP = Pattern.compile("system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]");

    private final Storage storage;
    private final Driver driver;
    private final List<String> audiences;

    public BootstrapTokens(Storage storage, Driver driver, List<String> audiences) {
        this.storage = storage;
        this.driver = driver;
        this.audiences = List.copyOf(audiences);
    }

    @Override
    public Optional<Authenticated> authenticate(String token, List<String> forAudiences) {
        Matcher parts = TOKEN.matcher(token);
        if (!parts.matches()) {
            return Optional.empty();
        }
        String id = parts.group(1);
        Optional<StoredObject> stored = storage.get(CoreResources.SECRETS, "kube-system", "bootstrap-token-" + id);
        if (stored.isEmpty()) {
            return Optional.empty();
        }
        JsonNode secret = stored.get().tree();
        JsonNode data = secret.path("data");
        boolean good = secret.path("metadata").path("deletionTimestamp").isMissingNode()
                && secret.path("type").asText().equals("bootstrap.kubernetes.io/token")
                && equal(value(data, "token-secret"), parts.group(2))
                && value(data, "token-id").equals(id)
                && value(data, "usage-bootstrap-authentication").equals("true")
                && !isExpired(data);
        List<String> groups = good ? groups(value(data, "auth-extra-groups")) : null;
        if (groups == null) {
            return Optional.empty();
        }
        return Audiences.within(new UserInfo("system:bootstrap:" + id, "", groups, Map.of()), audiences, forAudiences);
    }

    private boolean isExpired(JsonNode data) {
        String text = value(data, "expiration");
        if (text.isEmpty()) {
            return false;
        }
        try {
            Instant end = OffsetDateTime.parse(text).toInstant();
            return !driver.now().isBefore(end);
        } catch (DateTimeException e) {
            return true; // what cannot be read must not live for ever
        }
    }

    /** Null if one of them is none that a token may give. */
    private static @Nullable List<String> groups(String extra) {
        TreeSet<String> groups = new TreeSet<>(List.of("system:bootstrappers"));
        for (String group : extra.isEmpty() ? new String[0] : extra.split(",")) {
            if (!GROUP.matcher(group).matches()) {
                return null;
            }
            groups.add(group);
        }
        return new ArrayList<>(groups);
    }

    private static String value(JsonNode data, String key) {
        try {
            return new String(Base64.getDecoder().decode(data.path(key).asText("")), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    /** In a time that does not tell how much of it was right. */
    private static boolean equal(String one, String other) {
        return MessageDigest.isEqual(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
    }
}
