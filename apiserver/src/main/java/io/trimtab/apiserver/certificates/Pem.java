package io.trimtab.apiserver.certificates;

import io.trimtab.encoding.Der;
import io.trimtab.encoding.PemBlock;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.ECPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.x500.AttributeTypeAndValue;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x500.style.IETFUtils;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.PKCSException;

/** Reads and writes certificates and keys in PEM. Stateless. */
public final class Pem {
    /** Also with headers. */
    private static final Pattern ANY_BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----\\s*([^-]*?)-----END \\1-----");

    private Pem() {}

    public static String certificate(X509Certificate certificate) {
        try {
            return block("CERTIFICATE", certificate.getEncoded());
        } catch (CertificateEncodingException e) {
            throw new IllegalArgumentException("certificate cannot be encoded: " + e.getMessage(), e);
        }
    }

    public static String privateKey(PrivateKey key) {
        return block("PRIVATE KEY", key.getEncoded());
    }

    /** A key on an elliptic curve, as SEC 1 writes it: with the curve and the public half. */
    static String ellipticKey(ECPrivateKey key, ECPublicKey open) {
        byte[] encoded = open.getEncoded();
        // A public key's encoding ends with its point: a byte that says how, and two coordinates.
        int point = 1 + 2 * bytes(key.getParams().getCurve().getField().getFieldSize());
        return block(
                "EC PRIVATE KEY",
                Der.sequence(
                        Der.integer(BigInteger.ONE),
                        Der.octets(Der.unsigned(
                                key.getS(), bytes(key.getParams().getOrder().bitLength()))),
                        Der.tagged(0xa0, curve(key)),
                        Der.tagged(
                                0xa1,
                                Der.bits(0, Arrays.copyOfRange(encoded, encoded.length - point, encoded.length)))));
    }

    private static byte[] curve(ECPrivateKey key) {
        try {
            AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
            curve.init(key.getParams());
            return curve.getEncoded();
        } catch (GeneralSecurityException | java.io.IOException e) {
            throw new IllegalArgumentException("the curve of a key is not a known one: " + e.getMessage(), e);
        }
    }

    private static int bytes(int bits) {
        return (bits + 7) / 8;
    }

    public static String publicKey(PublicKey key) {
        return block("PUBLIC KEY", key.getEncoded());
    }

