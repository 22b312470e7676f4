package io.trimtab.apiserver.schema;

/** Finds where base64 text breaks, by Go's rules: padding is required, line ends are skipped. */
public final class Base64Text {
    private Base64Text() {}

    /** The index that Go's error names; -1 if the text is good. */
    public static int firstBadByte(String text) {
        int inQuantum = 0;
        int length = text.length();
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (c == '\n' || c == '\r') {
                continue;
            }
            if (isDigit(c)) {
                inQuantum = (inQuantum + 1) & 3;
                continue;
            }
            if (c != '=' || inQuantum < 2) {
                return i;
            }
            int next = skipLineEnds(text, i + 1);
            if (inQuantum == 2) {
                if (next == length) {
                    return length;
                }
                if (text.charAt(next) != '=') {
                    return next;
                }
                next = skipLineEnds(text, next + 1);
            }
            return next < length ? next : -1;
        }
        return inQuantum == 0 ? -1 : length - inQuantum;
    }

    private static int skipLineEnds(String text, int i) {
        while (i < text.length() && (text.charAt(i) == '\n' || text.charAt(i) == '\r')) {
            i++;
        }
        return i;
    }

    private static boolean isDigit(char c) {
        return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/';
    }
}
