package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON as a server writes it, such as {@link CompactJson} does, and as most clients do. What it does not expect, a fraction or malformed text, it leaves
 * to a general reader, which takes three times as long. Names of fields and short texts come again and again, and are shared. Used
 * once, by one thread.
 */
public final class StoredJson {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final int MAX_DEPTH = 500;
    private static final int LONGEST_SHARED = 40;

    /** By hash; races only lose one. Nodes of texts are immutable. */
    private static final Known[] NAMES = new Known[4096];

    private static final Known[] VALUES = new Known[4096];

    private record Known(byte[] bytes, TextNode node) {}

    /** Says that the general reader is to be asked. */
    private static final class Unexpected extends RuntimeException {
        private static final long serialVersionUID = 1L;
        static final Unexpected INSTANCE = new Unexpected();

        private Unexpected() {
            super(null, null, false, false);
        }
    }

    private final byte[] json;
    /** Whether a client wrote it, who may name a field twice. */
    private final boolean foreign;

    private int at;

    private StoredJson(byte[] json, boolean foreign) {
        this.json = json;
        this.foreign = foreign;
    }

    /** The object; null if it takes the general reader. */
    public static @Nullable ObjectNode object(byte[] json) {
        return object(new StoredJson(json, false));
    }

    /** An object that a client sent, in which no field comes twice; null if it takes the general reader. */
    static @Nullable ObjectNode sent(byte[] json) {
        return object(new StoredJson(json, true));
    }

    private static @Nullable ObjectNode object(StoredJson reader) {
        try {
            JsonNode node = reader.value(0);
            reader.space();
            return reader.at == reader.json.length && node instanceof ObjectNode object ? object : null;
        } catch (Unexpected | ArrayIndexOutOfBoundsException e) {
            return null;
        }
    }

    private void space() {
        while (at < json.length && (json[at] == ' ' || json[at] == '\n' || json[at] == '\t' || json[at] == '\r')) {
            at++;
        }
    }

    private byte next() {
        byte b = json[at];
        if (b <= ' ') {
            space();
            b = json[at];
        }
        return b;
    }

    private JsonNode value(int depth) {
        byte b = next();
        switch (b) {
            case '"':
                return text(VALUES);
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case 't':
                word("true");
                return BooleanNode.TRUE;
            case 'f':
                word("false");
                return BooleanNode.FALSE;
            case 'n':
                word("null");
                return NullNode.instance;
            default:
                return number();
        }
    }

    private void word(String word) {
        for (int i = 0; i < word.length(); i++) {
            if (json[at++] != word.charAt(i)) {
                throw Unexpected.INSTANCE;
            }
        }
    }

    private ObjectNode object(int depth) {
        if (depth > MAX_DEPTH) {
            throw Unexpected.INSTANCE;
        }
        ObjectNode object = NODES.objectNode();
        at++;
        if (next() == '}') {
            at++;
            return object;
        }
        while (true) {
            if (next() != '"') {
                throw Unexpected.INSTANCE;
            }
            String name = text(NAMES).textValue();
            if (next() != ':') {
                throw Unexpected.INSTANCE;
            }
            at++;
            if (object.replace(name, value(depth + 1)) != null && foreign) {
                throw Unexpected.INSTANCE;
            }
            byte b = next();
            at++;
            if (b == '}') {
                return object;
            }
            if (b != ',') {
                throw Unexpected.INSTANCE;
            }
        }
    }

    private ArrayNode array(int depth) {
        if (depth > MAX_DEPTH) {
            throw Unexpected.INSTANCE;
        }
        ArrayNode array = NODES.arrayNode();
        at++;
        if (next() == ']') {
            at++;
            return array;
        }
        while (true) {
            array.add(value(depth + 1));
            byte b = next();
            at++;
            if (b == ']') {
                return array;
            }
            if (b != ',') {
                throw Unexpected.INSTANCE;
            }
        }
    }

    private JsonNode number() {
        int start = at;
        boolean negative = json[at] == '-';
        if (negative) {
            at++;
        }
        int first = at;
        long n = 0;
        while (at < json.length && json[at] >= '0' && json[at] <= '9') {
            n = n * 10 + (json[at++] - '0');
        }
        int digits = at - first;
        byte after = at < json.length ? json[at] : 0;
        if (digits == 0
                || digits > 18
                || digits > 1 && json[first] == '0'
                || negative && n == 0
                || after == '.'
                || after == 'e'
                || after == 'E'
                || start == at) {
            throw Unexpected.INSTANCE;
        }
        n = negative ? -n : n;
        return n == (int) n ? IntNode.valueOf((int) n) : LongNode.valueOf(n);
    }

    /** At a quotation mark. */
    private TextNode text(Known[] shared) {
        byte[] bytes = json;
        int start = ++at;
        int end = start;
        int hash = 0;
        byte b;
        while ((b = bytes[end]) != '"') {
            if (b < ' ' || b == '\\') {
                return unusual(start, end);
            }
            hash = 31 * hash + b;
            end++;
        }
        at = end + 1;
        int length = end - start;
        if (length > LONGEST_SHARED) {
            return TextNode.valueOf(new String(bytes, start, length, StandardCharsets.ISO_8859_1));
        }
        int slot = hash * 0x9e3779b9 >>> 20;
        Known known = shared[slot];
        if (known == null || !Arrays.equals(known.bytes, 0, known.bytes.length, bytes, start, end)) {
            byte[] copy = Arrays.copyOfRange(bytes, start, end);
            String text = new String(copy, StandardCharsets.ISO_8859_1);
            // The same string as the constants have with which they are compared: identity is found first.
            known = new Known(copy, TextNode.valueOf(shared == NAMES || isWord(copy) ? text.intern() : text));
            shared[slot] = known;
        }
        return known.node;
    }

    private static boolean isWord(byte[] text) {
        for (byte b : text) {
            if ((b | 0x20) < 'a' || (b | 0x20) > 'z') {
                return false;
            }
        }
        return true;
    }

    /** A text with something in it that is no plain ASCII. */
    private TextNode unusual(int start, int plainTo) {
        int end = plainTo;
        StringBuilder text = null;
        int from = start;
        while (json[end] != '"') {
            byte b = json[end];
            if (b >= 0 && b < ' ') {
                throw Unexpected.INSTANCE;
            }
            if (b != '\\') {
                end++;
                continue;
            }
            text = text == null ? new StringBuilder(end - start + 32) : text;
            text.append(utf8(from, end));
            switch (json[end + 1]) {
                case '"' -> text.append('"');
                case '\\' -> text.append('\\');
                case '/' -> text.append('/');
                case 'b' -> text.append('\b');
                case 'f' -> text.append('\f');
                case 'n' -> text.append('\n');
                case 'r' -> text.append('\r');
                case 't' -> text.append('\t');
                case 'u' -> {
                    if (foreign) {
                        throw Unexpected.INSTANCE; // it may be half of a pair
                    }
                    text.append((char) (hex(end + 2) << 12 | hex(end + 3) << 8 | hex(end + 4) << 4 | hex(end + 5)));
                    end += 4;
                }
                default -> throw Unexpected.INSTANCE;
            }
            end += 2;
            from = end;
        }
        at = end + 1;
        String rest = utf8(from, end);
        return TextNode.valueOf(text == null ? rest : text.append(rest).toString());
    }

    private int hex(int place) {
        int digit = Character.digit(json[place], 16);
        if (digit < 0) {
            throw Unexpected.INSTANCE;
        }
        return digit;
    }

    private String utf8(int from, int to) {
        return new String(json, from, to - from, StandardCharsets.UTF_8);
    }
}
