package io.trimtab.webhook;

import io.trimtab.runtime.KeyPairs;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
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
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Issues certificates for webhooks, and reads and writes them as PEM. The JDK can read certificates but has no public API to
 * make one; what a webhook needs of DER is little enough to stand here rather than to ask every user of the SDK for a
 * cryptographic library. Elliptic keys only. Stateless.
 */
final class Certificates {
    /** A certificate made this second is not yet valid for a server whose clock is a bit behind. */
    static final Duration BACKDATE = Duration.ofHours(1);

    private static final String COMMON_NAME = "2.5.4.3";
    private static final String SHA256_WITH_ECDSA = "1.2.840.10045.4.3.2";
    private static final DateTimeFormatter SHORT_YEAR = DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'");
    private static final DateTimeFormatter LONG_YEAR = DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'");
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\\s]+)-----END \\1-----");

    private Certificates() {}

    /** A certificate and its key. */
    record Pair(X509Certificate certificate, PrivateKey key) {
        String certificatePem() {
            return Certificates.pem(certificate);
        }

        String keyPem() {
            return Certificates.pem("PRIVATE KEY", key.getEncoded());
        }
    }

    /** A new authority that signs itself. */
    static Pair authority(String commonName, Instant now, Duration life) {
        KeyPair pair = KeyPairs.ellipticCurve();
        byte[] name = name(commonName);
        byte[] extensions = sequence(
                extension("2.5.29.19", true, sequence(truth())), // basic constraints: an authority
                extension("2.5.29.15", true, bits(1, (byte) 0x86)), // digitalSignature, keyCertSign, cRLSign
                extension("2.5.29.14", false, tagged(0x04, keyId(pair.getPublic()))));
        return new Pair(
                sign(pair.getPrivate(), pair.getPublic(), name, name, pair.getPublic(), now, life, extensions),
                pair.getPrivate());
    }

    /** A certificate for a server of these DNS names and addresses. */
    static Pair server(Pair authority, Collection<String> names, Instant now, Duration life) {
        KeyPair pair = KeyPairs.ellipticCurve();
        List<byte[]> general = new ArrayList<>();
        names.forEach(name -> general.add(generalName(name)));
        byte[] extensions = sequence(
                extension("2.5.29.19", true, sequence()),
                extension("2.5.29.15", true, bits(5, (byte) 0xa0)), // digitalSignature, keyEncipherment
                extension("2.5.29.37", false, sequence(identifier("1.3.6.1.5.5.7.3.1"))), // server authentication
                extension(
                        "2.5.29.35",
                        false,
                        sequence(tagged(0x80, keyId(authority.certificate().getPublicKey())))),
                extension("2.5.29.17", false, sequence(general.toArray(new byte[0][]))));
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
            return pem("CERTIFICATE", certificate.getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String pem(String what, byte[] der) {
        return "-----BEGIN " + what + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + what + "-----\n";
    }

    /**
     * The certificates in a PEM text, in their order.
     *
     * @throws IllegalArgumentException if one cannot be read
     */
    static List<X509Certificate> certificates(String pem) {
        List<X509Certificate> found = new ArrayList<>();
        Matcher blocks = BLOCK.matcher(pem);
        while (blocks.find()) {
            if (blocks.group(1).equals("CERTIFICATE")) {
                found.add(certificate(Base64.getMimeDecoder().decode(blocks.group(2))));
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
        Matcher blocks = BLOCK.matcher(pem);
        while (blocks.find()) {
            if (blocks.group(1).equals("PRIVATE KEY")) {
                try {
                    return KeyFactory.getInstance("EC")
                            .generatePrivate(new PKCS8EncodedKeySpec(
                                    Base64.getMimeDecoder().decode(blocks.group(2))));
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
        byte[] algorithm = sequence(identifier(SHA256_WITH_ECDSA));
        byte[] content = sequence(
                tagged(0xa0, integer(BigInteger.TWO)), // version 3
                integer(serial(subjectKey, now)),
                algorithm,
                issuer,
                sequence(time(now.minus(BACKDATE)), time(now.plus(life))),
                subject,
                subjectKey.getEncoded(),
                tagged(0xa3, extensions));
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(issuerKey);
            signature.update(content);
            X509Certificate made = certificate(sequence(content, algorithm, bits(0, signature.sign())));
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
                ? sequence(identifier(identifier), truth(), tagged(0x04, value))
                : sequence(identifier(identifier), tagged(0x04, value));
    }

    private static byte[] name(String commonName) {
        String text = commonName.length() > 64 ? commonName.substring(0, 64) : commonName; // RFC 5280's bound
        return sequence(tagged(
                0x31, sequence(identifier(COMMON_NAME), tagged(0x0c, text.getBytes(StandardCharsets.UTF_8)))));
    }

    private static byte[] generalName(String name) {
        if (name.matches("[0-9]+(\\.[0-9]+){3}")) {
            String[] parts = name.split("\\.");
            byte[] address = new byte[4];
            for (int i = 0; i < 4; i++) {
                address[i] = (byte) Integer.parseInt(parts[i]);
            }
            return tagged(0x87, address);
        }
        return tagged(0x82, name.getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] tagged(int tag, byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream(length + 4);
        out.write(tag);
        if (length < 0x80) {
            out.write(length);
        } else if (length < 0x100) {
            out.write(0x81);
            out.write(length);
        } else {
            out.write(0x82); // two bytes of length: certificates are shorter than 64 KiB
            out.write(length >> 8);
            out.write(length);
        }
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    private static byte[] sequence(byte[]... parts) {
        return tagged(0x30, parts);
    }

    private static byte[] integer(BigInteger value) {
        return tagged(0x02, value.toByteArray());
    }

    private static byte[] truth() {
        return tagged(0x01, new byte[] {(byte) 0xff});
    }

    private static byte[] bits(int unused, byte... value) {
        return tagged(0x03, new byte[] {(byte) unused}, value);
    }

    /** Two digits of the year until 2049, four afterwards: RFC 5280 wants it so. */
    private static byte[] time(Instant instant) {
        ZonedDateTime time = instant.atZone(ZoneOffset.UTC);
        boolean early = time.getYear() < 2050;
        String text = (early ? SHORT_YEAR : LONG_YEAR).format(time);
        return tagged(early ? 0x17 : 0x18, text.getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] identifier(String dotted) {
        String[] arcs = dotted.split("\\.");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(Integer.parseInt(arcs[0]) * 40 + Integer.parseInt(arcs[1]));
        for (int i = 2; i < arcs.length; i++) {
            long arc = Long.parseLong(arcs[i]);
            int groups = 1;
            while (arc >> 7 * groups != 0) {
                groups++;
            }
            for (int group = groups - 1; group >= 0; group--) {
                out.write((int) (arc >> 7 * group & 0x7f) | (group > 0 ? 0x80 : 0));
            }
        }
        return tagged(0x06, out.toByteArray());
    }
}
