package io.trimtab.apiserver.storage;

import java.util.Arrays;

/** Go's encoder keeps JSON safe inside HTML and JavaScript; clients that compare bytes see it. Stateless. */
final class GoEscapes {
    private static final byte[] HEX = "0123456789abcdef".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);

    private GoEscapes() {}

    /**
     * Escapes {@code <}, {@code >}, {@code &}, U+2028 and U+2029, which valid JSON has inside strings only.
     *
     * @param place a position that moves with the text before it
     * @return the same array if there is nothing to escape
     */
    static byte[] escape(byte[] json, int[] place) {
        int extra = 0;
        int before = 0;
        for (int i = 0; i < json.length; i++) {
            byte b = json[i];
            int grows = b == '<' || b == '>' || b == '&' ? 5 : b == (byte) 0xE2 && isSeparator(json, i) ? 3 : 0;
            if (grows > 0) {
                extra += grows;
                if (i < place[0]) {
                    before += grows;
                }
            }
        }
        if (extra == 0) {
            return json;
        }
        place[0] += before;
        byte[] out = new byte[json.length + extra];
        int o = 0;
        for (int i = 0; i < json.length; i++) {
            byte b = json[i];
            if (b == '<' || b == '>' || b == '&') {
                o = write(out, o, b);
            } else if (b == (byte) 0xE2 && isSeparator(json, i)) {
                o = write(out, o, 0x2000 | json[i + 2] & 0x7F);
                i += 2;
            } else {
                out[o++] = b;
            }
        }
        return o == out.length ? out : Arrays.copyOf(out, o);
    }

    private static boolean isSeparator(byte[] json, int i) {
        return i + 2 < json.length
                && json[i + 1] == (byte) 0x80
                && (json[i + 2] == (byte) 0xA8 || json[i + 2] == (byte) 0xA9);
    }

    private static int write(byte[] out, int at, int unit) {
        int o = at;
        out[o++] = '\\';
        out[o++] = 'u';
        out[o++] = HEX[unit >> 12 & 15];
        out[o++] = HEX[unit >> 8 & 15];
        out[o++] = HEX[unit >> 4 & 15];
        out[o++] = HEX[unit & 15];
        return o;
    }
}
