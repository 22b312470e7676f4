package io.trimtab.apiserver.encryption;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** The providers that need nothing but a key, writing what Kubernetes writes. Stateless. */
final class Transformers {
    private static final String PREFIX = "k8s:enc:";
    private static final byte[] PREFIX_BYTES = PREFIX.getBytes(StandardCharsets.US_ASCII);
    // Nonces decide whether encryption is worth anything: they come from the operating system, also where time is
    // virtual.
    private static final SecureRandom RANDOM = new SecureRandom();

    private Transformers() {}

    static boolean isSealed(byte[] value) {
        return value.length >= PREFIX_BYTES.length
                && Arrays.equals(value, 0, PREFIX_BYTES.length, PREFIX_BYTES, 0, PREFIX_BYTES.length);
    }

    /** Plain. */
    static final Transformer IDENTITY = new Transformer() {
        @Override
        public String prefix() {
            return "";
        }

        @Override
        public byte[] seal(byte[] plain, byte[] context) {
            return plain;
        }

        @Override
        public byte[] open(byte[] sealed, byte[] context) {
            if (isSealed(sealed)) {
                throw new SealException("identity transformer tried to read encrypted data");
            }
            return sealed;
        }
    };

    /** AES in Galois counter mode; a value is bound to its key in the store. */
    static Transformer aesGcm(String name, byte[] key) {
        SecretKeySpec secret = new SecretKeySpec(key, "AES");
        return new Sealing(PREFIX + "aesgcm:v1:" + name + ":", 12) {
            @Override
            byte[] run(int mode, byte[] nonce, byte[] text, byte[] context) throws GeneralSecurityException {
                Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
                cipher.init(mode, secret, new GCMParameterSpec(128, nonce));
                cipher.updateAAD(context);
                return cipher.doFinal(text);
            }
        };
    }

    /** AES in cipher block chaining mode, padded. */
    static Transformer aesCbc(String name, byte[] key) {
        SecretKeySpec secret = new SecretKeySpec(key, "AES");
        return new Sealing(PREFIX + "aescbc:v1:" + name + ":", 16) {
            @Override
            byte[] run(int mode, byte[] nonce, byte[] text, byte[] context) throws GeneralSecurityException {
                Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding");
                cipher.init(mode, secret, new IvParameterSpec(nonce));
                return cipher.doFinal(text);
            }
        };
    }

    /** XSalsa20 and Poly1305. */
    static Transformer secretBox(String name, byte[] key) {
        return new Sealing(PREFIX + "secretbox:v1:" + name + ":", SecretBox.NONCE_BYTES) {
            @Override
            byte[] run(int mode, byte[] nonce, byte[] text, byte[] context) throws GeneralSecurityException {
                return mode == Cipher.ENCRYPT_MODE
                        ? SecretBox.seal(text, nonce, key)
                        : SecretBox.open(text, nonce, key);
            }
        };
    }

    private abstract static class Sealing implements Transformer {
        private final String prefix;
        private final int nonceBytes;

        Sealing(String prefix, int nonceBytes) {
            this.prefix = prefix;
            this.nonceBytes = nonceBytes;
        }

        abstract byte[] run(int mode, byte[] nonce, byte[] text, byte[] context) throws GeneralSecurityException;

        @Override
        public String prefix() {
            return prefix;
        }

        @Override
        public byte[] seal(byte[] plain, byte[] context) {
            byte[] nonce = new byte[nonceBytes];
            RANDOM.nextBytes(nonce);
            try {
                byte[] text = run(Cipher.ENCRYPT_MODE, nonce, plain, context);
                byte[] sealed = Arrays.copyOf(nonce, nonce.length + text.length);
                System.arraycopy(text, 0, sealed, nonce.length, text.length);
                return sealed;
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("a value cannot be encrypted: " + e.getMessage(), e);
            }
        }

        @Override
        public byte[] open(byte[] sealed, byte[] context) {
            if (sealed.length < nonceBytes) {
                throw new SealException("the stored data was shorter than the required size");
            }
            byte[] nonce = Arrays.copyOf(sealed, nonceBytes);
            try {
                return run(Cipher.DECRYPT_MODE, nonce, Arrays.copyOfRange(sealed, nonceBytes, sealed.length), context);
            } catch (GeneralSecurityException e) {
                throw new SealException(
                        "the stored data cannot be decrypted with key " + prefix + " " + e.getMessage());
            }
        }
    }
}
