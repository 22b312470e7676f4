package io.trimtab.apiserver.certificates;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.SecureRandomSpi;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The number that an elliptic signature needs and nobody may guess, drawn from the key and what is signed, as RFC 6979 has the
 * idea: nobody without the key can tell it from chance, two texts never share one, and the same text is signed the same way in
 * two runs of a cluster. For one signature, by one thread.
 */
public final class DerivedRandom extends SecureRandom {
    private static final long serialVersionUID = 1L;

    private DerivedRandom(Stream stream) {
        super(stream, null);
    }

    /** For the signature of a text by a key. */
    public static SecureRandom of(PrivateKey key, byte[] text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key.getEncoded(), "HmacSHA256"));
            return new DerivedRandom(new Stream(mac.doFinal(text)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JVM has no HMAC with SHA-256", e);
        }
    }

    /** The hashes of a seed and a counter, one after the other. */
    private static final class Stream extends SecureRandomSpi {
        private static final long serialVersionUID = 1L;

        private final byte[] seed;
        private int counter;

        Stream(byte[] seed) {
            this.seed = seed;
        }

        @Override
        protected void engineSetSeed(byte[] more) {
            // What was drawn is decided by the key and the text alone.
        }

        @Override
        protected void engineNextBytes(byte[] bytes) {
            try {
                Mac mac = Mac.getInstance("HmacSHA256");
                mac.init(new SecretKeySpec(seed, "HmacSHA256"));
                for (int done = 0; done < bytes.length; ) {
                    byte[] block = mac.doFinal(
                            ByteBuffer.allocate(Integer.BYTES).putInt(counter++).array());
                    int length = Math.min(block.length, bytes.length - done);
                    System.arraycopy(block, 0, bytes, done, length);
                    done += length;
                }
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("this JVM has no HMAC with SHA-256", e);
            }
        }

        @Override
        protected byte[] engineGenerateSeed(int count) {
            byte[] bytes = new byte[count];
            engineNextBytes(bytes);
            return Arrays.copyOf(bytes, count);
        }
    }
}
