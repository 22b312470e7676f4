package io.trimtab.apiserver.http;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.Collection;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.X509KeyManager;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/** Reads the server's certificate and key: all forms of PEM that openssl and Go's tools write. */
final class ServerIdentity {
    private ServerIdentity() {}

    /** @throws GeneralSecurityException with a message for people, if either cannot be used */
    static X509KeyManager keyManager(HttpOptions.Tls tls) throws GeneralSecurityException {
        Collection<? extends Certificate> chain = CertificateFactory.getInstance("X.509")
                .generateCertificates(new ByteArrayInputStream(tls.certificate()));
        if (chain.isEmpty()) {
            throw new CertificateException("expected a certificate in PEM, found none");
        }
        Certificate leaf = chain.iterator().next();
        PrivateKey key = key(tls.key(), leaf);
        if (!leaf.getPublicKey().getAlgorithm().equals(key.getAlgorithm())) {
            throw new InvalidKeyException("the certificate is for a key of type "
                    + leaf.getPublicKey().getAlgorithm() + ", the key is " + key.getAlgorithm());
        }
        try {
            // It never leaves memory: the newer format would derive a key from the empty password, twice, in 10,000
            // rounds.
            KeyStore store = KeyStore.getInstance("JKS");
            store.load(null, null);
            store.setKeyEntry("server", key, new char[0], chain.toArray(new Certificate[0]));
            KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, new char[0]);
            for (KeyManager manager : factory.getKeyManagers()) {
                if (manager instanceof X509KeyManager found) {
                    return found;
                }
            }
        } catch (IOException e) {
            throw new GeneralSecurityException(e);
        }
        throw new GeneralSecurityException("this JVM has no X.509 key manager");
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
