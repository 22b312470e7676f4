package io.trimtab.apiserver.certificates;

import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.jspecify.annotations.Nullable;

/**
 * The cluster's own certificate authority: signs the server's certificate and those of clients. Elliptic keys, because a server
 * that starts in milliseconds cannot wait for primes. Immutable; safe for use by any thread.
 */
public final class CertificateAuthority {
    // As kubeadm: ten years for the authority, one for what it signs.
    private static final Duration AUTHORITY_LIFE = Duration.ofDays(3650);
    private static final Duration LEAF_LIFE = Duration.ofDays(365);
    // A certificate that was signed this second is not yet valid for a client whose clock is a bit behind.
    private static final Duration BACKDATE = Duration.ofHours(1);
    // Files that end within this time are made anew at start.
    private static final Duration RENEW_BEFORE = Duration.ofDays(30);

    private final X509Certificate certificate;
    private final PrivateKey privateKey;
    private final Driver driver;

    private CertificateAuthority(X509Certificate certificate, PrivateKey privateKey, Driver driver) {
        this.certificate = certificate;
        this.privateKey = privateKey;
        this.driver = driver;
    }

    /** A new authority, in memory only. */
    public static CertificateAuthority create(Driver driver) {
        KeyPair pair = Keys.ellipticCurve();
        Instant now = driver.now();
        X500Name name = name("kubernetes", List.of());
        try {
            X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                    name,
                    serial(),
                    Date.from(now.minus(BACKDATE)),
                    Date.from(now.plus(AUTHORITY_LIFE)),
                    name,
                    publicKey(pair.getPublic()));
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
            builder.addExtension(
                    Extension.keyUsage,
                    true,
                    new KeyUsage(KeyUsage.digitalSignature | KeyUsage.keyEncipherment | KeyUsage.keyCertSign));
            return new CertificateAuthority(sign(builder, pair.getPrivate()), pair.getPrivate(), driver);
        } catch (IOException e) {
            throw new IllegalStateException("cannot make the certificate authority: " + e.getMessage(), e);
        }
    }

    /** The authority whose files are {@code ca.crt} and {@code ca.key} in the directory; made there if they are absent. */
    public static CertificateAuthority open(Path directory, Driver driver) {
        Path certificateFile = directory.resolve("ca.crt");
        Path keyFile = directory.resolve("ca.key");
        if (KeyFiles.exists(certificateFile) && KeyFiles.exists(keyFile)) {
            return of(
                    Pem.certificates(KeyFiles.read(certificateFile)).get(0),
                    Pem.privateKey(KeyFiles.read(keyFile)),
                    driver);
        }
        CertificateAuthority fresh = create(driver);
        KeyFiles.write(keyFile, Pem.privateKey(fresh.privateKey));
        KeyFiles.write(certificateFile, fresh.certificatePem());
        return fresh;
    }

    /** An authority somebody else made. */
    public static CertificateAuthority of(X509Certificate certificate, PrivateKey privateKey, Driver driver) {
        return new CertificateAuthority(certificate, privateKey, driver);
    }

    /** The same authority with another clock. */
    public CertificateAuthority on(Driver driver) {
        return new CertificateAuthority(certificate, privateKey, driver);
    }

    public X509Certificate certificate() {
        return certificate;
    }

    public String certificatePem() {
        return Pem.certificate(certificate);
    }

    PrivateKey privateKey() {
        return privateKey;
    }

    /**
     * A certificate for a server.
     *
     * @param names DNS names and IP addresses, in any order; addresses are recognized by their form
     */
    public Credential issueServer(String commonName, Collection<String> names) {
        return issue(name(commonName, List.of()), KeyPurposeId.id_kp_serverAuth, names);
    }

    /** A certificate for a client: the common name is its user, the organizations are its groups. */
    public Credential issueClient(String commonName, List<String> organizations) {
        return issue(name(commonName, organizations), KeyPurposeId.id_kp_clientAuth, List.of());
    }

    /**
     * The server certificate in the files {@code <name>.crt} and {@code <name>.key}; made anew if they are absent, if it was
     * not signed by this authority, ends soon, or lacks one of the names.
     */
    public Credential openServer(Path directory, String name, String commonName, Collection<String> names) {
        Credential found = read(directory, name);
        if (found != null && alternativeNames(found.certificate()).containsAll(canonical(names))) {
            return found;
        }
        return write(directory, name, issueServer(commonName, names));
    }

    /** The client certificate in the files {@code <name>.crt} and {@code <name>.key}; made anew as with servers. */
    public Credential openClient(Path directory, String name, String commonName, List<String> organizations) {
        Credential found = read(directory, name);
        if (found != null
                && name(commonName, organizations)
                        .equals(X500Name.getInstance(
                                found.certificate().getSubjectX500Principal().getEncoded()))) {
            return found;
        }
        return write(directory, name, issueClient(commonName, organizations));
    }

    /** What every API server's certificate must name, whatever it listens on. */
    public static List<String> serverNames(String serviceAddress, Collection<String> others) {
        Set<String> names = new LinkedHashSet<>(List.of(
                "localhost",
                "kubernetes",
                "kubernetes.default",
                "kubernetes.default.svc",
                "kubernetes.default.svc.cluster.local",
                "127.0.0.1",
                "::1",
                serviceAddress));
        names.addAll(others);
        return List.copyOf(names);
    }

    private static Credential write(Path directory, String name, Credential credential) {
        KeyFiles.write(directory.resolve(name + ".key"), credential.privateKeyPem());
        KeyFiles.write(directory.resolve(name + ".crt"), credential.certificatePem());
        return credential;
    }

    private @Nullable Credential read(Path directory, String name) {
        Path certificateFile = directory.resolve(name + ".crt");
        Path keyFile = directory.resolve(name + ".key");
        if (!KeyFiles.exists(certificateFile) || !KeyFiles.exists(keyFile)) {
            return null;
        }
        try {
            X509Certificate leaf =
                    Pem.certificates(KeyFiles.read(certificateFile)).get(0);
            leaf.verify(certificate.getPublicKey());
            if (leaf.getNotAfter().toInstant().isBefore(driver.now().plus(RENEW_BEFORE))) {
                return null;
            }
            return new Credential(Pem.privateKey(KeyFiles.read(keyFile)), List.of(leaf, certificate));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            return null; // of another authority, or broken: it is replaced
        }
    }

    private Credential issue(X500Name subject, KeyPurposeId purpose, Collection<String> names) {
        KeyPair pair = Keys.ellipticCurve();
        return new Credential(pair.getPrivate(), List.of(sign(subject, pair.getPublic(), purpose, names), certificate));
    }

    private X509Certificate sign(X500Name subject, PublicKey key, KeyPurposeId purpose, Collection<String> names) {
        Instant now = driver.now();
        try {
            X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                    X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded()),
                    serial(),
                    Date.from(now.minus(BACKDATE)),
                    Date.from(now.plus(LEAF_LIFE)),
                    subject,
                    publicKey(key));
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(
                    Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature | KeyUsage.keyEncipherment));
            builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purpose));
            if (!names.isEmpty()) {
                List<GeneralName> general = new ArrayList<>();
                for (String name : new LinkedHashSet<>(canonical(names))) {
                    general.add(new GeneralName(isAddress(name) ? GeneralName.iPAddress : GeneralName.dNSName, name));
                }
                builder.addExtension(
                        Extension.subjectAlternativeName, false, new GeneralNames(general.toArray(new GeneralName[0])));
            }
            return sign(builder, privateKey);
        } catch (IOException e) {
            throw new IllegalStateException("cannot sign a certificate for " + subject + ": " + e.getMessage(), e);
        }
    }

    private static X509Certificate sign(X509v3CertificateBuilder builder, PrivateKey key) throws IOException {
        X509CertificateHolder holder = builder.build(new JdkSigner(key));
        try {
            return (X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(new java.io.ByteArrayInputStream(holder.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot read back a certificate: " + e.getMessage(), e);
        }
    }

    private static SubjectPublicKeyInfo publicKey(PublicKey key) {
        return SubjectPublicKeyInfo.getInstance(key.getEncoded());
    }

    private static X500Name name(String commonName, List<String> organizations) {
        X500NameBuilder builder = new X500NameBuilder(BCStyle.INSTANCE);
        organizations.forEach(o -> builder.addRDN(BCStyle.O, o));
        builder.addRDN(BCStyle.CN, commonName);
        return builder.build();
    }

    private static BigInteger serial() {
        return new BigInteger(127, Keys.RANDOM).setBit(0);
    }

    /** Addresses in the one form that the JDK prints when it reads them back. */
    private static List<String> canonical(Collection<String> names) {
        List<String> result = new ArrayList<>();
        for (String name : names) {
            try {
                // No look-up happens: the text is an address.
                result.add(isAddress(name) ? InetAddress.getByName(name).getHostAddress() : name);
            } catch (java.net.UnknownHostException e) {
                throw new IllegalArgumentException("not an address: " + name, e);
            }
        }
        return result;
    }

    private static boolean isAddress(String name) {
        return name.indexOf(':') >= 0 || name.matches("[0-9]+(\\.[0-9]+){3}");
    }

    private static Set<String> alternativeNames(X509Certificate certificate) {
        Set<String> names = new LinkedHashSet<>();
        try {
            Collection<List<?>> found = certificate.getSubjectAlternativeNames();
            if (found != null) {
                List<String> texts = new ArrayList<>();
                found.forEach(entry -> texts.add(String.valueOf(entry.get(1))));
                names.addAll(canonical(texts));
            }
        } catch (GeneralSecurityException e) {
            return Set.of();
        }
        return names;
    }

    /** Signs with the JDK's own provider; Bouncy Castle's would cost start-up time. */
    private static final class JdkSigner implements ContentSigner {
        private static final ASN1ObjectIdentifier ECDSA_SHA256 = new ASN1ObjectIdentifier("1.2.840.10045.4.3.2");
        private static final ASN1ObjectIdentifier RSA_SHA256 = new ASN1ObjectIdentifier("1.2.840.113549.1.1.11");

        private final PrivateKey key;
        private final boolean rsa;
        private final java.io.ByteArrayOutputStream bytes = new java.io.ByteArrayOutputStream();

        JdkSigner(PrivateKey key) {
            this.key = key;
            this.rsa = key.getAlgorithm().equals("RSA");
        }

        @Override
        public AlgorithmIdentifier getAlgorithmIdentifier() {
            return rsa
                    ? new AlgorithmIdentifier(RSA_SHA256, org.bouncycastle.asn1.DERNull.INSTANCE)
                    : new AlgorithmIdentifier(ECDSA_SHA256);
        }

        @Override
        public java.io.OutputStream getOutputStream() {
            return bytes;
        }

        @Override
        public byte[] getSignature() {
            try {
                java.security.Signature signature =
                        java.security.Signature.getInstance(rsa ? "SHA256withRSA" : "SHA256withECDSA");
                signature.initSign(key, Keys.RANDOM);
                signature.update(bytes.toByteArray());
                return signature.sign();
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("cannot sign: " + e.getMessage(), e);
            }
        }
    }
}
