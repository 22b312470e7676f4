package io.trimtab.controllers;

import io.trimtab.controllers.certificates.Signers;
import io.trimtab.controllers.certificates.SigningAuthority;
import io.trimtab.encoding.GoDuration;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The flags that say with what CertificateSigningRequests are signed, named as Kubernetes names them. */
final class SigningFlags {
    private static final String PREFIX = "--cluster-signing-";

    @Option(
            names = PREFIX + "cert-file",
            paramLabel = "FILE",
            description = "Authority that signs CertificateSigningRequests; without it nobody does.")
    private @Nullable Path certFile;

    @Option(names = PREFIX + "key-file", paramLabel = "FILE", description = "Its key.")
    private @Nullable Path keyFile;

    @Option(
            names = PREFIX + "duration",
            defaultValue = "8760h",
            paramLabel = "TIME",
            description = "How long certificates last whose request does not ask for less.")
    private String duration = "8760h";

    @Option(
            names = PREFIX + "kube-apiserver-client-cert-file",
            paramLabel = "FILE",
            description = "Authority of that signer alone; then those without files of their own sign nothing.")
    private @Nullable Path clientCert;

    @Option(
            names = PREFIX + "kube-apiserver-client-key-file",
            paramLabel = "FILE",
            description = "The key of the certificate before.")
    private @Nullable Path clientKey;

    @Option(
            names = PREFIX + "kubelet-client-cert-file",
            paramLabel = "FILE",
            description = "Signs for the signer of that name; default: that of --cluster-signing-cert-file.")
    private @Nullable Path nodeClientCert;

    @Option(
            names = PREFIX + "kubelet-client-key-file",
            paramLabel = "FILE",
            description = "The key of the certificate before.")
    private @Nullable Path nodeClientKey;

    @Option(
            names = PREFIX + "kubelet-serving-cert-file",
            paramLabel = "FILE",
            description = "Signs for the signer of that name; default: that of --cluster-signing-cert-file.")
    private @Nullable Path nodeServingCert;

    @Option(
            names = PREFIX + "kubelet-serving-key-file",
            paramLabel = "FILE",
            description = "The key of the certificate before.")
    private @Nullable Path nodeServingKey;

    @Option(
            names = PREFIX + "legacy-unknown-cert-file",
            paramLabel = "FILE",
            description = "Signs for the signer of that name; default: that of --cluster-signing-cert-file.")
    private @Nullable Path legacyCert;

    @Option(
            names = PREFIX + "legacy-unknown-key-file",
            paramLabel = "FILE",
            description = "The key of the certificate before.")
    private @Nullable Path legacyKey;

    /**
     * Who signs; null if nobody does.
     *
     * @throws ParameterException if the flags contradict each other, or a file is not what it should be
     */
    @Nullable
    Signers signers(CommandSpec spec) {
        try {
            Duration longest = duration();
            Map<String, SigningAuthority> some = new LinkedHashMap<>();
            put(some, Signers.NODE_SERVING, nodeServingCert, nodeServingKey);
            put(some, Signers.NODE_CLIENT, nodeClientCert, nodeClientKey);
            put(some, Signers.API_CLIENT, clientCert, clientKey);
            put(some, Signers.LEGACY_UNKNOWN, legacyCert, legacyKey);
            Path cert = certFile;
            Path key = keyFile;
            if (cert == null || key == null) {
                return some.isEmpty() ? null : new Signers(some, longest);
            }
            if (!some.isEmpty()) {
                throw new IllegalArgumentException("cannot specify default and per controller certs at the same time");
            }
            return Signers.of(SigningAuthority.fromFiles(cert, key), longest);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private static void put(
            Map<String, SigningAuthority> some, String signer, @Nullable Path cert, @Nullable Path key) {
        if (cert == null && key == null) {
            return;
        }
        if (cert == null || key == null) {
            throw new IllegalArgumentException("failed to start " + signer
                    + " certificate controller: both a certificate file and a key file are needed");
        }
        try {
            some.put(signer, SigningAuthority.fromFiles(cert, key));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "failed to start " + signer + " certificate controller: " + e.getMessage(), e);
        }
    }

    private Duration duration() {
        return GoDuration.parse(duration)
                .filter(given -> !given.isNegative() && !given.isZero())
                .orElseThrow(() -> new IllegalArgumentException(
                        PREFIX + "duration: \"" + duration + "\" is no duration; give one such as 8760h"));
    }
}
