package io.trimtab.apiserver.http;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/** Reads the server's certificate and key: all forms of PEM that openssl and Go's tools write. */
final class ServerIdentity {
    private ServerIdentity() {}

    /** A chain, leaf first, and the key of its leaf. */
    record Pair(X509Certificate[] chain, PrivateKey key) {}

    /** @throws GeneralSecurityException with a message for people, if either cannot be used */
    static Pair read(byte[] certificatePem, byte[] keyPem) throws GeneralSecurityException {
        Collection<? extends Certificate> chain =
                CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(certificatePem));
        if (chain.isEmpty()) {
            throw new CertificateException("expected a certificate in PEM, found none");
        }
        X509Certificate[] certificates = chain.toArray(new X509Certificate[0]);
        PrivateKey key = key(keyPem, certificates[0]);
        String kind = certificates[0].getPublicKey().getAlgorithm();
        if (!kind.equals(key.getAlgorithm())
                && !(kind.equals("EC") && key.getAlgorithm().equals("ECDSA"))) {
            throw new InvalidKeyException(
                    "the certificate is for a key of type " + kind + ", the key is " + key.getAlgorithm());
        }
        return new Pair(certificates, key);
    }

    private static PrivateKey key(byte[] pem, Certificate leaf) throws GeneralSecurityException {
        JcaPEMKeyConverter converter = new JcaPEMKeyConverter();
        try (PEMParser parser =
                new PEMParser(new InputStreamReader(new ByteArrayInputStream(pem), StandardCharsets.US_ASCII))) {
            for (Object found = parser.readObject(); found != null; found = parser.readObject()) {
                if (found instanceof PEMKeyPair pair) {
                    return converter.getPrivateKey(withCurve(pair.getPrivateKeyInfo(), leaf));
                }
                if (found instanceof PrivateKeyInfo info) {
                    return converter.getPrivateKey(info);
                }
            }
        } catch (IOException e) {
            throw new InvalidKeyException("the key is no PEM: " + e.getMessage(), e);
        }
        throw new InvalidKeyException("expected a private key in PEM that is not encrypted, found none");
    }

    /** Some tools leave the curve out of an EC key; it is the one of the certificate. */
    private static PrivateKeyInfo withCurve(PrivateKeyInfo info, Certificate leaf) throws IOException {
        if (info.getPrivateKeyAlgorithm().getParameters() != null
                || !info.getPrivateKeyAlgorithm().getAlgorithm().equals(X9ObjectIdentifiers.id_ecPublicKey)) {
            return info;
        }
        return new PrivateKeyInfo(
                SubjectPublicKeyInfo.getInstance(leaf.getPublicKey().getEncoded())
                        .getAlgorithm(),
                info.parsePrivateKey());
    }
}
