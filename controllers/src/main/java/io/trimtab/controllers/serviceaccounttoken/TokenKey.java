package io.trimtab.controllers.serviceaccounttoken;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

/** Signs the tokens of Secrets with the RSA key that the API server knows the public half of. Safe for use by several threads. */
public final class TokenKey {
    /** {@code version 0} and the algorithm {@code rsaEncryption}: what PKCS#8 puts before a key in the older form. */
    private static final byte[] RSA_PREFIX = {
        0x02,
        0x01,
        0x00,
        0x30,
        0x0d,
        0x06,
        0x09,
        0x2a,
        (byte) 0x86,
        0x48,
        (byte) 0x86,
        (byte) 0xf7,
        0x0d,
        0x01,
        0x01,
        0x01,
        0x05,
        0x00
    };

    private final PrivateKey key;

    private TokenKey(PrivateKey key) {
        this.key = key;
    }

    /**
     * Reads an RSA key in PEM form.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static TokenKey fromPem(String pem) {
        String body = pem.replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        try {
            byte[] der = Base64.getDecoder().decode(body);
            if (pem.contains("BEGIN RSA PRIVATE KEY")) {
                ByteArrayOutputStream content = new ByteArrayOutputStream();
                content.writeBytes(RSA_PREFIX);
                content.writeBytes(tagged(0x04, der));
                der = tagged(0x30, content.toByteArray());
            }
            return new TokenKey(KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der)));
        } catch (IllegalArgumentException | GeneralSecurityException e) {
            throw new IllegalArgumentException("not a private RSA key in PEM form: " + e.getMessage(), e);
        }
    }

    private static byte[] tagged(int tag, byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        if (content.length < 128) {
            out.write(content.length);
        } else if (content.length < 256) {
            out.write(0x81);
            out.write(content.length);
        } else {
            out.write(0x82);
            out.write(content.length >> 8);
            out.write(content.length & 255);
        }
        out.writeBytes(content);
        return out.toByteArray();
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
        String content = encode("{\"alg\":\"RS256\",\"typ\":\"JWT\"}".getBytes(StandardCharsets.UTF_8)) + "."
                + encode(claims.toString().getBytes(StandardCharsets.UTF_8));
        try {
            Signature signature = Signature.getInstance("SHA256withRSA");
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
