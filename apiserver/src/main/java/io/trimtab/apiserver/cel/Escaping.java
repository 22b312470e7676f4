package io.trimtab.apiserver.cel;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How names of properties become identifiers. Stateless. */
public final class Escaping {
    private static final Set<String> RESERVED = Set.of(
            "true",
            "false",
            "null",
            "in",
            "as",
            "break",
            "const",
            "continue",
            "else",
            "for",
            "function",
            "if",
            "import",
            "let",
            "loop",
            "package",
            "namespace",
            "return",
            "var",
            "void",
            "while");

    private static final Map<String, String> UNESCAPED =
            Map.of("__dot__", ".", "__dash__", "-", "__slash__", "/", "__underscores__", "__");

    private Escaping() {}

    static boolean isReserved(String word) {
        return RESERVED.contains(word);
    }

    /** The identifier for a name; null if there can be none. */
    public static @Nullable String escape(String name) {
        if (name.isEmpty() || Character.isDigit(name.charAt(0))) {
            return null;
        }
        if (RESERVED.contains(name)) {
            return "__" + name + "__";
        }
        StringBuilder out = new StringBuilder(name.length() + 8);
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '_' && i + 1 < name.length() && name.charAt(i + 1) == '_') {
                out.append("__underscores__");
                i++;
            } else if (c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
                out.append(c);
            } else {
                String with =
                        switch (c) {
                            case '.' -> "__dot__";
                            case '-' -> "__dash__";
                            case '/' -> "__slash__";
                            default -> "";
                        };
                if (with.isEmpty()) {
                    return null;
                }
                out.append(with);
            }
        }
        return out.toString();
    }

    /** The name of an identifier; null if no name is escaped so. */
    static @Nullable String unescape(String identifier) {
        if (!identifier.contains("__")) {
            return identifier;
        }
        if (identifier.startsWith("__") && identifier.endsWith("__") && identifier.length() > 4) {
            String word = identifier.substring(2, identifier.length() - 2);
            if (RESERVED.contains(word)) {
                return word;
            }
        }
        StringBuilder out = new StringBuilder(identifier.length());
        int at = 0;
        while (at < identifier.length()) {
            int start = at;
            String found = UNESCAPED.keySet().stream()
                    .filter(escaped -> identifier.startsWith(escaped, start))
                    .findFirst()
                    .orElse(null);
            if (found != null) {
                out.append(UNESCAPED.get(found));
                at += found.length();
            } else if (identifier.startsWith("__", at)) {
                return null;
            } else {
                out.append(identifier.charAt(at++));
            }
        }
        return out.toString();
    }
}
