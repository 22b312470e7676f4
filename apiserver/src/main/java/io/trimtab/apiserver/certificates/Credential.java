package io.trimtab.apiserver.certificates;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.ECPublicKey;
import java.util.List;

/**
 * A private key and the certificate chain that goes with it, leaf first. Immutable.
 *
 * @param privateKey the secret half; never log it
 * @param chain the leaf and, if it is not self-signed, the authority that signed it
 */
public record Credential(PrivateKey privateKey, List<X509Certificate> chain) {
    public Credential {
        chain = List.copyOf(chain);
    }

    public X509Certificate certificate() {
        return chain.get(0);
    }

    /** The leaf alone, as PEM. */
    public String certificatePem() {
        return Pem.certificate(certificate());
    }

    /** The whole chain, as PEM. */
    public String chainPem() {
        StringBuilder text = new StringBuilder();
        chain.forEach(c -> text.append(Pem.certificate(c)));
        return text.toString();
    }

    /**
     * The private key as PEM: an elliptic one in the form of SEC 1, whose first line says what it is, as Fabric8's client wants
     * it; any other as PKCS#8.
     */
    public String privateKeyPem() {
        return privateKey instanceof ECPrivateKey secret && certificate().getPublicKey() instanceof ECPublicKey open
                ? Pem.ellipticKey(secret, open)
                : Pem.privateKey(privateKey);
    }

    @Override
    public String toString() {
        return "Credential[" + certificate().getSubjectX500Principal().getName() + "]";
    }
}
