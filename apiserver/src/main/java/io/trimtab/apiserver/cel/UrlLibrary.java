package io.trimtab.apiserver.cel;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** URLs, read the way Go reads them. Stateless. */
final class UrlLibrary {
    static final CelType TYPE = CelType.struct("kubernetes.URL");

    private UrlLibrary() {}

    /** The parts of a URL, as they stand. */
    record Url(String text, String scheme, String host, String path, String query) implements Values.Opaque {
        @Override
        public CelType celType() {
            return TYPE;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Url u && text.equals(u.text);
        }

        @Override
        public int hashCode() {
            return text.hashCode();
        }

        @Override
        public String toString() {
            return text;
        }

        private int portAt() {
            int colon = host.lastIndexOf(':');
            return colon >= 0 && host.indexOf(']', colon) < 0 ? colon : -1;
        }

        String port() {
            int at = portAt();
            return at < 0 ? "" : host.substring(at + 1);
        }

        String hostname() {
            int at = portAt();
            String name = at < 0 ? host : host.substring(0, at);
            return name.startsWith("[") && name.endsWith("]") ? name.substring(1, name.length() - 1) : name;
        }
    }

    static void declare(Libraries to) {
        to.add("url", Overload.global("string_to_url", TYPE, a -> url((String) a[0]), CelType.STRING));
        to.add(
                "isURL",
                Overload.global("is_url_string", CelType.BOOL, a -> problem((String) a[0]) == null, CelType.STRING));
        part(to, "getScheme", "url_get_scheme", Url::scheme);
        part(to, "getHost", "url_get_host", Url::host);
        part(to, "getHostname", "url_get_hostname", Url::hostname);
        part(to, "getPort", "url_get_port", Url::port);
        part(to, "getEscapedPath", "url_get_escaped_path", Url::path);
        to.add(
                "getQuery",
                Overload.member(
                        "url_get_query",
                        CelType.map(CelType.STRING, CelType.list(CelType.STRING)),
                        a -> query(((Url) a[0]).query()),
                        TYPE));
    }

    private static void part(Libraries to, String name, String id, Function<Url, String> part) {
        to.add(name, Overload.member(id, CelType.STRING, a -> part.apply((Url) a[0]), TYPE));
    }

    private static Url url(String text) {
        String problem = problem(text);
        if (problem != null) {
            throw new CelException("URL parse error during conversion from string: " + problem);
        }
        return parts(text);
    }

    private static Url parts(String text) {
        String rest = text;
        int hash = rest.indexOf('#');
        if (hash >= 0) {
            rest = rest.substring(0, hash);
        }
        int colon = schemeEnd(rest);
        String scheme = colon > 0 ? rest.substring(0, colon).toLowerCase(java.util.Locale.ROOT) : "";
        rest = colon > 0 ? rest.substring(colon + 1) : rest;
        int mark = rest.indexOf('?');
        String query = mark < 0 ? "" : rest.substring(mark + 1);
        rest = mark < 0 ? rest : rest.substring(0, mark);
        String host = "";
        if (rest.startsWith("//") && (!scheme.isEmpty() || !rest.startsWith("///"))) {
            int slash = rest.indexOf('/', 2);
            String authority = slash < 0 ? rest.substring(2) : rest.substring(2, slash);
            rest = slash < 0 ? "" : rest.substring(slash);
            host = authority.substring(authority.lastIndexOf('@') + 1);
        } else if (!scheme.isEmpty() && !rest.startsWith("/")) {
            rest = "";
        }
        return new Url(text, scheme, host, rest, query);
    }

    private static int schemeEnd(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
                continue;
            }
            if ((c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.') && i > 0) {
                continue;
            }
            return c == ':' ? i : -1;
        }
        return -1;
    }

    /** Why it is no absolute URL or path, in Go's words; null if it is one. */
    static @Nullable String problem(String text) {
        String start = "parse " + io.trimtab.apiserver.errors.FieldErrors.quote(text) + ": ";
        if (text.isEmpty()) {
            return start + "empty url";
        }
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) < ' ' || text.charAt(i) == 0x7f) {
                return start + "net/url: invalid control character in URL";
            }
        }
        if (text.equals("*")) {
            return null;
        }
        if (text.startsWith(":")) {
            return start + "missing protocol scheme";
        }
        int colon = schemeEnd(text);
        String rest = colon > 0 ? text.substring(colon + 1) : text;
        if (!rest.startsWith("/")) {
            return colon > 0 ? null : start + "invalid URI for request";
        }
        String badEscape = badEscape(rest.split("\\?", 2)[0]);
        if (badEscape != null) {
            return start + "invalid URL escape " + io.trimtab.apiserver.errors.FieldErrors.quote(badEscape);
        }
        if (rest.startsWith("//") && (colon > 0 || !rest.startsWith("///"))) {
            int end = 2;
            while (end < rest.length() && "/?#".indexOf(rest.charAt(end)) < 0) {
                end++;
            }
            String host = rest.substring(2, end);
            host = host.substring(host.lastIndexOf('@') + 1);
            for (char c : host.toCharArray()) {
                if (" <>\"{}|\\^`".indexOf(c) >= 0) {
                    return start + "invalid character "
                            + io.trimtab.apiserver.errors.FieldErrors.quote(String.valueOf(c)) + " in host name";
                }
            }
            if (host.startsWith("[")) {
                int close = host.lastIndexOf(']');
                if (close < 0) {
                    return start + "missing ']' in host";
                }
                host = host.substring(close + 1);
            } else {
                int at = host.indexOf(':');
                host = at < 0 ? "" : host.substring(at);
            }
            if (!host.isEmpty() && !host.matches(":\\d*")) {
                return start + "invalid port " + io.trimtab.apiserver.errors.FieldErrors.quote(host) + " after host";
            }
        }
        return null;
    }

    private static @Nullable String badEscape(String text) {
        for (int i = text.indexOf('%'); i >= 0; i = text.indexOf('%', i + 1)) {
            if (i + 2 >= text.length()
                    || Character.digit(text.charAt(i + 1), 16) < 0
                    || Character.digit(text.charAt(i + 2), 16) < 0) {
                return text.substring(i, Math.min(text.length(), i + 3));
            }
        }
        return null;
    }

    private static CelMap query(String text) {
        Map<String, List<String>> found = new LinkedHashMap<>();
        for (String pair : text.split("&")) {
            if (pair.isEmpty() || pair.contains(";")) {
                continue;
            }
            int equals = pair.indexOf('=');
            try {
                String key = URLDecoder.decode(equals < 0 ? pair : pair.substring(0, equals), StandardCharsets.UTF_8);
                String value = equals < 0 ? "" : URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8);
                found.computeIfAbsent(key, k -> new ArrayList<>()).add(value);
            } catch (IllegalArgumentException e) {
                continue;
            }
        }
        Map<String, Object> values = new LinkedHashMap<>();
        found.forEach((key, list) -> values.put(key, CelList.of(list)));
        return CelMap.of(values);
    }
}
