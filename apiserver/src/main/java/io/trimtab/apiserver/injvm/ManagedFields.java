package io.trimtab.apiserver.injvm;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Cuts {@code metadata.managedFields} out of stored JSON, for readers that would skip them. They are a third of a pod, and their
 * names hold values, such as a pod's address: a parser remembers names, of which there are few, and would copy the whole table of
 * all it knows for each new one. Pure functions.
 */
final class ManagedFields {
    private static final byte[] METADATA = ascii("\"metadata\":");
    private static final byte[] MANAGED = ascii("\"managedFields\":[");

    private ManagedFields() {}

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** The object without them; the same array if it has none. */
    static byte[] cut(byte[] json) {
        // Quotes inside of a text have a backslash before them: what is found is a name.
        int begin = RenewedObjects.indexOf(json, MANAGED, 0);
        if (begin < 0 || !isInMetadata(json, begin)) {
            return json;
        }
        int end = endOfArray(json, begin + MANAGED.length);
        if (json[begin - 1] == ',') {
            begin--;
        } else if (json[end] == ',') {
            end++;
        }
        byte[] rest = Arrays.copyOf(json, json.length - (end - begin));
        System.arraycopy(json, end, rest, begin, json.length - end);
        return rest;
    }

    /** Whether a place is in the object's own metadata, and in no object in it. */
    private static boolean isInMetadata(byte[] json, int place) {
        int depth = 0;
        int opened = 0;
        for (int i = 0; i < place; i++) {
            switch (json[i]) {
                case '"' -> i = endOfText(json, i);
                case '{', '[' -> {
                    depth++;
                    if (depth == 2) {
                        opened = i;
                    }
                }
                case '}', ']' -> depth--;
                default -> {}
            }
        }
        int name = opened - METADATA.length;
        return depth == 2 && name > 0 && Arrays.equals(json, name, opened, METADATA, 0, METADATA.length);
    }

    /** @return behind the closing bracket */
    private static int endOfArray(byte[] json, int inside) {
        int depth = 1;
        int i = inside;
        for (; depth > 0; i++) {
            switch (json[i]) {
                case '"' -> i = endOfText(json, i);
                case '{', '[' -> depth++;
                case '}', ']' -> depth--;
                default -> {}
            }
        }
        return i;
    }

    /** @return the closing quote */
    private static int endOfText(byte[] json, int quote) {
        int i = quote + 1;
        while (json[i] != '"') {
            i += json[i] == '\\' ? 2 : 1;
        }
        return i;
    }
}
