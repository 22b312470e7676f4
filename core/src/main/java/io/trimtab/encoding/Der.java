package io.trimtab.encoding;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;

/**
 * The few forms of DER that a certificate or a key needs, for who makes one of {@link io.trimtab.runtime.KeyPairs}: the JDK has no public API for it, and
 * a cryptographic library takes longer to load than the rest of a server's start. Stateless.
 *
 * @since 0.1
 */
public final class Der {
    private static final DateTimeFormatter SHORT_YEAR = DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'");
    private static final DateTimeFormatter LONG_YEAR = DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'");

    private Der() {}

    /** A value with its tag and length. */
    public static byte[] tagged(int tag, byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream(length + 4);
        out.write(tag);
        if (length < 0x80) {
            out.write(length);
        } else {
            byte[] size = unsigned(length);
            out.write(0x80 | size.length);
            out.writeBytes(size);
        }
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    /** What belongs together, in its order. */
    public static byte[] sequence(byte[]... parts) {
        return tagged(0x30, parts);
    }

    /** What belongs together; of certificates, always one. */
    public static byte[] set(byte[]... parts) {
        return tagged(0x31, parts);
    }

    /** A whole number. */
    public static byte[] integer(BigInteger value) {
        return tagged(0x02, value.toByteArray());
    }

    /** The value true. */
    public static byte[] truth() {
        return tagged(0x01, new byte[] {(byte) 0xff});
    }

    /** Text in UTF-8. */
    public static byte[] text(String value) {
        return tagged(0x0c, value.getBytes(StandardCharsets.UTF_8));
    }

    /** Bytes. */
    public static byte[] octets(byte[]... parts) {
        return tagged(0x04, parts);
    }

    /**
     * Bits.
     *
     * @param unused how many of the last byte's bits do not count
     */
    public static byte[] bits(int unused, byte... value) {
        return tagged(0x03, new byte[] {(byte) unused}, value);
    }

    /** Two digits of the year until 2049, four afterwards: RFC 5280 wants it so. */
    public static byte[] time(Instant instant) {
        ZonedDateTime time = instant.atZone(ZoneOffset.UTC);
        boolean early = time.getYear() < 2050;
        String text = (early ? SHORT_YEAR : LONG_YEAR).format(time);
        return tagged(early ? 0x17 : 0x18, text.getBytes(StandardCharsets.US_ASCII));
    }

    /** An object identifier, given with dots. */
    public static byte[] identifier(String dotted) {
        String[] arcs = dotted.split("\\.");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(Integer.parseInt(arcs[0]) * 40 + Integer.parseInt(arcs[1]));
        for (int i = 2; i < arcs.length; i++) {
            long arc = Long.parseLong(arcs[i]);
            int groups = 1;
            while (arc >> 7 * groups != 0) {
                groups++;
            }
            for (int group = groups - 1; group >= 0; group--) {
                out.write((int) (arc >> 7 * group & 0x7f) | (group > 0 ? 0x80 : 0));
            }
        }
        return tagged(0x06, out.toByteArray());
    }

    /** A number without its sign, in so many bytes. */
    public static byte[] unsigned(BigInteger value, int size) {
        byte[] bytes = value.toByteArray();
        byte[] fixed = new byte[size];
        int length = Math.min(size, bytes.length);
        System.arraycopy(bytes, bytes.length - length, fixed, size - length, length);
        return fixed;
    }

    private static byte[] unsigned(int value) {
        byte[] bytes = BigInteger.valueOf(value).toByteArray();
        return bytes[0] == 0 ? java.util.Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
    }
}
