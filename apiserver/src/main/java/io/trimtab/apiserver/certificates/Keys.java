package io.trimtab.apiserver.certificates;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.spec.ECGenParameterSpec;
import java.util.function.Supplier;

/**
 * Makes key pairs from the operating system's randomness: the one thing in a cluster that a seed must not decide. They are
 * elliptic: in a JVM that has just started, finding the primes of an RSA key takes longer than starting everything else.
 */
public final class Keys {
    static final SecureRandom RANDOM = new SecureRandom();

    private Keys() {}

    /** A key pair on the curve P-256: made in well under a millisecond once the classes are loaded. */
    public static KeyPair ellipticCurve() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"), RANDOM);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JVM has no EC keys: " + e.getMessage(), e);
        }
    }

    /** Random text of lower-case hexadecimal digits, for a credential. */
    public static String secret(int bytes) {
        byte[] raw = new byte[bytes];
        RANDOM.nextBytes(raw);
        return java.util.HexFormat.of().formatHex(raw);
    }

    /**
     * One key for all clusters of this JVM that live in memory only: what it signs is then the same in two runs from one seed.
     */
    public static Supplier<KeyPair> shared() {
        return () -> Shared.PAIR;
    }

    private static final class Shared {
        static final KeyPair PAIR = ellipticCurve();
    }
}
