package io.trimtab.controllers.certificates;

import io.trimtab.encoding.PemBlock;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.x500.AttributeTypeAndValue;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** Writes certificates from requests, with the usages and the life they were granted, and nothing else they ask for. Stateless. */
final class CertificateIssuer {
    /** Clocks differ. */
    private static final Duration BACKDATE = Duration.ofMinutes(5);
    /** The end of shorter lives is not moved back with their beginning. */
    private static final Duration SHORT = Duration.ofHours(8);

    private static final SecureRandom RANDOM = new SecureRandom();

    private static final Map<String, Integer> KEY_USAGES = Map.of(
            "signing", KeyUsage.digitalSignature,
            "digital signature", KeyUsage.digitalSignature,
            "content commitment", KeyUsage.nonRepudiation,
            "key encipherment", KeyUsage.keyEncipherment,
            "key agreement", KeyUsage.keyAgreement,
            "data encipherment", KeyUsage.dataEncipherment,
            "cert sign", KeyUsage.keyCertSign,
            "crl sign", KeyUsage.cRLSign,
            "encipher only", KeyUsage.encipherOnly,
            "decipher only", KeyUsage.decipherOnly);

    /** The order is that in which Go writes them. */
    private enum Purpose {
        ANY("2.5.29.37.0", "any"),
        SERVER("1.3.6.1.5.5.7.3.1", "server auth"),
        CLIENT("1.3.6.1.5.5.7.3.2", "client auth"),
        CODE("1.3.6.1.5.5.7.3.3", "code signing"),
        MAIL("1.3.6.1.5.5.7.3.4", "email protection", "s/mime"),
        IPSEC_END("1.3.6.1.5.5.7.3.5", "ipsec end system"),
        IPSEC_TUNNEL("1.3.6.1.5.5.7.3.6", "ipsec tunnel"),
        IPSEC_USER("1.3.6.1.5.5.7.3.7", "ipsec user"),
        TIME("1.3.6.1.5.5.7.3.8", "timestamping"),
        OCSP("1.3.6.1.5.5.7.3.9", "ocsp signing"),
        MICROSOFT("1.3.6.1.4.1.311.10.3.3", "microsoft sgc"),
        NETSCAPE("2.16.840.1.113730.4.1", "netscape sgc");

        final String identifier;
        final List<String> usages;

        Purpose(String identifier, String... usages) {
            this.identifier = identifier;
            this.usages = List.of(usages);
        }
    }

    /** What of a subject gets into a certificate: an attribute that is not known might mean something to somebody. */
    private static final List<ASN1ObjectIdentifier> KNOWN =
            List.of(BCStyle.C, BCStyle.O, BCStyle.OU, BCStyle.L, BCStyle.ST, BCStyle.STREET, BCStyle.POSTAL_CODE);

    private CertificateIssuer() {}

