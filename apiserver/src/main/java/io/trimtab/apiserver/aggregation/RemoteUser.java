package io.trimtab.apiserver.aggregation;

import io.trimtab.apiserver.auth.UserInfo;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Tells a server behind this one who asks; it believes us for our client certificate. Stateless. */
final class RemoteUser {
    private RemoteUser() {}

    static Map<String, List<String>> headers(UserInfo user) {
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("X-Remote-User", List.of(user.name()));
        if (!user.uid().isEmpty()) {
            headers.put("X-Remote-Uid", List.of(user.uid()));
        }
        if (!user.groups().isEmpty()) {
            headers.put("X-Remote-Group", user.groups());
        }
        user.extra().forEach((key, values) -> headers.put("X-Remote-Extra-" + escape(key), values));
        return headers;
    }

    /** Whether a header speaks of a user: a client's own are not passed on. */
    static boolean isOurs(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.startsWith("x-remote-") || lower.startsWith("impersonate-") || lower.equals("authorization");
    }

    /** What is no character of a header's name is written as in a URL (client-go's headerKeyEscape). */
    private static String escape(String key) {
        StringBuilder text = new StringBuilder();
        for (byte b : key.getBytes(StandardCharsets.UTF_8)) {
            int c = b & 0xff;
            boolean plain = c < 0x80 && (Character.isLetterOrDigit(c) || "!#$&'*+-.^_`|~".indexOf(c) >= 0);
            if (plain) {
                text.append((char) c);
            } else {
                text.append('%').append(String.format(Locale.ROOT, "%02X", c));
            }
        }
        return text.toString();
    }
}
