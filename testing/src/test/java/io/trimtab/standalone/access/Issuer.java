package io.trimtab.standalone.access;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.callout.CalloutException;
import io.trimtab.apiserver.callout.CalloutTransport.Reply;
import io.trimtab.apiserver.callout.CalloutTransport.Request;
import io.trimtab.apiserver.callout.LocalCallouts;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/** An OpenID Connect issuer inside this JVM: publishes keys, signs what it is told. */
final class Issuer {
    private static final Base64.Encoder URL = Base64.getUrlEncoder().withoutPadding();

    final String url;
    private final Map<String, KeyPair> keys = new LinkedHashMap<>();
    String cacheControl = "";
    boolean silent;
    int keysRead;

    Issuer(String url) {
        this.url = url;
    }

    Issuer key(String id, String kind) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(kind.startsWith("P-") ? "EC" : "RSA");
            generator.initialize(kind.startsWith("P-") ? Integer.parseInt(kind.substring(2)) : 2048);
            keys.put(id, generator.generateKeyPair());
            return this;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    void forget(String id) {
        keys.remove(id);
    }

    void serve(LocalCallouts callouts) {
        callouts.register(url.substring("https://".length()), this::answer);
    }

    private Reply answer(Request request) {
        if (silent) {
            throw new CalloutException("dial tcp: connection refused");
        }
        ObjectNode body = LockedServer.JSON.createObjectNode();
        if (request.pathAndQuery().equals("/.well-known/openid-configuration")) {
            body.put("issuer", url).put("jwks_uri", url + "/keys");
        } else if (request.pathAndQuery().equals("/keys")) {
            keysRead++;
            ArrayNode all = body.putArray("keys");
            keys.forEach((id, pair) -> jwk(all.addObject().put("kid", id), pair));
        } else {
            return new Reply(404, Map.of(), new byte[0]);
        }
        Map<String, java.util.List<String>> headers =
                cacheControl.isEmpty() ? Map.of() : Map.of("cache-control", java.util.List.of(cacheControl));
        return new Reply(200, headers, body.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static void jwk(ObjectNode jwk, KeyPair pair) {
        if (pair.getPublic() instanceof RSAPublicKey rsa) {
            jwk.put("kty", "RSA").put("n", number(rsa.getModulus(), 256)).put("e", number(rsa.getPublicExponent(), 3));
        } else if (pair.getPublic() instanceof ECPublicKey elliptic) {
            int bits = elliptic.getParams().getCurve().getField().getFieldSize();
            int size = (bits + 7) / 8;
            jwk.put("kty", "EC")
                    .put("crv", "P-" + bits)
                    .put("x", number(elliptic.getW().getAffineX(), size))
                    .put("y", number(elliptic.getW().getAffineY(), size));
        }
    }

    private static String number(BigInteger number, int size) {
        byte[] bytes = number.toByteArray();
        byte[] fixed = new byte[size];
        int length = Math.min(size, bytes.length);
        System.arraycopy(bytes, bytes.length - length, fixed, size - length, length);
        return URL.encodeToString(fixed);
    }

    String sign(String keyId, String algorithm, String claims) {
        return sign(keyId, algorithm, claims, "");
    }

    /** @param headers more of them, each after a comma */
    String sign(String keyId, String algorithm, String claims, String headers) {
        String text = encode("{\"alg\":\"" + algorithm + "\",\"kid\":\"" + keyId + "\"" + headers + "}") + "."
                + encode(claims);
        return text + "." + URL.encodeToString(signature(keyId, algorithm, text));
    }

    private byte[] signature(String keyId, String algorithm, String text) {
        String bits = algorithm.length() == 5 ? algorithm.substring(2) : "256";
        try {
            Signature signature =
                    switch (algorithm.charAt(0)) {
                        case 'E' -> Signature.getInstance("SHA" + bits + "withECDSAinP1363Format");
                        case 'P' -> Signature.getInstance("RSASSA-PSS");
                        default -> Signature.getInstance("SHA" + bits + "withRSA");
                    };
            if (algorithm.charAt(0) == 'P') {
                signature.setParameter(new PSSParameterSpec(
                        "SHA-" + bits, "MGF1", new MGF1ParameterSpec("SHA-" + bits), Integer.parseInt(bits) / 8, 1));
            }
            KeyPair pair = keys.get(keyId);
            signature.initSign(java.util.Objects.requireNonNull(pair).getPrivate());
            signature.update(text.getBytes(StandardCharsets.US_ASCII));
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static String encode(String text) {
        return URL.encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
