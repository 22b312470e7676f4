package io.trimtab.apiserver.resource;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The resources that the server itself reads and writes, as far as their place in the store needs. Equal to the entries of the
 * resource table, but without verbs and subresources.
 */
public final class CoreResources {
    public static final ApiResource PODS = namespaced("", "v1", "pods", "Pod");
    public static final ApiResource SECRETS = namespaced("", "v1", "secrets", "Secret");
    public static final ApiResource CONFIG_MAPS = namespaced("", "v1", "configmaps", "ConfigMap");
    public static final ApiResource SERVICES = namespaced("", "v1", "services", "Service");
    public static final ApiResource ENDPOINTS = namespaced("", "v1", "endpoints", "Endpoints");
    public static final ApiResource SERVICE_ACCOUNTS = namespaced("", "v1", "serviceaccounts", "ServiceAccount");
    public static final ApiResource LIMIT_RANGES = namespaced("", "v1", "limitranges", "LimitRange");
    public static final ApiResource RESOURCE_QUOTAS = namespaced("", "v1", "resourcequotas", "ResourceQuota");
    public static final ApiResource PERSISTENT_VOLUME_CLAIMS =
            namespaced("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim");
    public static final ApiResource PERSISTENT_VOLUMES = cluster("", "v1", "persistentvolumes", "PersistentVolume");
    public static final ApiResource NODES = cluster("", "v1", "nodes", "Node");
    public static final ApiResource NAMESPACES = cluster("", "v1", "namespaces", "Namespace");

    public static final ApiResource ROLES = namespaced("rbac.authorization.k8s.io", "v1", "roles", "Role");
    public static final ApiResource ROLE_BINDINGS =
            namespaced("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding");
    public static final ApiResource CLUSTER_ROLES =
            cluster("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole");
    public static final ApiResource CLUSTER_ROLE_BINDINGS =
            cluster("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding");

    public static final ApiResource CUSTOM_RESOURCE_DEFINITIONS =
            cluster("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition");

    public static final ApiResource API_SERVICES = cluster("apiregistration.k8s.io", "v1", "apiservices", "APIService");
    public static final ApiResource MUTATING_WEBHOOKS = cluster(
            "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration");
    public static final ApiResource VALIDATING_WEBHOOKS = cluster(
            "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration");

    public static final ApiResource VALIDATING_POLICIES =
            cluster("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy");
    public static final ApiResource VALIDATING_POLICY_BINDINGS = cluster(
            "admissionregistration.k8s.io",
            "v1",
            "validatingadmissionpolicybindings",
            "ValidatingAdmissionPolicyBinding");

    /** As they are stored, which is not the version that is served when others are. */
    public static final ApiResource MUTATING_POLICIES =
            cluster("admissionregistration.k8s.io", "v1alpha1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy");

    public static final ApiResource MUTATING_POLICY_BINDINGS = cluster(
            "admissionregistration.k8s.io",
            "v1alpha1",
            "mutatingadmissionpolicybindings",
            "MutatingAdmissionPolicyBinding");

    public static final ApiResource PRIORITY_CLASSES =
            cluster("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass");
    public static final ApiResource RUNTIME_CLASSES = cluster("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass");
    public static final ApiResource STORAGE_CLASSES = cluster("storage.k8s.io", "v1", "storageclasses", "StorageClass");
    public static final ApiResource VOLUME_ATTACHMENTS =
            cluster("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment");
    public static final ApiResource INGRESS_CLASSES =
            cluster("networking.k8s.io", "v1", "ingressclasses", "IngressClass");
    public static final ApiResource SERVICE_CIDRS = cluster("networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR");
    public static final ApiResource IP_ADDRESSES = cluster("networking.k8s.io", "v1", "ipaddresses", "IPAddress");
    public static final ApiResource FLOW_SCHEMAS =
            cluster("flowcontrol.apiserver.k8s.io", "v1", "flowschemas", "FlowSchema");
    public static final ApiResource PRIORITY_LEVELS =
            cluster("flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations", "PriorityLevelConfiguration");
    public static final ApiResource LEASES = namespaced("coordination.k8s.io", "v1", "leases", "Lease");
    public static final ApiResource ENDPOINT_SLICES =
            namespaced("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice");
    public static final ApiResource RESOURCE_SLICES =
            cluster("resource.k8s.io", "v1", "resourceslices", "ResourceSlice");

    private CoreResources() {}

    private static ApiResource namespaced(String group, String version, String plural, String kind) {
        return of(group, version, plural, kind, true);
    }

    private static ApiResource cluster(String group, String version, String plural, String kind) {
        return of(group, version, plural, kind, false);
    }

    private static ApiResource of(String group, String version, String plural, String kind, boolean namespaced) {
        return new ApiResource(
                group,
                version,
                plural,
                kind.toLowerCase(java.util.Locale.ROOT),
                kind,
                namespaced,
                Set.of(),
                List.of(),
                List.of(),
                Map.of(),
                false);
    }
}
