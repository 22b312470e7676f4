package io.trimtab.apiserver.tokens;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** A signed token, taken apart; what its claims say is not to be believed before {@link #isSignedBy}. Immutable. */
record Jwt(ObjectNode header, ObjectNode claims, byte[] signed, byte[] signature) {
    private static final ObjectMapper JSON = new JsonMapper();
    private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

    static String sign(ObjectNode claims, TokenKeys keys) {
        ObjectNode header =
                JSON.createObjectNode().put("alg", keys.algorithm().name()).put("kid", keys.keyId());
        String text = encode(header) + "." + encode(claims);
        return text + "." + ENCODER.encodeToString(keys.sign(text.getBytes(StandardCharsets.US_ASCII)));
    }

    /** Null if the text is no such token. */
    static @Nullable Jwt parse(String token) {
        int first = token.indexOf('.');
        int second = token.indexOf('.', first + 1);
        if (first < 0 || second < 0 || token.indexOf('.', second + 1) >= 0) {
            return null;
        }
        try {
            Base64.Decoder decoder = Base64.getUrlDecoder();
            JsonNode header = JSON.readTree(decoder.decode(token.substring(0, first)));
            JsonNode claims = JSON.readTree(decoder.decode(token.substring(first + 1, second)));
            byte[] signature = decoder.decode(token.substring(second + 1));
            if (header instanceof ObjectNode h && claims instanceof ObjectNode c) {
                return new Jwt(h, c, token.substring(0, second).getBytes(StandardCharsets.US_ASCII), signature);
            }
            return null;
        } catch (IOException | IllegalArgumentException e) {
            return null;
        }
    }

    /** The algorithm is the key's to choose, not the token's: a token that says {@code none} must not pass. */
    boolean isSignedBy(TokenKeys keys) {
        JsonNode id = header.get("kid");
        return keys.verify(id == null ? null : id.asText(), header.path("alg").asText(), signed, signature);
    }

    private static String encode(ObjectNode tree) {
        try {
            return ENCODER.encodeToString(JSON.writeValueAsBytes(tree));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree cannot be written: " + e.getMessage(), e);
        }
    }
}
