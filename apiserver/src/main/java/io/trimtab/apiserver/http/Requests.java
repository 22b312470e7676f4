package io.trimtab.apiserver.http;

import io.vertx.core.MultiMap;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads what the request line and the headers hold. */
public final class Requests {
    private Requests() {}

    /**
     * Takes percent escapes out of a path.
     *
     * @return null if an escape is malformed
     */
    public static @Nullable String decodePath(String raw) {
        return raw.indexOf('%') < 0 ? raw : unescape(raw, false);
    }

    /** The parameters of a query in order, each with all its values; a malformed one is dropped, as Go does it. */
    public static Map<String, List<String>> parseQuery(@Nullable String query) {
        if (query == null || query.isEmpty()) {
            return Map.of();
        }
        Map<String, List<String>> parameters = new LinkedHashMap<>();
        for (String part : query.split("&")) {
            if (part.isEmpty() || part.indexOf(';') >= 0) {
                continue;
            }
            int eq = part.indexOf('=');
            String name = unescape(eq < 0 ? part : part.substring(0, eq), true);
            String value = eq < 0 ? "" : unescape(part.substring(eq + 1), true);
            if (name != null && value != null) {
                parameters.computeIfAbsent(name, n -> new ArrayList<>(1)).add(value);
            }
        }
        return parameters;
    }

    static Map<String, List<String>> headers(MultiMap headers) {
        Map<String, List<String>> all = new LinkedHashMap<>();
        headers.forEach((name, value) -> {
            // The names that HTTP/2 makes of the request line are no headers.
            if (!name.startsWith(":")) {
                all.computeIfAbsent(name.toLowerCase(Locale.ROOT), n -> new ArrayList<>(1))
                        .add(value);
            }
        });
        return all;
    }

    private static @Nullable String unescape(String text, boolean plusIsSpace) {
        if (text.indexOf('%') < 0 && (!plusIsSpace || text.indexOf('+') < 0)) {
            return text;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
        byte[] raw = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < raw.length; i++) {
            if (raw[i] == '%') {
                int high = i + 2 < raw.length ? Character.digit(raw[i + 1], 16) : -1;
                int low = i + 2 < raw.length ? Character.digit(raw[i + 2], 16) : -1;
                if (high < 0 || low < 0) {
                    return null;
                }
                bytes.write(high << 4 | low);
                i += 2;
            } else {
                bytes.write(plusIsSpace && raw[i] == '+' ? ' ' : raw[i]);
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
