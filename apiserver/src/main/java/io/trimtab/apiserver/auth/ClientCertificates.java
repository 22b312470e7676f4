package io.trimtab.apiserver.auth;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.naming.NamingException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import org.jspecify.annotations.Nullable;

/**
 * Reads client certificates: the common name is the user, the organizations are the groups. The chain must lead to one of the
 * client authorities, whatever the connection has checked already, and must be meant for clients. Safe for use by any thread.
 */
public final class ClientCertificates implements Authenticator {
    private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    private static final String ANY_USE = "2.5.29.37.0";
    // Connections are long, requests many: the chain of each certificate is walked once. Emptied when full.
    private static final int REMEMBERED = 4096;

    /** The attribute of a subject that is its uid. */
    private static final String UID = "1.3.6.1.4.1.57683.2";

    private final Driver driver;
    /** Replaced as a whole, with what was found by its word. */
    private volatile Trusted trusted;

    private record Trusted(Set<TrustAnchor> anchors, Map<X509Certificate, Known> known) {
        static Trusted of(List<X509Certificate> authorities) {
            Set<TrustAnchor> anchors = new HashSet<>();
            authorities.forEach(c -> anchors.add(new TrustAnchor(c, null)));
            return new Trusted(anchors, new ConcurrentHashMap<>());
        }
    }

    /** @param authorities the certificates that sign clients; without any, nobody gets in this way */
    public ClientCertificates(List<X509Certificate> authorities, Driver driver) {
        this.driver = driver;
        this.trusted = Trusted.of(authorities);
    }

    /** Believes these authorities from now on, and no others. */
    public void exchange(List<X509Certificate> authorities) {
        trusted = Trusted.of(authorities);
    }

    @Override
    public Optional<UserInfo> authenticate(ApiRequest request) {
        List<X509Certificate> chain = request.peer().certificates();
        if (chain.isEmpty()) {
            if (request.peer().badCertificate()) {
                throw Statuses.unauthorized();
            }
            return Optional.empty();
        }
        X509Certificate leaf = chain.get(0);
        Date now = Date.from(driver.now());
        Trusted by = trusted;
        Map<X509Certificate, Known> known = by.known();
        Known found = known.get(leaf);
        if (found == null) {
            if (!isTrusted(chain, by.anchors(), now)) {
                throw Statuses.unauthorized();
            }
            found = new Known(user(leaf), notAfter(chain));
            if (known.size() >= REMEMBERED) {
                known.clear();
            }
            known.put(leaf, found);
        } else if (now.after(found.notAfter)) {
            throw Statuses.unauthorized();
        }
        return Optional.ofNullable(found.user);
    }

    /** Whether the chain leads to an anchor, is in date, and its leaf is meant for clients. */
    static boolean isTrusted(List<X509Certificate> chain, Set<TrustAnchor> anchors, Date now) {
        if (anchors.isEmpty()) {
            return false;
        }
        try {
            List<String> uses = chain.get(0).getExtendedKeyUsage();
            if (uses != null && !uses.contains(CLIENT_AUTH) && !uses.contains(ANY_USE)) {
                return false;
            }
            List<X509Certificate> path = new ArrayList<>(chain);
            // An anchor at the end of what the client sent adds nothing, and the validator would refuse it there.
            while (path.size() > 1 && isAnchor(path.get(path.size() - 1), anchors)) {
                path.remove(path.size() - 1);
            }
            PKIXParameters parameters = new PKIXParameters(anchors);
            parameters.setRevocationEnabled(false);
            parameters.setDate(now);
            CertPathValidator.getInstance("PKIX")
                    .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static boolean isAnchor(X509Certificate certificate, Set<TrustAnchor> anchors) {
        return anchors.stream().anyMatch(a -> certificate.equals(a.getTrustedCert()));
    }

    private Date notAfter(List<X509Certificate> chain) {
        Date first = chain.get(0).getNotAfter();
        for (X509Certificate c : chain) {
            first = c.getNotAfter().before(first) ? c.getNotAfter() : first;
        }
        return first;
    }

    /** Null if the certificate names nobody. */
    private static @Nullable UserInfo user(X509Certificate leaf) {
        String name = names(leaf, "CN").stream().reduce("", (a, b) -> b);
        if (name.isEmpty()) {
            return null;
        }
        return new UserInfo(
                name,
                uid(leaf),
                names(leaf, "O"),
                Map.of("authentication.kubernetes.io/credential-id", List.of("X509SHA256=" + fingerprint(leaf))));
    }

    /** The uid that the subject gives; empty if it gives none. */
    private static String uid(X509Certificate leaf) {
        List<String> found = names(leaf, UID);
        if (found.isEmpty()) {
            return "";
        }
        if (found.size() > 1 || found.get(0).isEmpty()) {
            // Who is two says nothing of who he is.
            throw Statuses.unauthorized();
        }
        return found.get(0);
    }

    /** The values of an attribute of the subject, in the order of the certificate. */
    public static List<String> names(X509Certificate certificate, String type) {
        List<String> values = new ArrayList<>();
        try {
            LdapName subject =
                    new LdapName(certificate.getSubjectX500Principal().getName());
            for (Rdn rdn : subject.getRdns()) {
                var attribute = rdn.toAttributes().get(type);
                for (int i = 0; attribute != null && i < attribute.size(); i++) {
                    Object value = attribute.get(i);
                    // What the JDK has no name for comes as it is encoded: a tag, a length, a text.
                    values.add(
                            value instanceof byte[] der && der.length >= 2 && der.length < 130
                                    ? new String(der, 2, der.length - 2, StandardCharsets.UTF_8)
                                    : String.valueOf(value));
                }
            }
        } catch (NamingException e) {
            return List.of();
        }
        return values;
    }

    private static String fingerprint(X509Certificate certificate) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("certificate cannot be hashed: " + e.getMessage(), e);
        }
    }

    /** @param user null if the certificate is good but names nobody */
    private record Known(@Nullable UserInfo user, Date notAfter) {}
}
