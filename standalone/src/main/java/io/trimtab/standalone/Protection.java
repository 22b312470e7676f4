package io.trimtab.standalone;

import io.trimtab.apiserver.http.HttpOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How an API server protects itself and what it keeps. Immutable; change one by its {@code with} methods.
 *
 * @param priorityAndFairness whether requests are sorted, queued and turned away by FlowSchemas
 * @param readsInflight with {@code writesInflight}, how many requests are served at a time
 * @param writesInflight see {@code readsInflight}
 * @param requestTimeout what a request may take that is no watch and the like
 * @param audit what is kept of requests; null for nothing
 * @param encryptionConfig an EncryptionConfiguration for what the store keeps on disk or in etcd; null for none
 * @param encryptionReload whether that is read again when it changes
 * @param admissionConfig an AdmissionConfiguration for plugins that need one; null for none
 * @param tlsProtocols that the secure port speaks, as the JDK names them
 * @param tlsCipherSuites of TLS 1.2; empty for the JDK's choice
 */
public record Protection(
        boolean priorityAndFairness,
        int readsInflight,
        int writesInflight,
        Duration requestTimeout,
        @Nullable AuditOptions audit,
        @Nullable Path encryptionConfig,
        boolean encryptionReload,
        @Nullable Path admissionConfig,
        List<String> tlsProtocols,
        List<String> tlsCipherSuites) {

    /** What Kubernetes does when no flag says otherwise. */
    public static final Protection DEFAULT = new Protection(
            true, 400, 200, Duration.ofSeconds(60), null, null, false, null, HttpOptions.Tls.PROTOCOLS, List.of());

    public Protection {
        tlsProtocols = List.copyOf(tlsProtocols);
        tlsCipherSuites = List.copyOf(tlsCipherSuites);
        if (readsInflight + writesInflight <= 0 && priorityAndFairness) {
            throw new IllegalArgumentException(
                    "--max-requests-inflight and --max-mutating-requests-inflight: the sum is "
                            + (readsInflight + writesInflight) + ", it must be positive for priority and fairness");
        }
    }

    /** The same with another audit log. */
    public Protection withAudit(@Nullable AuditOptions log) {
        return new Protection(
                priorityAndFairness,
                readsInflight,
                writesInflight,
                requestTimeout,
                log,
                encryptionConfig,
                encryptionReload,
                admissionConfig,
                tlsProtocols,
                tlsCipherSuites);
    }

    /** The same with other limits. */
    public Protection withInflight(int reads, int writes) {
        return new Protection(
                priorityAndFairness,
                reads,
                writes,
                requestTimeout,
                audit,
                encryptionConfig,
                encryptionReload,
                admissionConfig,
                tlsProtocols,
                tlsCipherSuites);
    }
}
