package io.trimtab.apiserver.apply;

import io.trimtab.apiserver.schema.Schema;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Which fields each endpoint does not let a writer change, and so does not book to anybody: facts of Kubernetes 1.34's registry
 * strategies, oddities included.
 */
public final class ResetFields {
    private static final List<List<String>> STATUS = List.of(List.of("status"));
    private static final List<List<String>> SPEC = List.of(List.of("spec"));
    private static final List<List<String>> SPEC_AND_META = List.of(List.of("spec"), List.of("metadata"));

    // By qualified name; what is not listed resets status on the resource and nothing but spec on its status.
    private static final Map<String, List<List<String>>> ON_STATUS = Map.ofEntries(
            Map.entry("validatingadmissionpolicies.admissionregistration.k8s.io", SPEC_AND_META),
            Map.entry("storageversions.internal.apiserver.k8s.io", SPEC_AND_META),
            Map.entry("flowschemas.flowcontrol.apiserver.k8s.io", SPEC_AND_META),
            Map.entry("prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", SPEC_AND_META),
            Map.entry("volumeattachments.storage.k8s.io", SPEC_AND_META),
            Map.entry("storageversionmigrations.storagemigration.k8s.io", SPEC_AND_META),
            Map.entry("customresourcedefinitions.apiextensions.k8s.io", SPEC_AND_META),
            Map.entry("apiservices.apiregistration.k8s.io", SPEC_AND_META),
            Map.entry("deployments.apps", List.of(List.of("spec"), List.of("metadata", "labels"))),
            Map.entry(
                    "pods",
                    List.of(
                            List.of("spec"),
                            List.of("metadata", "deletionTimestamp"),
                            List.of("metadata", "ownerReferences"))),
            Map.entry(
                    "certificatesigningrequests.certificates.k8s.io",
                    List.of(List.of("spec"), List.of("status", "conditions"))),
            // Kubernetes names the group wrongly here, so that its rule never applies.
            Map.entry("servicecidrs.networking.k8s.io", List.of()));
    private static final Map<String, List<List<String>>> ON_RESOURCE = Map.of(
            "certificatesigningrequests.certificates.k8s.io", List.of(List.of("spec"), List.of("status")),
            "servicecidrs.networking.k8s.io", List.of());

    private ResetFields() {}

    /**
     * For a built-in resource.
     *
     * @param resource the qualified name, such as {@code pods} or {@code deployments.apps}
     * @param subresource empty for the resource itself
     * @param hasStatus whether the resource has the subresource {@code status}
     */
    public static FieldSet of(String resource, String subresource, boolean hasStatus) {
        if (subresource.equals("status")) {
            return FieldSet.ofFields(ON_STATUS.getOrDefault(resource, SPEC));
        }
        if (subresource.equals("approval")) {
            return FieldSet.ofFields(List.of(List.of("spec"), List.of("status", "certificate")));
        }
        return hasStatus ? FieldSet.ofFields(ON_RESOURCE.getOrDefault(resource, STATUS)) : FieldSet.EMPTY;
    }

    /** For a custom resource: its status endpoint writes the status and nothing else. */
    public static FieldSet ofCustom(Schema schema, String subresource, boolean hasStatus) {
        if (!hasStatus) {
            return FieldSet.EMPTY;
        }
        if (!subresource.equals("status")) {
            return FieldSet.ofFields(STATUS);
        }
        List<List<String>> others = new ArrayList<>();
        schema.properties().keySet().stream().filter(n -> !n.equals("status")).forEach(n -> others.add(List.of(n)));
        return FieldSet.ofFields(others);
    }
}
