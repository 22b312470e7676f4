package io.trimtab.apiserver.protobuf;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes a message from its end to its beginning, as Go's generated code does: what stands before a part is its length, which is
 * known once the part is written. Values are written before their tags, the last field first. For one thread.
 */
final class WireWriter {
    private byte[] bytes = new byte[1024];
    private int at = bytes.length;

    /** How much is written; what {@link #close} wants of the time before a part. */
    int size() {
        return bytes.length - at;
    }

    void tag(int number, int wireType) {
        varint((long) number << 3 | wireType);
    }

    void varint(long value) {
        int length = length(value);
        makeRoom(length);
        at -= length;
        int i = at;
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            bytes[i++] = (byte) (rest & 0x7f | 0x80);
            rest >>>= 7;
        }
        bytes[i] = (byte) rest;
    }

    /** The number of bytes of a varint. */
    static int length(long value) {
        return value == 0 ? 1 : (70 - Long.numberOfLeadingZeros(value)) / 7;
    }

    void fixed64(double value) {
        makeRoom(8);
        at -= 8;
        long bits = Double.doubleToRawLongBits(value);
        for (int i = 0; i < 8; i++) {
            bytes[at + i] = (byte) (bits >>> 8 * i);
        }
    }

    /** Bytes without length or tag. */
    void raw(byte[] part) {
        makeRoom(part.length);
        at -= part.length;
        System.arraycopy(part, 0, bytes, at, part.length);
    }

    /** A whole field. */
    void bytes(int number, byte[] value) {
        raw(value);
        varint(value.length);
        tag(number, WireReader.BYTES);
    }

    /** A whole field. */
    void text(int number, String value) {
        int length = value.length();
        makeRoom(length);
        int i = length - 1;
        while (i >= 0 && value.charAt(i) < 0x80) {
            bytes[at - length + i] = (byte) value.charAt(i--);
        }
        if (i >= 0) {
            bytes(number, value.getBytes(StandardCharsets.UTF_8));
            return;
        }
        at -= length;
        varint(length);
        tag(number, WireReader.BYTES);
    }

    /** A whole field. */
    void integer(int number, long value) {
        varint(value);
        tag(number, WireReader.VARINT);
    }

    /** Puts length and tag before all that was written since. */
    void close(int number, int sizeBefore) {
        varint(size() - sizeBefore);
        tag(number, WireReader.BYTES);
    }

    void writeTo(ByteArrayOutputStream stream) {
        stream.write(bytes, at, size());
    }

    /** Begins anew. */
    void clear() {
        at = bytes.length;
    }

    byte[] toBytes() {
        return Arrays.copyOfRange(bytes, at, bytes.length);
    }

    private void makeRoom(int length) {
        if (at < length) {
            int size = size();
            byte[] larger = new byte[Math.max(bytes.length * 2, size + length)];
            System.arraycopy(bytes, at, larger, larger.length - size, size);
            at = larger.length - size;
            bytes = larger;
        }
    }
}
