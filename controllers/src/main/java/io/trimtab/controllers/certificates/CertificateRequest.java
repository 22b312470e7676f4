package io.trimtab.controllers.certificates;

import io.trimtab.encoding.PemBlock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.AttributeTypeAndValue;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x500.style.IETFUtils;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.PKCSException;

/** A PKCS#10 request as its asker wrote it, and the rules for those of nodes. Immutable. */
final class CertificateRequest {
    private static final List<String> NODES = List.of("system:nodes");
    private static final String NODE = "system:node:";
    private static final Set<String> CLIENT_USAGES =
            new TreeSet<>(Set.of("digital signature", "key encipherment", "client auth"));
    private static final Set<String> SERVER_USAGES =
            new TreeSet<>(Set.of("digital signature", "key encipherment", "server auth"));

    private final PKCS10CertificationRequest request;
    private final List<GeneralName> names;

    private CertificateRequest(PKCS10CertificationRequest request) {
        this.request = request;
        this.names = names(request);
    }

    /**
     * Reads the field {@code spec.request}: base64 of PEM.
     *
     * @throws IllegalArgumentException if it is none
     */
    static CertificateRequest parse(String encoded) {
        List<PemBlock> blocks =
                PemBlock.all(new String(Base64.getMimeDecoder().decode(encoded), StandardCharsets.ISO_8859_1));
        if (blocks.isEmpty() || !blocks.get(0).type().equals("CERTIFICATE REQUEST")) {
            throw new IllegalArgumentException("PEM block type must be CERTIFICATE REQUEST");
        }
        try {
            return new CertificateRequest(
                    new PKCS10CertificationRequest(blocks.get(0).der()));
        } catch (IOException e) {
            throw new IllegalArgumentException("asn1: structure error: " + e.getMessage(), e);
        }
    }

    PKCS10CertificationRequest encoded() {
        return request;
    }

    /** Whether whoever asks has the key. */
    boolean isSignedByItsKey() {
        try {
            return request.isSignatureValid(new JcaContentVerifierProviderBuilder().build(publicKey()));
        } catch (GeneralSecurityException | IOException | PKCSException | OperatorCreationException e) {
            return false;
        }
    }

    private PublicKey publicKey() throws GeneralSecurityException, IOException {
        SubjectPublicKeyInfo key = request.getSubjectPublicKeyInfo();
        ASN1ObjectIdentifier algorithm = key.getAlgorithm().getAlgorithm();
        String name = algorithm.equals(PKCSObjectIdentifiers.rsaEncryption)
                ? "RSA"
                : algorithm.equals(X9ObjectIdentifiers.id_ecPublicKey) ? "EC" : "EdDSA";
        return KeyFactory.getInstance(name).generatePublic(new X509EncodedKeySpec(key.getEncoded()));
    }

    /** The last of the common names, as Go has it; empty if there is none. */
    String commonName() {
        List<String> all = subject(BCStyle.CN);
        return all.isEmpty() ? "" : all.get(all.size() - 1);
    }

    List<String> organizations() {
        return subject(BCStyle.O);
    }

    /** The values of one sort of attribute of the subject, in order. */
    List<String> subject(ASN1ObjectIdentifier type) {
        List<String> values = new ArrayList<>();
        for (RDN part : request.getSubject().getRDNs(type)) {
            for (AttributeTypeAndValue pair : part.getTypesAndValues()) {
                if (pair.getType().equals(type)) {
                    values.add(IETFUtils.valueToString(pair.getValue()));
                }
            }
        }
        return values;
    }

    /** The alternative names it asks for that certificates of ours may have: DNS names, addresses, mail addresses and URIs. */
    List<GeneralName> names() {
        return names;
    }

    private boolean asksFor(int tag) {
        return names.stream().anyMatch(name -> name.getTagNo() == tag);
    }

    private static List<GeneralName> names(PKCS10CertificationRequest request) {
        Extensions extensions = request.getRequestedExtensions();
        GeneralNames all =
                extensions == null ? null : GeneralNames.fromExtensions(extensions, Extension.subjectAlternativeName);
        List<GeneralName> known = new ArrayList<>();
        if (all != null) {
            for (GeneralName name : all.getNames()) {
                switch (name.getTagNo()) {
                    case GeneralName.dNSName,
                            GeneralName.iPAddress,
                            GeneralName.rfc822Name,
                            GeneralName.uniformResourceIdentifier -> known.add(name);
                    default -> {}
                }
            }
        }
        return known;
    }

    // ---- Rules ---------------------------------------------------------------------------------------------------

    /** Why the signer of nodes' client certificates refuses this; empty if it does not. */
    String problemAsNodeClient(List<String> usages) {
        if (!organizations().equals(NODES)) {
            return "subject organization is not system:nodes";
        }
        if (asksFor(GeneralName.dNSName)) {
            return "DNS subjectAltNames are not allowed";
        }
        if (asksFor(GeneralName.rfc822Name)) {
            return "Email subjectAltNames are not allowed";
        }
        if (asksFor(GeneralName.iPAddress)) {
            return "IP subjectAltNames are not allowed";
        }
        if (asksFor(GeneralName.uniformResourceIdentifier)) {
            return "URI subjectAltNames are not allowed";
        }
        if (!commonName().startsWith(NODE)) {
            return "subject common name does not begin with system:node:";
        }
        return matches(usages, CLIENT_USAGES)
                ? ""
                : "usages did not match [client auth digital signature key encipherment]";
    }

    /** Why the signer of nodes' server certificates refuses this; empty if it does not. */
    String problemAsNodeServer(List<String> usages) {
        if (!organizations().equals(NODES)) {
            return "subject organization is not system:nodes";
        }
        if (!asksFor(GeneralName.dNSName) && !asksFor(GeneralName.iPAddress)) {
            return "DNS or IP subjectAltName is required";
        }
        if (asksFor(GeneralName.rfc822Name)) {
            return "Email subjectAltNames are not allowed";
        }
        if (asksFor(GeneralName.uniformResourceIdentifier)) {
            return "URI subjectAltNames are not allowed";
        }
        if (!matches(usages, SERVER_USAGES)) {
            return "usages did not match [digital signature key encipherment server auth]";
        }
        return commonName().startsWith(NODE) ? "" : "subject common name does not begin with system:node:";
    }

    /** Why the signer of clients refuses these usages; empty if it does not. */
    static String problemAsClient(List<String> usages) {
        boolean client = false;
        for (String usage : usages) {
            switch (usage) {
                case "digital signature", "key encipherment" -> {}
                case "client auth" -> client = true;
                default -> {
                    return "invalid usage for client certificate: " + usage;
                }
            }
        }
        return client ? "" : "missing required usage for client certificate: client auth";
    }

    /** Keys that are not RSA encipher nothing, so that usage may be left out. */
    private static boolean matches(List<String> usages, Set<String> wanted) {
        Set<String> asked = new TreeSet<>(usages);
        if (asked.equals(wanted)) {
            return true;
        }
        Set<String> less = new TreeSet<>(wanted);
        less.remove("key encipherment");
        return asked.equals(less);
    }
}
