package io.trimtab.controllers.pods;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Names a pod template: FNV-1a over its canonical JSON and the collision count, in the alphabet of generated names. Kubernetes
 * hashes a dump of Go structs, so its values differ; nothing depends on them, templates are matched by equality.
 */
public final class TemplateHash {
    private static final String ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
    private static final ObjectMapper SORTED = JsonMapper.builder()
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .enable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .build();

    private TemplateHash() {}

    /** @param collisionCount null if names never collided */
    public static String of(PodTemplateSpec template, @Nullable Integer collisionCount) {
        int hash = 0x811c9dc5;
        try {
            hash = fnv1a(hash, SORTED.writeValueAsBytes(template));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a pod template that was read cannot be written", e);
        }
        if (collisionCount != null) {
            byte[] count = new byte[8];
            for (int i = 0; i < 4; i++) {
                count[i] = (byte) (collisionCount >>> (8 * i));
            }
            hash = fnv1a(hash, count);
        }
        return encode(Integer.toUnsignedString(hash));
    }

    /** Keeps generated names free of vowels, and so of bad words. */
    private static String encode(String decimal) {
        StringBuilder encoded = new StringBuilder(decimal.length());
        for (byte b : decimal.getBytes(StandardCharsets.US_ASCII)) {
            encoded.append(ALPHABET.charAt(b % ALPHABET.length()));
        }
        return encoded.toString();
    }

    private static int fnv1a(int hash, byte[] bytes) {
        for (byte b : bytes) {
            hash ^= b & 0xff;
            hash *= 0x01000193;
        }
        return hash;
    }
}
