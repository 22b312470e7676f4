package io.trimtab.standalone.cli;

import io.trimtab.apiserver.audit.AuditBatches;
import io.trimtab.apiserver.audit.AuditLogFile;
import io.trimtab.encoding.GoDuration;
import io.trimtab.standalone.AuditOptions;
import io.trimtab.standalone.Protection;
import java.nio.file.Path;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The flags that say how an API server protects itself, named as Kubernetes names them. */
final class ProtectionFlags {
    @Option(
            names = "--enable-priority-and-fairness",
            arity = "0..1",
            fallbackValue = "true",
            defaultValue = "true",
            description = "Sort, queue and limit requests by FlowSchemas.",
            paramLabel = "true|false")
    private boolean priorityAndFairness;

    @Option(
            names = "--max-requests-inflight",
            defaultValue = "400",
            paramLabel = "COUNT",
            description = "With the next, how many requests are served at a time.")
    private int readsInflight;

    @Option(
            names = "--max-mutating-requests-inflight",
            defaultValue = "200",
            paramLabel = "COUNT",
            description = "How many writes are served at a time; see --max-requests-inflight.")
    private int writesInflight;

    @Option(
            names = "--request-timeout",
            defaultValue = "1m0s",
            paramLabel = "DURATION",
            description = "What a request may take that is no watch.")
    private String requestTimeout = "1m0s";

    @Option(names = "--audit-policy-file", paramLabel = "FILE", description = "What is kept of which requests.")
    private @Nullable Path auditPolicy;

    @Option(names = "--audit-log-path", paramLabel = "FILE", description = "Where it is kept; - for standard output.")
    private @Nullable String auditLog;

    @Option(names = "--audit-log-maxage", defaultValue = "0", paramLabel = "DAYS", description = "0 for ever.")
    private int auditDays;

    @Option(names = "--audit-log-maxbackup", defaultValue = "0", paramLabel = "COUNT", description = "0 for all.")
    private int auditBackups;

    @Option(names = "--audit-log-maxsize", defaultValue = "0", paramLabel = "MEGABYTES", description = "0 for 100.")
    private int auditMegabytes;

    @Option(
            names = "--audit-log-compress",
            arity = "0..1",
            fallbackValue = "true",
            defaultValue = "false",
            paramLabel = "true|false",
            description = "Compress audit logs that have been rotated.")
    private boolean auditCompress;

    @Option(names = "--audit-log-format", defaultValue = "json", paramLabel = "FORMAT", description = "json or legacy.")
    private String auditFormat = "json";

    @Option(
            names = "--audit-log-mode",
            defaultValue = "blocking",
            paramLabel = "MODE",
            description = "blocking, blocking-strict or batch.")
    private String auditMode = "blocking";

    @Option(
            names = "--audit-webhook-config-file",
            paramLabel = "FILE",
            description = "Kubeconfig of where batches of audit events are sent.")
    private @Nullable Path auditWebhook;

    @Option(
            names = "--audit-webhook-batch-buffer-size",
            defaultValue = "10000",
            paramLabel = "COUNT",
            description = "How many events wait at most; those beyond are dropped, and counted.")
    private int webhookBuffer;

    @Option(
            names = "--audit-webhook-batch-max-size",
            defaultValue = "400",
            paramLabel = "COUNT",
            description = "How many events a batch has at most.")
    private int webhookSize;

    @Option(
            names = "--audit-webhook-batch-max-wait",
            defaultValue = "30s",
            paramLabel = "DURATION",
            description = "How long a batch waits for more.")
    private String webhookWait = "30s";

    @Option(
            names = "--encryption-provider-config",
            paramLabel = "FILE",
            description = "What is encrypted in the store, and how.")
    private @Nullable Path encryptionConfig;

    @Option(
            names = "--encryption-provider-config-automatic-reload",
            arity = "0..1",
            fallbackValue = "true",
            defaultValue = "false",
            paramLabel = "true|false",
            description = "Read that again when it changes.")
    private boolean encryptionReload;

    @Option(
            names = "--admission-control-config-file",
            paramLabel = "FILE",
            description = "Configurations of admission plugins.")
    private @Nullable Path admissionConfig;

    @Option(
            names = "--tls-min-version",
            defaultValue = "VersionTLS12",
            paramLabel = "VERSION",
            description = "VersionTLS12 or VersionTLS13.")
    private String tlsMinVersion = "VersionTLS12";

    @Option(
            names = "--tls-cipher-suites",
            split = ",",
            paramLabel = "NAME",
            description = "Of TLS 1.2; those of 1.3 are always there.")
    private List<String> tlsCipherSuites = List.of();

    private List<String> protocols() {
        return switch (tlsMinVersion) {
            case "VersionTLS12" -> List.of("TLSv1.2", "TLSv1.3");
            case "VersionTLS13" -> List.of("TLSv1.3");
            default ->
                throw new IllegalArgumentException("--tls-min-version: unknown tls version \"" + tlsMinVersion
                        + "\"; give VersionTLS12 or VersionTLS13");
        };
    }

    private List<String> cipherSuites() {
        if (tlsCipherSuites.isEmpty()) {
            return tlsCipherSuites; // to know all names takes reading the JVM's trust store: not at every start
        }
        List<String> known;
        try {
            known = List.of(SSLContext.getDefault().getSupportedSSLParameters().getCipherSuites());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JVM has no TLS", e);
        }
        for (String name : tlsCipherSuites) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException(
                        "--tls-cipher-suites: Cipher suite " + name + " not supported or doesn't exist");
            }
        }
        return tlsCipherSuites;
    }

    private @Nullable AuditOptions audit() {
        if (auditPolicy == null) {
            return null;
        }
        if (!List.of("json", "legacy").contains(auditFormat)) {
            throw new IllegalArgumentException("invalid audit log format " + auditFormat
                    + ", allowed formats are \"legacy,json\" (--audit-log-format)");
        }
        if (!List.of("batch", "blocking", "blocking-strict").contains(auditMode)) {
            throw new IllegalArgumentException("invalid audit log mode " + auditMode
                    + ", allowed modes are \"batch,blocking,blocking-strict\" (--audit-log-mode)");
        }
        if (auditDays < 0 || auditBackups < 0 || auditMegabytes < 0) {
            throw new IllegalArgumentException(
                    "--audit-log-maxage, --audit-log-maxbackup and --audit-log-maxsize must be >= 0");
        }
        return new AuditOptions(
                auditPolicy,
                auditLog == null
                        ? null
                        : new AuditLogFile.Options(
                                auditLog,
                                auditDays,
                                auditBackups,
                                auditMegabytes,
                                auditCompress,
                                auditFormat.equals("legacy")),
                auditMode.equals("batch") ? new AuditBatches.Options(10_000, 1, Duration.ofSeconds(30)) : null,
                auditWebhook,
                new AuditBatches.Options(
                        webhookBuffer, webhookSize, duration("--audit-webhook-batch-max-wait", webhookWait)));
    }

    Protection protection(CommandSpec spec) {
        try {
            return new Protection(
                    priorityAndFairness,
                    readsInflight,
                    writesInflight,
                    duration("--request-timeout", requestTimeout),
                    audit(),
                    encryptionConfig,
                    encryptionReload,
                    admissionConfig,
                    protocols(),
                    cipherSuites());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private static Duration duration(String flag, String text) {
        return GoDuration.parse(text)
                .orElseThrow(() -> new IllegalArgumentException(
                        flag + ": \"" + text + "\" is no duration; give one such as 1m30s"));
    }
}