    /**
     * All certificates in the text, in order.
     *
     * @throws IllegalArgumentException if there is none, or one cannot be read
     */
    public static List<X509Certificate> certificates(String text) {
        List<X509Certificate> found = new ArrayList<>();
        for (PemBlock block : PemBlock.all(text)) {
            if (block.type().equals("CERTIFICATE")) {
                try {
                    found.add((X509Certificate) CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(block.der())));
                } catch (GeneralSecurityException e) {
                    throw new IllegalArgumentException("certificate cannot be read: " + e.getMessage(), e);
                }
            }
        }
        if (found.isEmpty()) {
            throw new IllegalArgumentException("no certificate found: expected a PEM block CERTIFICATE");
        }
        return found;
    }

    /**
     * The first private key in the text: PKCS#8, PKCS#1 (RSA) or SEC 1 (EC).
     *
     * @throws IllegalArgumentException if there is none, or it cannot be read
     */
    public static PrivateKey privateKey(String text) {
        for (PemBlock block : PemBlock.all(text)) {
            try {
                switch (block.type()) {
                    case "PRIVATE KEY":
                        return pkcs8(PrivateKeyInfo.getInstance(block.der()));
                    case "RSA PRIVATE KEY":
                        return pkcs8(new PrivateKeyInfo(
                                new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE),
                                RSAPrivateKey.getInstance(ASN1Sequence.getInstance(block.der()))));
                    case "EC PRIVATE KEY":
                        org.bouncycastle.asn1.sec.ECPrivateKey ec = org.bouncycastle.asn1.sec.ECPrivateKey.getInstance(
                                ASN1Sequence.getInstance(block.der()));
                        return pkcs8(new PrivateKeyInfo(
                                new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, ec.getParametersObject()),
                                ec));
                    default:
                        break;
                }
            } catch (GeneralSecurityException | java.io.IOException | IllegalStateException e) {
                throw new IllegalArgumentException("private key cannot be read: " + e.getMessage(), e);
            }
        }
        throw new IllegalArgumentException("no private key found: expected a PEM block PRIVATE KEY");
    }

    /**
     * All public keys in the text, also those of certificates.
     *
     * @throws IllegalArgumentException if there is none, or one cannot be read
     */
    public static List<PublicKey> publicKeys(String text) {
        List<PublicKey> found = new ArrayList<>();
        for (PemBlock block : PemBlock.all(text)) {
            if (block.type().equals("PUBLIC KEY")) {
                found.add(publicKey(block.der()));
            } else if (block.type().equals("CERTIFICATE")) {
                found.add(certificates(block("CERTIFICATE", block.der())).get(0).getPublicKey());
            }
        }
        if (found.isEmpty()) {
            throw new IllegalArgumentException("no public key found: expected a PEM block PUBLIC KEY");
        }
        return found;
    }

    /** The common name that a certificate request asks for; empty if it asks for none. */
    public static String requestCommonName(String text) {
        List<String> names = requested(text, BCStyle.CN);
        return names.isEmpty() ? "" : names.get(names.size() - 1);
    }

    /** The organizations that a certificate request asks for. */
    public static List<String> requestOrganizations(String text) {
        return requested(text, BCStyle.O);
    }

    /** Why a text is no certificate request whose asker has the key; empty if it is one. */
    public static String requestProblem(String text) {
        List<PemBlock> blocks = PemBlock.all(text);
        if (blocks.isEmpty() || !blocks.get(0).type().equals("CERTIFICATE REQUEST")) {
            return "PEM block type must be CERTIFICATE REQUEST";
        }
        try {
            PKCS10CertificationRequest request =
                    new PKCS10CertificationRequest(blocks.get(0).der());
            boolean valid = request.isSignatureValid(new JcaContentVerifierProviderBuilder()
                    .build(publicKey(request.getSubjectPublicKeyInfo().getEncoded())));
            return valid ? "" : refused(request);
        } catch (java.io.IOException e) {
            return "asn1: structure error: " + e.getMessage();
        } catch (OperatorCreationException | IllegalArgumentException e) {
            return "x509: cannot verify signature: algorithm unimplemented";
        } catch (PKCSException e) {
            return "x509: " + e.getMessage();
        }
    }

    private static String refused(PKCS10CertificationRequest request) {
        ASN1ObjectIdentifier key =
                request.getSubjectPublicKeyInfo().getAlgorithm().getAlgorithm();
        return key.equals(PKCSObjectIdentifiers.rsaEncryption)
                ? "crypto/rsa: verification error"
                : key.equals(X9ObjectIdentifiers.id_ecPublicKey)
                        ? "x509: ECDSA verification failure"
                        : "x509: Ed25519 verification failure";
    }

    /** Why a text is not one or more certificates; empty if it is. */
    public static String certificatesProblem(String text) {
        Matcher matcher = ANY_BLOCK.matcher(text);
        int found = 0;
        while (matcher.find()) {
            if (!matcher.group(1).equals("CERTIFICATE")) {
                return "only CERTIFICATE PEM blocks are allowed, found \"" + matcher.group(1) + "\"";
            }
            if (matcher.group(2).contains(":")) {
                return "no PEM block headers are permitted";
            }
            found++;
            try {
                byte[] der = Base64.getMimeDecoder().decode(matcher.group(2).getBytes(StandardCharsets.US_ASCII));
                if (der.length == 0) {
                    return "found CERTIFICATE PEM block containing 0 certificates";
                }
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
            } catch (GeneralSecurityException | IllegalArgumentException e) {
                return "x509: malformed certificate";
            }
        }
        return found == 0 ? "must contain at least one CERTIFICATE PEM block" : "";
    }

    private static List<String> requested(String text, ASN1ObjectIdentifier type) {
        for (PemBlock block : PemBlock.all(text)) {
            if (block.type().equals("CERTIFICATE REQUEST")) {
                try {
                    List<String> values = new ArrayList<>();
                    for (RDN rdn : new PKCS10CertificationRequest(block.der())
                            .getSubject()
                            .getRDNs(type)) {
                        for (AttributeTypeAndValue pair : rdn.getTypesAndValues()) {
                            if (pair.getType().equals(type)) {
                                values.add(IETFUtils.valueToString(pair.getValue()));
                            }
                        }
                    }
                    return values;
                } catch (java.io.IOException e) {
                    throw new IllegalArgumentException("asn1: structure error: " + e.getMessage(), e);
                }
            }
        }
        throw new IllegalArgumentException("PEM block type must be CERTIFICATE REQUEST");
    }

    private static PublicKey publicKey(byte[] der) {
        for (String algorithm : new String[] {"RSA", "EC", "EdDSA"}) {
            try {
                return KeyFactory.getInstance(algorithm).generatePublic(new X509EncodedKeySpec(der));
            } catch (GeneralSecurityException e) {
                continue; // not of this algorithm
            }
        }
        throw new IllegalArgumentException("public key cannot be read: neither RSA nor EC nor Ed25519");
    }

    private static PrivateKey pkcs8(PrivateKeyInfo info) throws GeneralSecurityException, java.io.IOException {
        boolean rsa = info.getPrivateKeyAlgorithm().getAlgorithm().equals(PKCSObjectIdentifiers.rsaEncryption);
        return KeyFactory.getInstance(rsa ? "RSA" : "EC").generatePrivate(new PKCS8EncodedKeySpec(info.getEncoded()));
    }

    private static String block(String type, byte[] der) {
        return new PemBlock(type, der).text();
    }
}
