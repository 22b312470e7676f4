package io.trimtab.standalone;

import io.trimtab.apiserver.audit.AuditBatches;
import io.trimtab.apiserver.audit.AuditLogFile;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of requests, and where. Immutable.
 *
 * @param policyFile an {@code audit.k8s.io/v1} Policy
 * @param log a file of events; null for none
 * @param logBatches holds events for the file back; null if each is written before its request goes on
 * @param webhookConfigFile a kubeconfig that says where batches of events are sent; null for nowhere
 * @param webhookBatches how they are put together
 */
public record AuditOptions(
        Path policyFile,
        AuditLogFile.@Nullable Options log,
        AuditBatches.@Nullable Options logBatches,
        @Nullable Path webhookConfigFile,
        AuditBatches.Options webhookBatches) {}
