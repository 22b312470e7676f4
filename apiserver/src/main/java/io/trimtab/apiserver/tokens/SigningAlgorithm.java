package io.trimtab.apiserver.tokens;

import io.trimtab.apiserver.certificates.DerivedRandom;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECKey;
import java.security.interfaces.RSAKey;

/** How tokens are signed: the sort of key decides, as it does in Kubernetes. The names are those of RFC 7518. */
enum SigningAlgorithm {
    RS256("SHA256withRSA"),
    ES256("SHA256withECDSAinP1363Format"),
    ES384("SHA384withECDSAinP1363Format"),
    ES512("SHA512withECDSAinP1363Format");

    private final String name;

    SigningAlgorithm(String name) {
        this.name = name;
    }

    /**
     * What goes with a key.
     *
     * @param key either half
     * @throws IllegalArgumentException if tokens cannot be signed with such a key
     */
    static SigningAlgorithm of(Object key) {
        if (key instanceof RSAKey) {
            return RS256;
        }
        int bits = key instanceof ECKey elliptic
                ? elliptic.getParams().getCurve().getField().getFieldSize()
                : 0;
        return switch (bits) {
            case 256 -> ES256;
            case 384 -> ES384;
            case 521 -> ES512;
            default ->
                throw new IllegalArgumentException(
                        "tokens of service accounts are signed by keys that are RSA or on the curves P-256, P-384 or P-521");
        };
    }

    byte[] sign(PrivateKey key, byte[] text) {
        try {
            Signature signature = Signature.getInstance(name);
            // The same claims give the same token, with either sort of key.
            signature.initSign(key, DerivedRandom.of(key, text));
            signature.update(text);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot sign a service account token", e);
        }
    }

    boolean verify(PublicKey key, byte[] text, byte[] signature) {
        try {
            Signature verifier = Signature.getInstance(name);
            verifier.initVerify(key);
            verifier.update(text);
            return verifier.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }
}
