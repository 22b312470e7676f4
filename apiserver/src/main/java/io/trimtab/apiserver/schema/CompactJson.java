package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/**
 * JSON in one line, from a tree straight into bytes, as Go's encoder writes it: what could end a script or a tag inside HTML is
 * escaped. Everything that is stored or answered passes here, and a general writer would take five times as long. Used by one
 * thread.
 */
public final class CompactJson {
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .disable(JsonWriteFeature.WRITE_HEX_UPPER_CASE)
                    .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
                    .build())
            .build();
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] TRUE = {'t', 'r', 'u', 'e'};
    private static final byte[] FALSE = {'f', 'a', 'l', 's', 'e'};
    private static final byte[] NULL = {'n', 'u', 'l', 'l'};

    /** For ASCII characters: 0 if they stand for themselves, a letter if a backslash and that does, 1 for {@code \}{@code u00xx}. */
    private static final byte[] ESCAPES = new byte[128];

    static {
        Arrays.fill(ESCAPES, 0, ' ', (byte) 1);
        ESCAPES['\b'] = 'b';
        ESCAPES['\t'] = 't';
        ESCAPES['\n'] = 'n';
        ESCAPES['\f'] = 'f';
        ESCAPES['\r'] = 'r';
        ESCAPES['"'] = '"';
        ESCAPES['\\'] = '\\';
        ESCAPES['<'] = 1;
        ESCAPES['>'] = 1;
        ESCAPES['&'] = 1;
    }

    private byte[] bytes;
    private int length;

    /** @param expected how many bytes it may become */
    public CompactJson(int expected) {
        bytes = new byte[expected];
    }

    /** A tree as JSON. */
    public static byte[] of(JsonNode node) {
        CompactJson json = new CompactJson(1024);
        json.value(node);
        return json.toBytes();
    }

    /** How many bytes were written. */
    public int length() {
        return length;
    }

    /** A copy of what was written. */
    public byte[] toBytes() {
        return Arrays.copyOf(bytes, length);
    }

    /** Adds a character of the syntax. */
    public CompactJson ascii(char c) {
        if (length == bytes.length) {
            grow(1);
        }
        bytes[length++] = (byte) c;
        return this;
    }

    /** Adds bytes that are JSON already. */
    public CompactJson raw(byte[] json) {
        if (bytes.length - length < json.length) {
            grow(json.length);
        }
        System.arraycopy(json, 0, bytes, length, json.length);
        length += json.length;
        return this;
    }

    private void grow(int more) {
        bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + more));
    }

    /**
     * Adds a value.
     *
     * @return whether reading what was written gives an equal node
     */
    public boolean value(JsonNode node) {
        if (node instanceof TextNode text) {
            string(text.textValue());
            return true;
        }
        if (node instanceof ObjectNode object) {
            if (object instanceof SharedNode shared) {
                raw(shared.json());
                return true;
            }
            return plain(object);
        }
        if (node instanceof IntNode number) {
            number(number.intValue());
            return true;
        }
        if (node instanceof BooleanNode bool) {
            raw(bool.booleanValue() ? TRUE : FALSE);
            return true;
        }
        if (node instanceof ArrayNode array) {
            return array(array);
        }
        if (node instanceof NullNode) {
            raw(NULL);
            return true;
        }
        if (node instanceof LongNode number) {
            raw(Long.toString(number.longValue()).getBytes(StandardCharsets.ISO_8859_1));
            return !number.canConvertToInt();
        }
        try {
            // Fractions and the like; strings inside of what else there may be are escaped by Jackson only, which is
            // valid, too.
            raw(MAPPER.writeValueAsBytes(node));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return false;
    }

    /** Field by field, whatever is known of the object. */
    boolean plain(ObjectNode object) {
        boolean same = true;
        char before = '{';
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            ascii(before);
            before = ',';
            name(field.getKey());
            same &= value(field.getValue());
        }
        if (before == '{') {
            ascii('{');
        }
        ascii('}');
        return same;
    }

    private boolean array(ArrayNode array) {
        boolean same = true;
        ascii('[');
        for (int i = 0, size = array.size(); i < size; i++) {
            if (i > 0) {
                ascii(',');
            }
            same &= value(array.get(i));
        }
        ascii(']');
        return same;
    }

    private void number(int number) {
        if (number >= 0 && number < 10) {
            ascii((char) ('0' + number));
            return;
        }
        if (bytes.length - length < 11) {
            grow(11);
        }
        long rest = Math.abs((long) number);
        int digits = 1;
        for (long n = rest; n >= 10; n /= 10) {
            digits++;
        }
        if (number < 0) {
            bytes[length++] = '-';
        }
        for (int i = length + digits - 1; i >= length; i--) {
            bytes[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        length += digits;
    }

    /** Names as they are written, by hash; races only lose one. */
    private static final Name[] NAMES = new Name[2048];

    private record Name(String text, byte[] json) {}

    private static final int LONGEST_NAME = 64;

    /** Adds the name of a field, and the colon. */
    @SuppressWarnings("StringEquality") // names are interned as a rule; the comparison of texts comes after
    public void name(String text) {
        int slot = text.hashCode() * 0x9e3779b9 >>> 21;
        Name known = NAMES[slot];
        if (known != null && (known.text == text || known.text.equals(text))) {
            raw(known.json);
            return;
        }
        int start = length;
        string(text);
        ascii(':');
        if (text.length() <= LONGEST_NAME) {
            NAMES[slot] = new Name(text, Arrays.copyOfRange(bytes, start, length));
        }
    }

    /** Adds a string. */
    public void string(String text) {
        int size = text.length();
        if (bytes.length - length < size + 2) {
            grow(size + 2);
        }
        byte[] out = bytes;
        int at = length;
        out[at++] = '"';
        for (int i = 0; i < size; i++) {
            char c = text.charAt(i);
            if (c >= 128 || ESCAPES[c] != 0) {
                length = at;
                rest(text, i);
                return;
            }
            out[at++] = (byte) c;
        }
        out[at++] = '"';
        length = at;
    }

    /** The rest of a string in which something is no plain ASCII. */
    private void rest(String text, int from) {
        int size = text.length();
        for (int i = from; i < size; i++) {
            char c = text.charAt(i);
            if (bytes.length - length < 8) {
                grow(Math.max(8, size - i + 2));
            }
            if (c < 128) {
                ascii(c, ESCAPES[c]);
            } else if (c < 0x800) {
                bytes[length++] = (byte) (0xc0 | c >> 6);
                bytes[length++] = (byte) (0x80 | c & 0x3f);
            } else if (c == 0x2028 || c == 0x2029) {
                unicode(c);
            } else if (!Character.isSurrogate(c)) {
                bytes[length++] = (byte) (0xe0 | c >> 12);
                bytes[length++] = (byte) (0x80 | c >> 6 & 0x3f);
                bytes[length++] = (byte) (0x80 | c & 0x3f);
            } else if (Character.isHighSurrogate(c) && i + 1 < size && Character.isLowSurrogate(text.charAt(i + 1))) {
                int point = Character.toCodePoint(c, text.charAt(++i));
                bytes[length++] = (byte) (0xf0 | point >> 18);
                bytes[length++] = (byte) (0x80 | point >> 12 & 0x3f);
                bytes[length++] = (byte) (0x80 | point >> 6 & 0x3f);
                bytes[length++] = (byte) (0x80 | point & 0x3f);
            } else {
                // Half of a pair, which UTF-8 cannot say; Go's strings cannot hold it either.
                bytes[length++] = (byte) 0xef;
                bytes[length++] = (byte) 0xbf;
                bytes[length++] = (byte) 0xbd;
            }
        }
        ascii('"');
    }

    private void ascii(char c, byte escape) {
        if (escape == 0) {
            bytes[length++] = (byte) c;
        } else if (escape == 1) {
            unicode(c);
        } else {
            bytes[length++] = '\\';
            bytes[length++] = escape;
        }
    }

    private void unicode(char c) {
        bytes[length++] = '\\';
        bytes[length++] = 'u';
        bytes[length++] = HEX[c >> 12];
        bytes[length++] = HEX[c >> 8 & 15];
        bytes[length++] = HEX[c >> 4 & 15];
        bytes[length++] = HEX[c & 15];
    }
}
