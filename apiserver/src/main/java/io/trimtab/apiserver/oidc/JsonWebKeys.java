package io.trimtab.apiserver.oidc;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The public keys of an issuer, as it publishes them: RFC 7517. Immutable. */
final class JsonWebKeys {
    /** The algorithms that tokens may be signed by; those with a shared secret are not among them, nor is {@code none}. */
    static final List<String> ALGORITHMS =
            List.of("ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512");

    static final JsonWebKeys NONE = new JsonWebKeys(List.of());

    private static final Map<String, Integer> CURVE_BITS = Map.of("256", 256, "384", 384, "512", 521);

    private record Key(String id, PublicKey key) {}

    private final List<Key> keys;

    private JsonWebKeys(List<Key> keys) {
        this.keys = List.copyOf(keys);
    }

    /**
     * Reads a set of keys. Those of kinds that no algorithm here takes are left out.
     *
     * @throws IllegalArgumentException if it is no such set
     */
    static JsonWebKeys of(JsonNode document) {
        if (!document.isObject()) {
            throw new IllegalArgumentException("json: cannot unmarshal into Go value of type jose.JSONWebKeySet");
        }
        List<Key> keys = new ArrayList<>();
        for (JsonNode jwk : document.path("keys")) {
            try {
                PublicKey key =
                        switch (jwk.path("kty").asText("")) {
                            case "RSA" ->
                                KeyFactory.getInstance("RSA")
                                        .generatePublic(new RSAPublicKeySpec(number(jwk, "n"), number(jwk, "e")));
                            case "EC" -> elliptic(jwk);
                            default -> null;
                        };
                if (key != null) {
                    keys.add(new Key(jwk.path("kid").asText(""), key));
                }
            } catch (GeneralSecurityException e) {
                throw new IllegalArgumentException("square/go-jose: invalid JWK: " + e.getMessage(), e);
            }
        }
        return new JsonWebKeys(keys);
    }

    /**
     * Whether one of the keys made the signature.
     *
     * @param keyId empty to try all
     */
    boolean verify(String keyId, String algorithm, byte[] text, byte[] signature) {
        for (Key key : keys) {
            if ((keyId.isEmpty() || key.id().equals(keyId)) && verify(key.key(), algorithm, text, signature)) {
                return true;
            }
        }
        return false;
    }

    /** The kind of key must go with the algorithm: what a token says of itself decides nothing alone. */
    private static boolean verify(PublicKey key, String algorithm, byte[] text, byte[] signature) {
        try {
            Signature verifier = verifier(key, algorithm);
            if (verifier == null) {
                return false;
            }
            verifier.initVerify(key);
            verifier.update(text);
            return verifier.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static @Nullable Signature verifier(PublicKey key, String algorithm) throws GeneralSecurityException {
        if (!ALGORITHMS.contains(algorithm)) {
            return null;
        }
        String bits = algorithm.substring(2);
        switch (algorithm.charAt(0)) {
            case 'E':
                boolean fits = key instanceof ECPublicKey elliptic
                        && Integer.valueOf(elliptic.getParams()
                                        .getCurve()
                                        .getField()
                                        .getFieldSize())
                                .equals(CURVE_BITS.get(bits));
                return fits ? Signature.getInstance("SHA" + bits + "withECDSAinP1363Format") : null;
            case 'R':
                return key instanceof RSAPublicKey ? Signature.getInstance("SHA" + bits + "withRSA") : null;
            default:
                if (!(key instanceof RSAPublicKey)) {
                    return null;
                }
                String hash = "SHA-" + bits;
                Signature pss = Signature.getInstance("RSASSA-PSS");
                pss.setParameter(
                        new PSSParameterSpec(hash, "MGF1", new MGF1ParameterSpec(hash), Integer.parseInt(bits) / 8, 1));
                return pss;
        }
    }

    private static @Nullable PublicKey elliptic(JsonNode jwk) throws GeneralSecurityException {
        String curve =
                switch (jwk.path("crv").asText("")) {
                    case "P-256" -> "secp256r1";
                    case "P-384" -> "secp384r1";
                    case "P-521" -> "secp521r1";
                    default -> "";
                };
        if (curve.isEmpty()) {
            return null;
        }
        AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
        parameters.init(new ECGenParameterSpec(curve));
        return KeyFactory.getInstance("EC")
                .generatePublic(new ECPublicKeySpec(
                        new ECPoint(number(jwk, "x"), number(jwk, "y")),
                        parameters.getParameterSpec(ECParameterSpec.class)));
    }

    private static BigInteger number(JsonNode jwk, String field) {
        return new BigInteger(1, Base64.getUrlDecoder().decode(jwk.path(field).asText("")));
    }
}
