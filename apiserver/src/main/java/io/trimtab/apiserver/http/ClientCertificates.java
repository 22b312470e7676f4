package io.trimtab.apiserver.http;

import io.trimtab.runtime.Driver;
import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Verifies client certificates. The handshake itself takes any certificate, for a client whose certificate is bad is to be told
 * 401 and not to find its connection broken. Safe for use by any thread.
 */
final class ClientCertificates {
    private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    private static final String ANY_USAGE = "2.5.29.37.0";
    private static final String KEPT = "io.trimtab.verified";

    /** What a connection's certificate is worth, and until when that was looked at. */
    record Verified(List<X509Certificate> chain, boolean rejected) {
        static final Verified NONE = new Verified(List.of(), false);
        static final Verified REJECTED = new Verified(List.of(), true);
    }

    /** What was found, and by whose word. */
    private record Kept(Verified verified, Authorities by) {}

    /** Replaced as a whole. */
    private volatile Authorities authorities;

    private final Driver driver;

    private record Authorities(X509Certificate[] certificates, Set<TrustAnchor> anchors) {}

    /** @throws CertificateException if one of the authorities is no certificate */
    ClientCertificates(List<byte[]> authorities, Driver driver) throws CertificateException {
        this.driver = driver;
        this.authorities = read(authorities);
    }

    /**
     * Believes these authorities from now on, and no others.
     *
     * @throws CertificateException if one is no certificate; the old ones stay then
     */
    void exchange(List<byte[]> others) throws CertificateException {
        authorities = read(others);
    }

    private static Authorities read(List<byte[]> authorities) throws CertificateException {
        List<X509Certificate> all = new ArrayList<>();
        Set<TrustAnchor> anchors = new HashSet<>();
        for (byte[] pem : authorities) {
            Collection<? extends Certificate> certificates =
                    CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(pem));
            if (certificates.isEmpty()) {
                throw new CertificateException("expected certificates in PEM, found none");
            }
            certificates.forEach(c -> all.add((X509Certificate) c));
        }
        all.forEach(c -> anchors.add(new TrustAnchor(c, null)));
        return new Authorities(all.toArray(new X509Certificate[0]), anchors);
    }

    /** Names the authorities to clients, and accepts whatever they send. */
    X509TrustManager acceptingAll() {
        return new X509TrustManager() {
            @Override
            public void checkClientTrusted(X509Certificate[] chain, String authType) {
                // Verified later, by verify().
            }

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
                throw new CertificateException("this side is the server");
            }

            @Override
            public X509Certificate[] getAcceptedIssuers() {
                return authorities.certificates().clone();
            }
        };
    }

    Verified verify(@Nullable SSLSession session) {
        if (session == null) {
            return Verified.NONE;
        }
        Certificate[] sent;
        try {
            sent = session.getPeerCertificates();
        } catch (SSLPeerUnverifiedException e) {
            return Verified.NONE;
        }
        Object kept = session.getValue(KEPT);
        Date now = Date.from(driver.now());
        Authorities by = authorities;
        if (kept instanceof Kept known
                && known.by() == by
                && known.verified().chain().stream().noneMatch(c -> now.after(c.getNotAfter()))) {
            return known.verified();
        }
        List<X509Certificate> chain = new ArrayList<>();
        for (Certificate certificate : sent) {
            if (certificate instanceof X509Certificate x) {
                chain.add(x);
            }
        }
        Verified verified =
                isTrusted(chain, by.anchors(), now) ? new Verified(List.copyOf(chain), false) : Verified.REJECTED;
        session.putValue(KEPT, new Kept(verified, by));
        return verified;
    }

    private static boolean isTrusted(List<X509Certificate> chain, Set<TrustAnchor> anchors, Date now) {
        if (anchors.isEmpty() || chain.isEmpty()) {
            return false;
        }
        try {
            List<String> usages = chain.get(0).getExtendedKeyUsage();
            if (usages != null && !usages.contains(CLIENT_AUTH) && !usages.contains(ANY_USAGE)) {
                return false;
            }
            // A path ends below its anchor: leave out what the client sent of the authority itself.
            List<X509Certificate> path = new ArrayList<>();
            for (X509Certificate certificate : chain) {
                if (anchors.stream().anyMatch(a -> certificate.equals(a.getTrustedCert()))) {
                    break;
                }
                path.add(certificate);
            }
            if (path.isEmpty()) {
                return !now.after(chain.get(0).getNotAfter())
                        && !now.before(chain.get(0).getNotBefore());
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
}
