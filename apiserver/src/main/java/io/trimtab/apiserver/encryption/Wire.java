package io.trimtab.apiserver.encryption;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** The little of protobuf that a key management service speaks: fields of bytes, text and numbers, and maps of bytes. Stateless. */
final class Wire {
    private Wire() {}

    /** Writes a message, field by field. Not safe for use by several threads. */
    static final class Writer {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Writer bytes(int field, byte[] value) {
            if (value.length > 0) {
                varint((long) field << 3 | 2);
                varint(value.length);
                out.writeBytes(value);
            }
            return this;
        }

        Writer text(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Writer number(int field, long value) {
            if (value != 0) {
                varint((long) field << 3);
                varint(value);
            }
            return this;
        }

        Writer map(int field, Map<String, byte[]> values) {
            new TreeMap<>(values)
                    .forEach((key, value) -> bytes(
                            field, new Writer().text(1, key).bytes(2, value).done()));
            return this;
        }

        private void varint(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                out.write((int) (rest & 0x7f | 0x80));
                rest >>>= 7;
            }
            out.write((int) rest);
        }

        byte[] done() {
            return out.toByteArray();
        }
    }

    /** A message taken apart; fields that are not there are empty. */
    static final class Message {
        private final Map<Integer, byte[]> fields = new LinkedHashMap<>();
        private final Map<Integer, Long> numbers = new LinkedHashMap<>();
        private final Map<Integer, Map<String, byte[]>> maps = new LinkedHashMap<>();

        byte[] bytes(int field) {
            return fields.getOrDefault(field, new byte[0]);
        }

        String text(int field) {
            return new String(bytes(field), StandardCharsets.UTF_8);
        }

        long number(int field) {
            return numbers.getOrDefault(field, 0L);
        }

        Map<String, byte[]> map(int field) {
            return maps.getOrDefault(field, Map.of());
        }
    }

    /**
     * Reads a message.
     *
     * @param mapField the field that is a map; 0 for none
     * @throws IllegalArgumentException if it is none
     */
    static Message read(byte[] encoded, int mapField) {
        Message message = new Message();
        int[] at = {0};
        while (at[0] < encoded.length) {
            long tag = varint(encoded, at);
            int field = (int) (tag >>> 3);
            switch ((int) (tag & 7)) {
                case 0 -> message.numbers.put(field, varint(encoded, at));
                case 1 -> skip(encoded, at, 8);
                case 2 -> {
                    long length = varint(encoded, at);
                    int from = at[0];
                    skip(encoded, at, length);
                    byte[] value = Arrays.copyOfRange(encoded, from, at[0]);
                    if (field == mapField) {
                        Message entry = read(value, 0);
                        message.maps
                                .computeIfAbsent(field, f -> new LinkedHashMap<>())
                                .put(entry.text(1), entry.bytes(2));
                    } else {
                        message.fields.put(field, value);
                    }
                }
                case 5 -> skip(encoded, at, 4);
                default -> throw new IllegalArgumentException("proto: illegal wireType " + (tag & 7));
            }
        }
        return message;
    }

    private static void skip(byte[] encoded, int[] at, long length) {
        if (length < 0 || length > encoded.length - at[0]) {
            throw new IllegalArgumentException("unexpected EOF");
        }
        at[0] += (int) length;
    }

    private static long varint(byte[] encoded, int[] at) {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (at[0] >= encoded.length) {
                throw new IllegalArgumentException("unexpected EOF");
            }
            byte b = encoded[at[0]++];
            value |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw new IllegalArgumentException("proto: integer overflow");
    }
}
