package io.trimtab.apiserver.certificates;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
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

    /** The private key, as PKCS#8 PEM. */
    public String privateKeyPem() {
        return Pem.privateKey(privateKey);
    }

    @Override
    public String toString() {
        return "Credential[" + certificate().getSubjectX500Principal().getName() + "]";
    }
}
