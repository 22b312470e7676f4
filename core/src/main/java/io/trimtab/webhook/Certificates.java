package io.trimtab.webhook;

import io.trimtab.encoding.Der;
import io.trimtab.encoding.PemBlock;
import io.trimtab.runtime.KeyPairs;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * Issues certificates for webhooks, and reads and writes them as PEM. The JDK can read certificates but has no public API to
 * make one; {@link Der} has what a webhook needs, so that no user of the SDK is asked for a cryptographic library. Elliptic keys
 * only. Stateless.
 */
final class Certificates {
    /** A certificate made this second is not yet valid for a server whose clock is a bit behind. */
    static final Duration BACKDATE = Duration.ofHours(1);

    private static final String COMMON_NAME = "2.5.4.3";
    private static final String SHA256_WITH_ECDSA = "1.2.840.10045.4.3.2";

    private Certificates() {}

    /** A certificate and its key. */
    record Pair(X509Certificate certificate, PrivateKey key) {
        String certificatePem() {
            return Certificates.pem(certificate);
        }

        String keyPem() {
            return new PemBlock("PRIVATE KEY", key.getEncoded()).text();
        }
    }

    /** A new authority that signs itself. */
    static Pair authority(String commonName, Instant now, Duration life) {
        KeyPair pair = KeyPairs.ellipticCurve();
        byte[] name = name(commonName);
        byte[] extensions = Der.sequence(
                extension("2.5.29.19", true, Der.sequence(Der.truth())), // basic constraints: an authority
                extension("2.5.29.15", true, Der.bits(1, (byte) 0x86)), // digitalSignature, keyCertSign, cRLSign
                extension("2.5.29.14", false, Der.tagged(0x04, keyId(pair.getPublic()))));
        return new Pair(
                sign(pair.getPrivate(), pair.getPublic(), name, name, pair.getPublic(), now, life, extensions),
                pair.getPrivate());
    }

    /** A certificate for a server of these DNS names and addresses. */
    static Pair server(Pair authority, Collection<String> names, Instant now, Duration life) {
        KeyPair pair = KeyPairs.ellipticCurve();
        List<byte[]> general = new ArrayList<>();
        names.forEach(name -> general.add(generalName(name)));
        byte[] extensions = Der.sequence(
                extension("2.5.29.19", true, Der.sequence()),
                extension("2.5.29.15", true, Der.bits(5, (byte) 0xa0)), // digitalSignature, keyEncipherment
                extension(
                        "2.5.29.37", false, Der.sequence(Der.identifier("1.3.6.1.5.5.7.3.1"))), // server authentication
                extension(
                        "2.5.29.35",
                        false,
                        Der.sequence(
                                Der.tagged(0x80, keyId(authority.certificate().getPublicKey())))),
                extension("2.5.29.17", false, Der.sequence(general.toArray(new byte[0][]))));
        return new Pair(
                sign(
                        authority.key(),
                        authority.certificate().getPublicKey(),
                        authority.certificate().getSubjectX500Principal().getEncoded(),
                        name(names.iterator().next()),
                        pair.getPublic(),
                        now,
                        life,
                        extensions),
                pair.getPrivate());
    }

