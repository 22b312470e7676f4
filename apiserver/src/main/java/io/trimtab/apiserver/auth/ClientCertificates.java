package io.trimtab.apiserver.auth;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.runtime.Driver;
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

    private final Set<TrustAnchor> anchors = new HashSet<>();
    private final List<X509Certificate> authorities;
    private final Driver driver;
    private final Map<X509Certificate, Known> known = new ConcurrentHashMap<>();

    /** @param authorities the certificates that sign clients; without any, nobody gets in this way */
    public ClientCertificates(List<X509Certificate> authorities, Driver driver) {
        this.authorities = List.copyOf(authorities);
        this.driver = driver;
        this.authorities.forEach(c -> anchors.add(new TrustAnchor(c, null)));
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
        Known found = known.get(leaf);
        if (found == null) {
            if (!isTrusted(chain, anchors, now)) {
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
                "",
                names(leaf, "O"),
                Map.of("authentication.kubernetes.io/credential-id", List.of("X509SHA256=" + fingerprint(leaf))));
    }

    /** The values of an attribute of the subject, in the order of the certificate. */
    static List<String> names(X509Certificate certificate, String type) {
        List<String> values = new ArrayList<>();
        try {
            LdapName subject =
                    new LdapName(certificate.getSubjectX500Principal().getName());
            for (Rdn rdn : subject.getRdns()) {
                var attribute = rdn.toAttributes().get(type);
                for (int i = 0; attribute != null && i < attribute.size(); i++) {
                    values.add(String.valueOf(attribute.get(i)));
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
