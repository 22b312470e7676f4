package io.trimtab.apiserver.certificates;

import io.trimtab.encoding.Der;
import io.trimtab.runtime.Driver;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
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

    private static final String COMMON_NAME = "2.5.4.3";
    private static final String ORGANIZATION = "2.5.4.10";
    private static final String SUBJECT_KEY = "2.5.29.14";
    private static final String KEY_USAGE = "2.5.29.15";
    private static final String ALTERNATIVE_NAMES = "2.5.29.17";
    private static final String BASIC_CONSTRAINTS = "2.5.29.19";
    private static final String AUTHORITY_KEY = "2.5.29.35";
    private static final String EXTENDED_KEY_USAGE = "2.5.29.37";
    private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    private static final String SHA256_WITH_ECDSA = "1.2.840.10045.4.3.2";
    private static final String SHA256_WITH_RSA = "1.2.840.113549.1.1.11";

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
        byte[] name = name("kubernetes", List.of());
        byte[] keyId = keyId(pair.getPublic());
        byte[] extensions = Der.sequence(
                extension(BASIC_CONSTRAINTS, true, Der.sequence(Der.truth())),
                // digitalSignature, keyEncipherment, keyCertSign
                extension(KEY_USAGE, true, Der.bits(2, (byte) 0xa4)),
                extension(SUBJECT_KEY, false, Der.octets(keyId)),
                extension(AUTHORITY_KEY, false, Der.sequence(Der.tagged(0x80, keyId))));
        X509Certificate certificate =
                sign(pair.getPrivate(), name, name, pair.getPublic(), driver.now(), AUTHORITY_LIFE, extensions);
        return new CertificateAuthority(certificate, pair.getPrivate(), driver);
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

    /** The key, for whoever signs in its stead; never log it. */
    public String privateKeyPem() {
        return Pem.privateKey(privateKey);
    }

    /**
     * A certificate for a server.
     *
     * @param names DNS names and IP addresses, in any order; addresses are recognized by their form
     */
    public Credential issueServer(String commonName, Collection<String> names) {
        return issue(Keys.ellipticCurve(), name(commonName, List.of()), SERVER_AUTH, names);
    }

    /** A certificate for a client: the common name is its user, the organizations are its groups. */
    public Credential issueClient(String commonName, List<String> organizations) {
        return issue(Keys.ellipticCurve(), name(commonName, organizations), CLIENT_AUTH, List.of());
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
                && Arrays.equals(
                        name(commonName, organizations),
                        found.certificate().getSubjectX500Principal().getEncoded())) {
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

    private Credential issue(KeyPair pair, byte[] subject, String purpose, Collection<String> names) {
        List<byte[]> extensions = new ArrayList<>();
        extensions.add(extension(BASIC_CONSTRAINTS, true, Der.sequence()));
        extensions.add(extension(KEY_USAGE, true, Der.bits(5, (byte) 0xa0))); // digitalSignature, keyEncipherment
        extensions.add(extension(EXTENDED_KEY_USAGE, false, Der.sequence(Der.identifier(purpose))));
        // Strict clients (Python's, since 3.13) find the authority by its key only.
        extensions.add(extension(AUTHORITY_KEY, false, Der.sequence(Der.tagged(0x80, authorityKeyId()))));
        if (!names.isEmpty()) {
            byte[][] general = new LinkedHashSet<>(canonical(names))
                    .stream().map(CertificateAuthority::generalName).toArray(byte[][]::new);
            extensions.add(extension(ALTERNATIVE_NAMES, false, Der.sequence(general)));
        }
        X509Certificate leaf = sign(
                privateKey,
                certificate.getSubjectX500Principal().getEncoded(),
                subject,
                pair.getPublic(),
                driver.now(),
                LEAF_LIFE,
                Der.sequence(extensions.toArray(new byte[0][])));
        return new Credential(pair.getPrivate(), List.of(leaf, certificate));
    }

    /** What the authority's own certificate calls its key, or would. */
    private byte[] authorityKeyId() {
        byte[] named = certificate.getExtensionValue(SUBJECT_KEY);
        // Two octet strings, one in the other, each shorter than 128 bytes.
        return named == null ? keyId(certificate.getPublicKey()) : Arrays.copyOfRange(named, 4, named.length);
    }

    private static X509Certificate sign(
            PrivateKey key,
            byte[] issuer,
            byte[] subject,
            PublicKey subjectKey,
            Instant now,
            Duration life,
            byte[] extensions) {
        boolean rsa = key.getAlgorithm().equals("RSA");
        byte[] algorithm = rsa
                ? Der.sequence(Der.identifier(SHA256_WITH_RSA), Der.tagged(0x05))
                : Der.sequence(Der.identifier(SHA256_WITH_ECDSA));
        byte[] content = Der.sequence(
                Der.tagged(0xa0, Der.integer(BigInteger.TWO)), // version 3
                Der.integer(serial()),
                algorithm,
                issuer,
                Der.sequence(Der.time(now.minus(BACKDATE)), Der.time(now.plus(life))),
                subject,
                subjectKey.getEncoded(),
                Der.tagged(0xa3, extensions));
        try {
            Signature signature = Signature.getInstance(rsa ? "SHA256withRSA" : "SHA256withECDSA");
            signature.initSign(key, Keys.RANDOM);
            signature.update(content);
            byte[] encoded = Der.sequence(content, algorithm, Der.bits(0, signature.sign()));
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(encoded));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot sign a certificate: " + e.getMessage(), e);
        }
    }

    private static byte[] extension(String identifier, boolean critical, byte[] value) {
        return critical
                ? Der.sequence(Der.identifier(identifier), Der.truth(), Der.octets(value))
                : Der.sequence(Der.identifier(identifier), Der.octets(value));
    }

    private static byte[] name(String commonName, List<String> organizations) {
        List<byte[]> parts = new ArrayList<>();
        organizations.forEach(o -> parts.add(Der.set(Der.sequence(Der.identifier(ORGANIZATION), Der.text(o)))));
        parts.add(Der.set(Der.sequence(Der.identifier(COMMON_NAME), Der.text(commonName))));
        return Der.sequence(parts.toArray(new byte[0][]));
    }

    private static byte[] generalName(String name) {
        try {
            return isAddress(name)
                    ? Der.tagged(0x87, InetAddress.getByName(name).getAddress())
                    : Der.tagged(0x82, name.getBytes(StandardCharsets.US_ASCII));
        } catch (java.net.UnknownHostException e) {
            throw new IllegalArgumentException("not an address: " + name, e);
        }
    }

    /** The hash of the key, as RFC 5280 suggests; it identifies, and protects nothing. */
    private static byte[] keyId(PublicKey key) {
        try {
            return MessageDigest.getInstance("SHA-1").digest(key.getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JVM has no SHA-1", e);
        }
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
}