    /** Whether the certificate was signed by that authority. */
    static boolean isSignedBy(X509Certificate certificate, X509Certificate authority) {
        try {
            certificate.verify(authority.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** The DNS names and addresses that a server's certificate is for. */
    static List<String> namesOf(X509Certificate certificate) {
        List<String> names = new ArrayList<>();
        try {
            Collection<List<?>> found = certificate.getSubjectAlternativeNames();
            if (found != null) {
                found.forEach(entry -> names.add(String.valueOf(entry.get(1))));
            }
        } catch (GeneralSecurityException e) {
            return List.of();
        }
        return names;
    }

    // ---- PEM -------------------------------------------------------------------------------------------------------

    static String pem(X509Certificate certificate) {
        try {
            return new PemBlock("CERTIFICATE", certificate.getEncoded()).text();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * The certificates in a PEM text, in their order.
     *
     * @throws IllegalArgumentException if one cannot be read
     */
    static List<X509Certificate> certificates(String pem) {
        List<X509Certificate> found = new ArrayList<>();
        for (PemBlock block : PemBlock.all(pem)) {
            if (block.type().equals("CERTIFICATE")) {
                found.add(certificate(block.der()));
            }
        }
        return found;
    }

    /**
     * The elliptic key in a PEM text.
     *
     * @throws IllegalArgumentException if there is none
     */
    static PrivateKey key(String pem) {
        for (PemBlock block : PemBlock.all(pem)) {
            if (block.type().equals("PRIVATE KEY")) {
                try {
                    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(block.der()));
                } catch (GeneralSecurityException e) {
                    throw new IllegalArgumentException("not an elliptic key: " + e.getMessage(), e);
                }
            }
        }
        throw new IllegalArgumentException("expected a private key in PEM");
    }

    private static X509Certificate certificate(byte[] der) {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("not a certificate: " + e.getMessage(), e);
        }
    }

    // ---- DER -------------------------------------------------------------------------------------------------------

    private static X509Certificate sign(
            PrivateKey issuerKey,
            PublicKey issuerPublic,
            byte[] issuer,
            byte[] subject,
            PublicKey subjectKey,
            Instant now,
            Duration life,
            byte[] extensions) {
        byte[] algorithm = Der.sequence(Der.identifier(SHA256_WITH_ECDSA));
        byte[] content = Der.sequence(
                Der.tagged(0xa0, Der.integer(BigInteger.TWO)), // version 3
                Der.integer(serial(subjectKey, now)),
                algorithm,
                issuer,
                Der.sequence(Der.time(now.minus(BACKDATE)), Der.time(now.plus(life))),
                subject,
                subjectKey.getEncoded(),
                Der.tagged(0xa3, extensions));
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(issuerKey);
            signature.update(content);
            X509Certificate made = certificate(Der.sequence(content, algorithm, Der.bits(0, signature.sign())));
            made.verify(issuerPublic);
            return made;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot sign a certificate: " + e.getMessage(), e);
        }
    }

    /** Each key is signed once: its hash is a serial number that nobody else has. */
    private static BigInteger serial(PublicKey key, Instant now) {
        byte[] hash = hash(
                "SHA-256", key.getEncoded(), Long.toString(now.toEpochMilli()).getBytes(StandardCharsets.UTF_8));
        return new BigInteger(1, Arrays.copyOf(hash, 15)).setBit(0);
    }

    private static byte[] keyId(PublicKey key) {
        return hash("SHA-1", key.getEncoded()); // names the key, as RFC 5280 suggests; protects nothing
    }

    private static byte[] hash(String algorithm, byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            for (byte[] part : parts) {
                digest.update(part);
            }
            return digest.digest();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JVM has no " + algorithm, e);
        }
    }

    private static byte[] extension(String identifier, boolean critical, byte[] value) {
        return critical
                ? Der.sequence(Der.identifier(identifier), Der.truth(), Der.tagged(0x04, value))
                : Der.sequence(Der.identifier(identifier), Der.tagged(0x04, value));
    }

    private static byte[] name(String commonName) {
        String text = commonName.length() > 64 ? commonName.substring(0, 64) : commonName; // RFC 5280's bound
        return Der.sequence(Der.tagged(
                0x31,
                Der.sequence(Der.identifier(COMMON_NAME), Der.tagged(0x0c, text.getBytes(StandardCharsets.UTF_8)))));
    }

    private static byte[] generalName(String name) {
        if (name.matches("[0-9]+(\\.[0-9]+){3}")) {
            String[] parts = name.split("\\.");
            byte[] address = new byte[4];
            for (int i = 0; i < 4; i++) {
                address[i] = (byte) Integer.parseInt(parts[i]);
            }
            return Der.tagged(0x87, address);
        }
        return Der.tagged(0x82, name.getBytes(StandardCharsets.US_ASCII));
    }
}
