package io.trimtab.apiserver.protobuf;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Walks through the bytes of one message. For one thread. */
final class WireReader {
    static final int VARINT = 0;
    static final int FIXED64 = 1;
    static final int BYTES = 2;
    static final int FIXED32 = 5;

    private final byte[] bytes;
    private int at;
    private final int end;

    WireReader(byte[] bytes) {
        this(bytes, 0, bytes.length);
    }

    private WireReader(byte[] bytes, int at, int end) {
        this.bytes = bytes;
        this.at = at;
        this.end = end;
    }

    boolean hasMore() {
        return at < end;
    }

    /** The number of the next field, shifted, and its wire type. */
    int tag() {
        long tag = varint();
        if (tag <= 0 || tag > Integer.MAX_VALUE) {
            throw new MalformedProtobufException("illegal tag " + tag);
        }
        return (int) tag;
    }

    long varint() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (at >= end) {
                throw new MalformedProtobufException("unexpected EOF");
            }
            byte b = bytes[at++];
            value |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw new MalformedProtobufException("integer overflow");
    }

    double fixed64() {
        long value = 0;
        for (int i = 0; i < 8; i++) {
            if (at >= end) {
                throw new MalformedProtobufException("unexpected EOF");
            }
            value |= (long) (bytes[at++] & 0xff) << (8 * i);
        }
        return Double.longBitsToDouble(value);
    }

    /** A part with a length before it, to be read on its own. */
    WireReader message() {
        long length = varint();
        if (length < 0 || length > end - at) {
            throw new MalformedProtobufException("unexpected EOF");
        }
        WireReader part = new WireReader(bytes, at, at + (int) length);
        at += (int) length;
        return part;
    }

    /** All that is left. */
    byte[] rest() {
        byte[] rest = Arrays.copyOfRange(bytes, at, end);
        at = end;
        return rest;
    }

    String restAsText() {
        String text = new String(bytes, at, end - at, StandardCharsets.UTF_8);
        at = end;
        return text;
    }

    void skip(int wireType) {
        switch (wireType) {
            case VARINT -> varint();
            case FIXED64 -> fixed64();
            case BYTES -> message();
            case FIXED32 -> {
                if (end - at < 4) {
                    throw new MalformedProtobufException("unexpected EOF");
                }
                at += 4;
            }
            default -> throw new MalformedProtobufException("illegal wireType " + wireType);
        }
    }
}
