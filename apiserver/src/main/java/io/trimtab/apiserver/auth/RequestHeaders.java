package io.trimtab.apiserver.auth;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.runtime.Driver;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Believes a proxy in front of this server who asks: it shows a certificate of an authority of its own, and names the user in
 * headers. From anybody else the headers mean nothing. Safe for use by any thread.
 */
public final class RequestHeaders implements Authenticator {
    private final Settings settings;
    private final Set<TrustAnchor> anchors = new HashSet<>();
    private final Driver driver;

    /**
     * What proxies do.
     *
     * @param authorities that sign proxies
     * @param allowedNames common names of proxies; empty for any
     * @param userHeaders that may name the user, the first that is there counts
     * @param uidHeaders likewise for the uid
     * @param groupHeaders that may name groups, all of them count
     * @param extraPrefixes of headers that hold more about the user
     */
    public record Settings(
            List<X509Certificate> authorities,
            List<String> allowedNames,
            List<String> userHeaders,
            List<String> uidHeaders,
            List<String> groupHeaders,
            List<String> extraPrefixes) {
        public Settings {
            authorities = List.copyOf(authorities);
            allowedNames = List.copyOf(allowedNames);
            userHeaders = List.copyOf(userHeaders);
            uidHeaders = List.copyOf(uidHeaders);
            groupHeaders = List.copyOf(groupHeaders);
            extraPrefixes = List.copyOf(extraPrefixes);
        }

        /** The headers that Kubernetes' own proxies set. */
        public static Settings usual(List<X509Certificate> authorities, List<String> allowedNames) {
            return new Settings(
                    authorities,
                    allowedNames,
                    List.of("X-Remote-User"),
                    List.of("X-Remote-Uid"),
                    List.of("X-Remote-Group"),
                    List.of("X-Remote-Extra-"));
        }
    }

    public RequestHeaders(Settings settings, Driver driver) {
        this.settings = settings;
        this.driver = driver;
        settings.authorities().forEach(authority -> anchors.add(new TrustAnchor(authority, null)));
    }

    @Override
    public Optional<UserInfo> authenticate(ApiRequest request) {
        String name = first(request, settings.userHeaders());
        List<X509Certificate> chain = request.peer().certificates();
        if (name.isEmpty() || chain.isEmpty() || !isProxy(chain)) {
            return Optional.empty();
        }
        List<String> groups = new ArrayList<>();
        for (String header : settings.groupHeaders()) {
            groups.addAll(request.headers().getOrDefault(header.toLowerCase(Locale.ROOT), List.of()));
        }
        return Optional.of(new UserInfo(name, first(request, settings.uidHeaders()), groups, extra(request)));
    }

    private boolean isProxy(List<X509Certificate> chain) {
        if (!ClientCertificates.isTrusted(chain, anchors, Date.from(driver.now()))) {
            return false;
        }
        return settings.allowedNames().isEmpty()
                || ClientCertificates.names(chain.get(0), "CN").stream().anyMatch(settings.allowedNames()::contains);
    }

    private static String first(ApiRequest request, List<String> headers) {
        for (String header : headers) {
            String value = request.header(header);
            if (value != null && !value.isEmpty()) {
                return value;
            }
        }
        return "";
    }

    private Map<String, List<String>> extra(ApiRequest request) {
        Map<String, List<String>> extra = new LinkedHashMap<>();
        request.headers().forEach((header, values) -> {
            for (String prefix : settings.extraPrefixes()) {
                String lower = prefix.toLowerCase(Locale.ROOT);
                if (header.startsWith(lower) && header.length() > lower.length()) {
                    extra.computeIfAbsent(decode(header.substring(lower.length())), k -> new ArrayList<>())
                            .addAll(values);
                }
            }
        });
        return extra;
    }

    private static String decode(String key) {
        try {
            return URLDecoder.decode(key.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return key; // as it is, if it is no escaped text
        }
    }
}
