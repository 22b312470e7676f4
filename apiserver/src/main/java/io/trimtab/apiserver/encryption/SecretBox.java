package io.trimtab.apiserver.encryption;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * NaCl's {@code crypto_secretbox}: XSalsa20 with Poly1305, after D. J. Bernstein's papers. The JDK has neither. Stateless; not
 * made for large texts: stored objects are small.
 */
final class SecretBox {
    static final int NONCE_BYTES = 24;
    private static final int TAG_BYTES = 16;
    private static final int[] SIGMA = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    private static final BigInteger P = BigInteger.ONE.shiftLeft(130).subtract(BigInteger.valueOf(5));
    private static final BigInteger CLAMP = new BigInteger("0ffffffc0ffffffc0ffffffc0fffffff", 16);

    private SecretBox() {}

    /** The tag, then the encrypted text. */
    static byte[] seal(byte[] text, byte[] nonce, byte[] key) {
        byte[] stream = stream(text.length + 32, nonce, key);
        byte[] sealed = new byte[TAG_BYTES + text.length];
        for (int i = 0; i < text.length; i++) {
            sealed[TAG_BYTES + i] = (byte) (text[i] ^ stream[32 + i]);
        }
        System.arraycopy(tag(sealed, TAG_BYTES, stream), 0, sealed, 0, TAG_BYTES);
        return sealed;
    }

    /** @throws GeneralSecurityException if the tag is not that of the text */
    static byte[] open(byte[] sealed, byte[] nonce, byte[] key) throws GeneralSecurityException {
        if (sealed.length < TAG_BYTES) {
            throw new GeneralSecurityException("too short");
        }
        byte[] stream = stream(sealed.length - TAG_BYTES + 32, nonce, key);
        if (!MessageDigest.isEqual(tag(sealed, TAG_BYTES, stream), Arrays.copyOf(sealed, TAG_BYTES))) {
            throw new GeneralSecurityException("wrong tag");
        }
        byte[] text = new byte[sealed.length - TAG_BYTES];
        for (int i = 0; i < text.length; i++) {
            text[i] = (byte) (sealed[TAG_BYTES + i] ^ stream[32 + i]);
        }
        return text;
    }

    /** Poly1305 of the bytes from an offset on; its key is the first 32 bytes of the stream. */
    private static byte[] tag(byte[] bytes, int from, byte[] stream) {
        BigInteger r = little(stream, 0, 16).and(CLAMP);
        BigInteger s = little(stream, 16, 16);
        BigInteger sum = BigInteger.ZERO;
        for (int at = from; at < bytes.length; at += 16) {
            int length = Math.min(16, bytes.length - at);
            sum = sum.add(little(bytes, at, length))
                    .add(BigInteger.ONE.shiftLeft(8 * length))
                    .multiply(r)
                    .mod(P);
        }
        byte[] big = sum.add(s).toByteArray();
        byte[] tag = new byte[TAG_BYTES];
        for (int i = 0; i < TAG_BYTES && i < big.length; i++) {
            tag[i] = big[big.length - 1 - i];
        }
        return tag;
    }

    private static BigInteger little(byte[] bytes, int from, int length) {
        byte[] big = new byte[length];
        for (int i = 0; i < length; i++) {
            big[i] = bytes[from + length - 1 - i];
        }
        return new BigInteger(1, big);
    }

    private static byte[] stream(int length, byte[] nonce, byte[] key) {
        int[] subkey = hsalsa(nonce, key);
        byte[] stream = new byte[length];
        int[] in = new int[16];
        for (int i = 0; i < 4; i++) {
            in[5 * i] = SIGMA[i];
            in[1 + i] = subkey[i];
            in[11 + i] = subkey[4 + i];
        }
        in[6] = word(nonce, 16);
        in[7] = word(nonce, 20);
        for (int at = 0; at < length; at += 64) {
            in[8] = at / 64;
            int[] out = rounds(in);
            for (int i = 0; i < 64 && at + i < length; i++) {
                int word = out[i / 4] + in[i / 4];
                stream[at + i] = (byte) (word >>> 8 * (i % 4));
            }
        }
        return stream;
    }

    private static int[] hsalsa(byte[] nonce, byte[] key) {
        int[] in = new int[16];
        for (int i = 0; i < 4; i++) {
            in[5 * i] = SIGMA[i];
            in[1 + i] = word(key, 4 * i);
            in[6 + i] = word(nonce, 4 * i);
            in[11 + i] = word(key, 16 + 4 * i);
        }
        int[] out = rounds(in);
        return new int[] {out[0], out[5], out[10], out[15], out[6], out[7], out[8], out[9]};
    }

    private static int word(byte[] bytes, int at) {
        return bytes[at] & 0xff | (bytes[at + 1] & 0xff) << 8 | (bytes[at + 2] & 0xff) << 16 | bytes[at + 3] << 24;
    }

    private static int[] rounds(int[] in) {
        int[] x = in.clone();
        for (int i = 0; i < 10; i++) {
            quarter(x, 0, 4, 8, 12);
            quarter(x, 5, 9, 13, 1);
            quarter(x, 10, 14, 2, 6);
            quarter(x, 15, 3, 7, 11);
            quarter(x, 0, 1, 2, 3);
            quarter(x, 5, 6, 7, 4);
            quarter(x, 10, 11, 8, 9);
            quarter(x, 15, 12, 13, 14);
        }
        return x;
    }

    private static void quarter(int[] x, int a, int b, int c, int d) {
        x[b] ^= Integer.rotateLeft(x[a] + x[d], 7);
        x[c] ^= Integer.rotateLeft(x[b] + x[a], 9);
        x[d] ^= Integer.rotateLeft(x[c] + x[b], 13);
        x[a] ^= Integer.rotateLeft(x[d] + x[c], 18);
    }
}