    /**
     * A certificate, in PEM form.
     *
     * @throws IllegalArgumentException if it cannot be issued, with the reason as Kubernetes gives it
     */
    static String issue(
            SigningAuthority.Pair authority,
            CertificateRequest request,
            List<String> usages,
            Duration life,
            Instant now) {
        if (!request.isSignedByItsKey()) {
            throw new IllegalArgumentException("unable to verify certificate request signature");
        }
        int bits = 0;
        EnumSet<Purpose> purposes = EnumSet.noneOf(Purpose.class);
        List<String> unknown = new ArrayList<>();
        for (String usage : usages) {
            Integer bit = KEY_USAGES.get(usage);
            if (bit != null) {
                bits |= bit;
                continue;
            }
            Purpose purpose = purpose(usage);
            if (purpose == null) {
                unknown.add('"' + usage + '"');
            } else {
                purposes.add(purpose);
            }
        }
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("unrecognized usage values: [" + String.join(" ", unknown) + "]");
        }
        X509Certificate issuer = authority.certificate();
        Instant last = issuer.getNotAfter().toInstant();
        Instant from = now.minus(BACKDATE);
        Instant until =
                life.compareTo(SHORT) < 0 ? now.plus(life) : now.plus(life).minus(BACKDATE);
        if (!until.isBefore(last)) {
            until = last;
        }
        if (!from.isBefore(last)) {
            throw new IllegalArgumentException("the signer has expired: NotAfter=" + last);
        }
        if (!now.isBefore(last)) {
            throw new IllegalArgumentException(
                    "refusing to sign a certificate that expired in the past: NotAfter=" + last);
        }
        try {
            X500Name subject = subject(request);
            X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                    X500Name.getInstance(issuer.getSubjectX500Principal().getEncoded()),
                    new BigInteger(128, RANDOM),
                    Date.from(from),
                    Date.from(until),
                    subject,
                    request.encoded().getSubjectPublicKeyInfo());
            if (bits != 0) {
                builder.addExtension(Extension.keyUsage, true, new KeyUsage(bits));
            }
            if (!purposes.isEmpty()) {
                builder.addExtension(
                        Extension.extendedKeyUsage,
                        false,
                        new ExtendedKeyUsage(purposes.stream()
                                .map(p -> KeyPurposeId.getInstance(new ASN1ObjectIdentifier(p.identifier)))
                                .toArray(KeyPurposeId[]::new)));
            }
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            byte[] keyId = issuer.getExtensionValue(Extension.subjectKeyIdentifier.getId());
            if (keyId != null) {
                // An octet string within an octet string.
                byte[] inner = ASN1OctetString.getInstance(
                                ASN1OctetString.getInstance(keyId).getOctets())
                        .getOctets();
                builder.addExtension(Extension.authorityKeyIdentifier, false, new AuthorityKeyIdentifier(inner));
            }
            if (!request.names().isEmpty()) {
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        subject.size() == 0,
                        new GeneralNames(request.names().toArray(new GeneralName[0])));
            }
            byte[] signed = builder.build(new JcaContentSignerBuilder(SigningAuthority.algorithm(authority.key()))
                            .build(authority.key()))
                    .getEncoded();
            return new PemBlock("CERTIFICATE", signed).text();
        } catch (IOException | OperatorCreationException e) {
            throw new IllegalArgumentException("failed to sign certificate: " + e.getMessage(), e);
        }
    }

    private static @Nullable Purpose purpose(String usage) {
        for (Purpose purpose : Purpose.values()) {
            if (purpose.usages.contains(usage)) {
                return purpose;
            }
        }
        return null;
    }

    private static X500Name subject(CertificateRequest request) {
        List<RDN> parts = new ArrayList<>();
        for (ASN1ObjectIdentifier type : KNOWN) {
            List<String> values = request.subject(type);
            if (!values.isEmpty()) {
                ASN1EncodableVector all = new ASN1EncodableVector();
                values.forEach(value -> all.add(pair(type, value)));
                // Several values of one sort are one part, sorted: so Go writes them.
                parts.add(RDN.getInstance(new DERSet(all)));
            }
        }
        String commonName = request.commonName();
        if (!commonName.isEmpty()) {
            parts.add(new RDN(pair(BCStyle.CN, commonName)));
        }
        List<String> serials = request.subject(BCStyle.SERIALNUMBER);
        if (!serials.isEmpty()) {
            parts.add(new RDN(pair(BCStyle.SERIALNUMBER, serials.get(serials.size() - 1))));
        }
        return new X500Name(parts.toArray(new RDN[0]));
    }

    private static AttributeTypeAndValue pair(ASN1ObjectIdentifier type, String value) {
        boolean printable =
                StandardCharsets.US_ASCII.newEncoder().canEncode(value) && DERPrintableString.isPrintableString(value);
        return new AttributeTypeAndValue(type, printable ? new DERPrintableString(value) : new DERUTF8String(value));
    }
}
