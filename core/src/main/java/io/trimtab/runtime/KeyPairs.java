package io.trimtab.runtime;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;

/**
 * Makes keys from the operating system's randomness: the one thing that a seed must not decide, so a {@link Driver} has no
 * part in it. Stateless.
 */
public final class KeyPairs {
    private KeyPairs() {}

    /** A key pair on the curve P-256: made in well under a millisecond once the classes are loaded. */
    public static KeyPair ellipticCurve() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JVM has no elliptic keys: " + e.getMessage(), e);
        }
    }
}
