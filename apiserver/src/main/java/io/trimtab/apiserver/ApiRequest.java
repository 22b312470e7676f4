package io.trimtab.apiserver;

import io.trimtab.apiserver.auth.UserInfo;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One request, whoever carried it here. Immutable by agreement: nobody changes the maps or the body.
 *
 * @param method upper case
 * @param path decoded, without query
 * @param query decoded parameters in order, each with all its values
 * @param headers names in lower case, each with all its values
 * @param body empty if there is none
 * @param peer what the connection proves about its other end
 */
public record ApiRequest(
        String method,
        String path,
        Map<String, List<String>> query,
        Map<String, List<String>> headers,
        byte[] body,
        Peer peer) {

    /**
     * The other end of the connection.
     *
     * @param address for audit and logs
     * @param certificates the verified client certificate chain, leaf first; empty if none was sent
     * @param trusted set only by callers inside this JVM, which are who they say: authentication is skipped
     * @param badCertificate a client certificate was sent that no authority vouches for: without another credential that is
     *     good, the answer is 401
     * @param uri path and query as they came, for the audit log; null if nobody knows
     */
    public record Peer(
            String address,
            List<X509Certificate> certificates,
            @Nullable UserInfo trusted,
            boolean badCertificate,
            @Nullable String uri) {
        /** A peer whose URI nobody needs to know. */
        public Peer(
                String address,
                List<X509Certificate> certificates,
                @Nullable UserInfo trusted,
                boolean badCertificate) {
            this(address, certificates, trusted, badCertificate, null);
        }

        /** A peer whose certificate, if it sent one, is good. */
        public Peer(String address, List<X509Certificate> certificates, @Nullable UserInfo trusted) {
            this(address, certificates, trusted, false);
        }

        /** A caller inside this JVM. */
        public static Peer trusted(UserInfo user) {
            return new Peer("127.0.0.1", List.of(), user);
        }
    }

    /** The first value of a query parameter, or null. */
    public @Nullable String queryParameter(String name) {
        List<String> values = query.get(name);
        return values == null || values.isEmpty() ? null : values.get(0);
    }

    /** The first value of a header, or null. */
    public @Nullable String header(String name) {
        List<String> values = headers.get(name.toLowerCase(Locale.ROOT));
        return values == null || values.isEmpty() ? null : values.get(0);
    }

    /** Path and query as they stand in a URL. */
    public String target() {
        StringBuilder text = new StringBuilder(path.length());
        for (byte b : path.getBytes(StandardCharsets.UTF_8)) {
            int c = b & 0xff;
            boolean plain = c < 0x80 && (Character.isLetterOrDigit(c) || "/-._~!$&'()*+,;=:@".indexOf(c) >= 0);
            if (plain) {
                text.append((char) c);
            } else {
                text.append('%').append(String.format(Locale.ROOT, "%02X", c));
            }
        }
        char before = '?';
        for (Map.Entry<String, List<String>> parameter : query.entrySet()) {
            for (String value : parameter.getValue()) {
                text.append(before)
                        .append(URLEncoder.encode(parameter.getKey(), StandardCharsets.UTF_8))
                        .append('=')
                        .append(URLEncoder.encode(value, StandardCharsets.UTF_8));
                before = '&';
            }
        }
        return text.toString();
    }

    /** A request from inside this JVM. */
    public static ApiRequest local(
            UserInfo user, String method, String path, Map<String, String> query, @Nullable String type, byte[] body) {
        Map<String, List<String>> parameters = new LinkedHashMap<>();
        query.forEach((k, v) -> parameters.put(k, List.of(v)));
        Map<String, List<String>> headers = type == null ? Map.of() : Map.of("content-type", List.of(type));
        return new ApiRequest(method, path, parameters, headers, body, Peer.trusted(user));
    }
}
