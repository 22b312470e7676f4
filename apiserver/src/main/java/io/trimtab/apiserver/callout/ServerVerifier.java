package io.trimtab.apiserver.callout;

import io.netty.util.NetUtil;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PublicKey;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Checks a server's certificate as Go's crypto/x509 does, in its order and with its messages: date, name, chain, use. Immutable.
 */
final class ServerVerifier extends X509ExtendedTrustManager {
    private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    private static final String ANY_USE = "2.5.29.37.0";
    private static final String UNKNOWN = "x509: certificate signed by unknown authority";
    private static final DateTimeFormatter SECONDS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss'Z'").withZone(ZoneOffset.UTC);
    private static final int DNS = 2;
    private static final int IP = 7;

    private final Target.Trust trust;
    private final String serverName;
    private final Supplier<Instant> now;

    ServerVerifier(Target.Trust trust, String serverName, Supplier<Instant> now) {
        this.trust = trust;
        this.serverName = serverName;
        this.now = now;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        if (trust.insecure()) {
            return;
        }
        X509Certificate leaf = chain[0];
        Instant time = now.get();
        if (time.isAfter(leaf.getNotAfter().toInstant())) {
            throw untrusted("x509: certificate has expired or is not yet valid: current time " + SECONDS.format(time)
                    + " is after " + SECONDS.format(leaf.getNotAfter().toInstant()));
        }
        if (time.isBefore(leaf.getNotBefore().toInstant())) {
            throw untrusted("x509: certificate has expired or is not yet valid: current time " + SECONDS.format(time)
                    + " is before " + SECONDS.format(leaf.getNotBefore().toInstant()));
        }
        checkName(leaf);
        checkChain(chain, time);
        List<String> uses = leaf.getExtendedKeyUsage();
        if (uses != null && !uses.contains(SERVER_AUTH) && !uses.contains(ANY_USE)) {
            throw untrusted("x509: certificate specifies an incompatible key usage");
        }
    }

    private static UntrustedServerException untrusted(String why) {
        return new UntrustedServerException("tls: failed to verify certificate: " + why);
    }

    // ---- Names ---------------------------------------------------------------------------------------------------

    private void checkName(X509Certificate leaf) throws CertificateException {
        List<String> names = alternativeNames(leaf, DNS);
        List<String> addresses = alternativeNames(leaf, IP);
        byte[] address = NetUtil.createByteArrayFromIpAddressString(serverName);
        if (address != null) {
            for (String other : addresses) {
                if (Arrays.equals(address, NetUtil.createByteArrayFromIpAddressString(other))) {
                    return;
                }
            }
        } else {
            for (String pattern : names) {
                if (matches(pattern, serverName)) {
                    return;
                }
            }
        }
        if (leaf.getSubjectAlternativeNames() == null && matches(commonName(leaf), serverName)) {
            throw untrusted("x509: certificate relies on legacy Common Name field, use SANs instead");
        }
        List<String> valid = address != null ? addresses : names;
        if (address != null && valid.isEmpty()) {
            throw untrusted(
                    "x509: cannot validate certificate for " + serverName + " because it doesn't contain any IP SANs");
        }
        if (valid.isEmpty()) {
            throw untrusted("x509: certificate is not valid for any names, but wanted to match " + serverName);
        }
        throw untrusted("x509: certificate is valid for " + String.join(", ", valid) + ", not " + serverName);
    }

    private static List<String> alternativeNames(X509Certificate leaf, int type) throws CertificateParsingException {
        Collection<List<?>> all = leaf.getSubjectAlternativeNames();
        List<String> found = new ArrayList<>();
        for (List<?> name : all == null ? List.<List<?>>of() : all) {
            if (Integer.valueOf(type).equals(name.get(0))) {
                found.add(String.valueOf(name.get(1)));
            }
        }
        return found;
    }

    /** A star stands for one label, the first. */
    private static boolean matches(String pattern, String host) {
        String p = pattern.toLowerCase(Locale.ROOT);
        String h = host.toLowerCase(Locale.ROOT);
        if (h.endsWith(".")) {
            h = h.substring(0, h.length() - 1);
        }
        if (p.isEmpty() || h.isEmpty()) {
            return false;
        }
        if (p.startsWith("*.")) {
            int dot = h.indexOf('.');
            return dot > 0 && h.substring(dot).equals(p.substring(1));
        }
        return p.equals(h);
    }

    private static String commonName(X509Certificate certificate) {
        try {
            LdapName subject =
                    new LdapName(certificate.getSubjectX500Principal().getName());
            for (var part : subject.getRdns()) {
                if (part.getType().equalsIgnoreCase("CN")) {
                    return String.valueOf(part.getValue());
                }
            }
        } catch (InvalidNameException e) {
            // A name that cannot be read names nobody.
        }
        return "";
    }

    // ---- Chain ---------------------------------------------------------------------------------------------------

    private void checkChain(X509Certificate[] chain, Instant time) throws UntrustedServerException {
        List<X509Certificate> authorities = authorities();
        Set<TrustAnchor> anchors = new HashSet<>();
        authorities.forEach(a -> anchors.add(new TrustAnchor(a, null)));
        if (anchors.isEmpty()) {
            throw untrusted(UNKNOWN);
        }
        if (authorities.contains(chain[0])) {
            return; // trusted by itself
        }
        List<X509Certificate> path = new ArrayList<>(List.of(chain));
        while (path.size() > 1 && authorities.contains(path.get(path.size() - 1))) {
            path.remove(path.size() - 1);
        }
        try {
            PKIXParameters parameters = new PKIXParameters(anchors);
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(time));
            CertPathValidator.getInstance("PKIX")
                    .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
        } catch (CertPathValidatorException e) {
            throw untrusted(UNKNOWN + hint(path.get(path.size() - 1), authorities));
        } catch (GeneralSecurityException e) {
            throw untrusted(UNKNOWN);
        }
    }

    /** An authority of the right name that did not sign: worth a word. */
    private static String hint(X509Certificate last, List<X509Certificate> authorities) {
        for (X509Certificate authority : authorities) {
            if (!authority.getSubjectX500Principal().equals(last.getIssuerX500Principal())) {
                continue;
            }
            PublicKey key = authority.getPublicKey();
            try {
                last.verify(key);
            } catch (GeneralSecurityException e) {
                String how =
                        switch (key.getAlgorithm()) {
                            case "RSA" -> "crypto/rsa: verification error";
                            case "EC" -> "x509: ECDSA verification failure";
                            default -> "x509: Ed25519 verification failure";
                        };
                String name = commonName(authority);
                return " (possibly because of \"" + how
                        + "\" while trying to verify candidate authority certificate \""
                        + (name.isEmpty() ? "serial:" + authority.getSerialNumber() : name) + "\")";
            }
        }
        return "";
    }

    private List<X509Certificate> authorities() {
        List<X509Certificate> given = trust.authorities();
        return given == null ? List.of(system().getAcceptedIssuers()) : given;
    }

    private static X509TrustManager system() {
        try {
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init((@Nullable KeyStore) null);
            for (TrustManager manager : factory.getTrustManagers()) {
                if (manager instanceof X509TrustManager x509) {
                    return x509;
                }
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JVM's own authorities cannot be read: " + e.getMessage(), e);
        }
        throw new IllegalStateException("the JVM has no trust manager for certificates");
    }

    // ---- What is not asked here ----------------------------------------------------------------------------------

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw untrusted("x509: no connection to verify");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw untrusted("x509: no connection to verify");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw untrusted("x509: not a client's verifier");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw untrusted("x509: not a client's verifier");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw untrusted("x509: not a client's verifier");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
