package io.trimtab.controllers.serviceaccounttoken;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.trimtab.encoding.Der;
import io.trimtab.encoding.PemBlock;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * Signs the tokens of Secrets with the key that the API server knows the public half of: RSA or elliptic. Safe for use by
 * several threads.
 */
public final class TokenKey {
    private static final HexFormat HEX = HexFormat.of();

    /** {@code version 0} and the algorithm {@code rsaEncryption}: what PKCS#8 puts before an RSA key in the older form. */
    private static final String RSA_PREFIX = "020100300d06092a864886f70d0101010500";

    /** The algorithm {@code ecPublicKey}. */
    private static final String ELLIPTIC = "06072a8648ce3d0201";

    /** Curves by what they are called in DER, and how tokens are signed on each. */
    private static final Map<String, String> CURVES =
            Map.of("06082a8648ce3d030107", "ES256", "06052b81040022", "ES384", "06052b81040023", "ES512");

    private final PrivateKey key;
    private final String algorithm;

    private TokenKey(PrivateKey key, String algorithm) {
        this.key = key;
        this.algorithm = algorithm;
    }

    /**
     * Reads a key in PEM form: an RSA one, or one on the curves P-256, P-384 and P-521.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static TokenKey fromPem(String pem) {
        // Parameters of the curve may stand in a block of their own before the key.
        List<PemBlock> blocks = PemBlock.all(pem);
        if (blocks.isEmpty()) {
            throw new IllegalArgumentException("not a private RSA or EC key in PEM form");
        }
        PemBlock block = blocks.get(blocks.size() - 1);
        try {
            byte[] der = block.der();
            String hex = HEX.formatHex(der);
            String curve =
                    CURVES.keySet().stream().filter(hex::contains).findFirst().orElse("");
            boolean elliptic =
                    block.type().equals("EC PRIVATE KEY") || hex.contains(ELLIPTIC + curve) && !curve.isEmpty();
            if (block.type().equals("RSA PRIVATE KEY")) {
                der = wrapped(HEX.parseHex(RSA_PREFIX), der);
            } else if (block.type().equals("EC PRIVATE KEY")) {
                String names = ELLIPTIC + curve;
                der = wrapped(HEX.parseHex("02010030" + HEX.toHexDigits((byte) (names.length() / 2)) + names), der);
            }
            PrivateKey key =
                    KeyFactory.getInstance(elliptic ? "EC" : "RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
            return new TokenKey(key, elliptic ? CURVES.getOrDefault(curve, "") : "RS256");
        } catch (IllegalArgumentException | GeneralSecurityException e) {
            throw new IllegalArgumentException("not a private RSA or EC key in PEM form: " + e.getMessage(), e);
        }
    }

    private static byte[] wrapped(byte[] prefix, byte[] key) {
        return Der.sequence(prefix, Der.octets(key));
    }

    /** The token of a Secret: it names the account and the Secret, and holds as long as both are there. */
    String sign(ServiceAccount account, Secret secret) {
        String namespace = account.getMetadata().getNamespace();
        String name = account.getMetadata().getName();
        ObjectNode claims = JsonNodeFactory.instance.objectNode();
        claims.put("iss", "kubernetes/serviceaccount");
        claims.put("kubernetes.io/serviceaccount/namespace", namespace);
        claims.put(
                "kubernetes.io/serviceaccount/secret.name", secret.getMetadata().getName());
        claims.put("kubernetes.io/serviceaccount/service-account.name", name);
        claims.put(
                "kubernetes.io/serviceaccount/service-account.uid",
                account.getMetadata().getUid());
        claims.put("sub", "system:serviceaccount:" + namespace + ":" + name);
        String content = encode(("{\"alg\":\"" + algorithm + "\",\"typ\":\"JWT\"}").getBytes(StandardCharsets.UTF_8))
                + "." + encode(claims.toString().getBytes(StandardCharsets.UTF_8));
        try {
            Signature signature = Signature.getInstance(
                    algorithm.equals("RS256")
                            ? "SHA256withRSA"
                            : "SHA" + algorithm.substring(2) + "withECDSAinP1363Format");
            signature.initSign(key);
            signature.update(content.getBytes(StandardCharsets.US_ASCII));
            return content + "." + encode(signature.sign());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a token cannot be signed", e);
        }
    }

    private static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
