package io.trimtab.controllers.certificates;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A certificate authority with its key. One of files reads them again when they change, so that an authority is exchanged without
 * a restart. Safe for use by several threads.
 */
public final class SigningAuthority {
    private static final Logger LOG = LoggerFactory.getLogger(SigningAuthority.class);

    /** What is used to sign. */
    record Pair(X509Certificate certificate, PrivateKey key) {}

    private interface Source {
        String certificate() throws IOException;

        String key() throws IOException;
    }

    private record Texts(String certificate, String key) implements Source {}

    private record FilePair(Path certificateFile, Path keyFile) implements Source {
        @Override
        public String certificate() throws IOException {
            return Files.readString(certificateFile);
        }

        @Override
        public String key() throws IOException {
            return Files.readString(keyFile);
        }
    }

    private record Loaded(Texts texts, Pair pair) {}

    private final Source source;
    private volatile @Nullable Loaded loaded;

    private SigningAuthority(Source source) {
        this.source = source;
    }

    /** An authority in PEM form. It is read when it first signs: most clusters never sign anything. */
    public static SigningAuthority fromPem(String certificate, String key) {
        return new SigningAuthority(new Texts(certificate, key));
    }

    /**
     * An authority in files.
     *
     * @throws IllegalArgumentException if one cannot be read, or they do not belong together
     */
    public static SigningAuthority fromFiles(Path certificate, Path key) {
        SigningAuthority authority = new SigningAuthority(new FilePair(certificate, key));
        authority.current();
        return authority;
    }

    /** The pair to sign with now. */
    Pair current() {
        Loaded known = loaded;
        try {
            Texts texts = new Texts(source.certificate(), source.key());
            if (known != null && known.texts().equals(texts)) {
                return known.pair();
            }
            Pair pair = parse(texts);
            loaded = new Loaded(texts, pair);
            return pair;
        } catch (IOException | IllegalArgumentException e) {
            if (known != null) {
                // Files are exchanged one after the other: until both are right, the old pair is.
                LOG.warn("the signing authority was not exchanged, reason={}", e.getMessage());
                return known.pair();
            }
            throw new IllegalArgumentException("error reading CA cert file \"" + name() + "\": " + e.getMessage(), e);
        }
    }

    private String name() {
        return source instanceof FilePair files ? files.certificateFile().toString() : "";
    }

    private static Pair parse(Texts texts) {
        try {
            X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(
                            new ByteArrayInputStream(texts.certificate().getBytes(StandardCharsets.US_ASCII)));
            PrivateKey key = key(texts.key());
            byte[] probe = {1, 2, 3};
            Signature signature = Signature.getInstance(algorithm(key));
            signature.initSign(key);
            signature.update(probe);
            byte[] signed = signature.sign();
            signature.initVerify(certificate.getPublicKey());
            signature.update(probe);
            if (!signature.verify(signed)) {
                throw new IllegalArgumentException("tls: private key does not match public key");
            }
            return new Pair(certificate, key);
        } catch (java.security.InvalidKeyException e) {
            throw new IllegalArgumentException("tls: private key type does not match public key type", e);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    private static PrivateKey key(String pem) throws IOException {
        try (PEMParser parser = new PEMParser(new StringReader(pem))) {
            for (Object found = parser.readObject(); found != null; found = parser.readObject()) {
                if (found instanceof PEMKeyPair pair) {
                    return new JcaPEMKeyConverter().getKeyPair(pair).getPrivate();
                }
                if (found instanceof PrivateKeyInfo info) {
                    return new JcaPEMKeyConverter().getPrivateKey(info);
                }
            }
        }
        throw new IllegalArgumentException("tls: failed to find any PEM data in key input");
    }

    /** What a key of this kind signs certificates with. */
    static String algorithm(PrivateKey key) {
        return switch (key.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC", "ECDSA" ->
                ecdsa(((java.security.interfaces.ECKey) key)
                        .getParams()
                        .getOrder()
                        .bitLength());
            default -> "Ed25519";
        };
    }

    private static String ecdsa(int bits) {
        return bits > 384 ? "SHA512withECDSA" : bits > 256 ? "SHA384withECDSA" : "SHA256withECDSA";
    }
}
