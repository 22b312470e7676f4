package io.trimtab.controllers.bootstraptoken;

import io.fabric8.kubernetes.api.model.Secret;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A token that signs, as its Secret has it. Immutable. */
record BootstrapToken(String id, String secret) {
    static final String NAMESPACE = "kube-system";
    private static final String TYPE = "bootstrap.kubernetes.io/token";
    private static final Pattern NAME = Pattern.compile("bootstrap-token-([a-z0-9]{6})");

    static boolean isOne(Secret secret) {
        return TYPE.equals(secret.getType())
                && NAMESPACE.equals(secret.getMetadata().getNamespace());
    }

    /** Empty if the Secret is broken, has ended, or is not for signing. */
    static Optional<BootstrapToken> forSigning(Secret secret, Instant now) {
        Matcher name = NAME.matcher(secret.getMetadata().getName());
        String id = data(secret, "token-id");
        String value = data(secret, "token-secret");
        Instant end = end(secret);
        boolean good = name.matches()
                && name.group(1).equals(id)
                && !value.isEmpty()
                && (end == null || now.isBefore(end))
                && data(secret, "usage-bootstrap-signing").equals("true");
        return good ? Optional.of(new BootstrapToken(id, value)) : Optional.empty();
    }

    /** When it ends; null for never. What cannot be read has ended: it must not live for ever. */
    static @Nullable Instant end(Secret secret) {
        String text = data(secret, "expiration");
        if (text.isEmpty()) {
            return null;
        }
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            return Instant.MIN;
        }
    }

    private static String data(Secret secret, String key) {
        Map<String, String> data = secret.getData();
        String encoded = data == null ? null : data.get(key);
        if (encoded == null) {
            return "";
        }
        try {
            return new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }
}
