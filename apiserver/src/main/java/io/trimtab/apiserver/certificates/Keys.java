package io.trimtab.apiserver.certificates;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.function.Supplier;

/** Makes key pairs from the operating system's randomness: the one thing in a cluster that a seed must not decide. */
public final class Keys {
    static final SecureRandom RANDOM = new SecureRandom();

    private Keys() {}

    /** A key pair on the curve P-256: made in well under a millisecond once the classes are loaded. */
    public static KeyPair ellipticCurve() {
        return generate("EC", generator -> generator.initialize(new ECGenParameterSpec("secp256r1"), RANDOM));
    }

    /** An RSA key pair of 2048 bits, which takes some 100 ms to find. */
    public static KeyPair rsa() {
        return generate("RSA", generator -> generator.initialize(2048, RANDOM));
    }

    static PublicKey publicKey(RSAPublicKeySpec spec) {
        try {
            return KeyFactory.getInstance("RSA").generatePublic(spec);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("not an RSA key: " + e.getMessage(), e);
        }
    }

    /** Random text of lower-case hexadecimal digits, for a credential. */
    public static String secret(int bytes) {
        byte[] raw = new byte[bytes];
        RANDOM.nextBytes(raw);
        return java.util.HexFormat.of().formatHex(raw);
    }

    /** The RSA key of all clusters of this JVM that live in memory only, so that each does not search primes anew. */
    public static Supplier<KeyPair> sharedRsa() {
        return () -> SharedRsa.PAIR;
    }

    private static KeyPair generate(String algorithm, Setup setup) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            setup.apply(generator);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JVM has no " + algorithm + " keys: " + e.getMessage(), e);
        }
    }

    private interface Setup {
        void apply(KeyPairGenerator generator) throws GeneralSecurityException;
    }

    private static final class SharedRsa {
        static final KeyPair PAIR = rsa();
    }
}
