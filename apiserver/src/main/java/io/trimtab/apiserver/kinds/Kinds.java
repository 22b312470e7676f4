package io.trimtab.apiserver.kinds;

import io.trimtab.apiserver.allocation.ClusterIpAllocator;
import io.trimtab.apiserver.allocation.NodePortAllocator;
import io.trimtab.apiserver.kinds.admissionregistration.AdmissionPolicyBindingKind;
import io.trimtab.apiserver.kinds.admissionregistration.AdmissionPolicyKind;
import io.trimtab.apiserver.kinds.admissionregistration.MutatingPolicyKind;
import io.trimtab.apiserver.kinds.admissionregistration.WebhookConfigurationKind;
import io.trimtab.apiserver.kinds.apiextensions.CustomResourceDefinitionKind;
import io.trimtab.apiserver.kinds.apiregistration.ApiServiceKind;
import io.trimtab.apiserver.kinds.apps.ControllerRevisionKind;
import io.trimtab.apiserver.kinds.apps.DaemonSetKind;
import io.trimtab.apiserver.kinds.apps.DeploymentKind;
import io.trimtab.apiserver.kinds.apps.ReplicaSetKind;
import io.trimtab.apiserver.kinds.apps.StatefulSetKind;
import io.trimtab.apiserver.kinds.autoscaling.HorizontalPodAutoscalerKind;
import io.trimtab.apiserver.kinds.batch.CronJobKind;
import io.trimtab.apiserver.kinds.batch.JobKind;
import io.trimtab.apiserver.kinds.certificates.CertificateSigningRequestKind;
import io.trimtab.apiserver.kinds.coordination.LeaseKind;
import io.trimtab.apiserver.kinds.core.ConfigMapKind;
import io.trimtab.apiserver.kinds.core.EndpointsKind;
import io.trimtab.apiserver.kinds.core.LimitRangeKind;
import io.trimtab.apiserver.kinds.core.NamespaceKind;
import io.trimtab.apiserver.kinds.core.NodeKind;
import io.trimtab.apiserver.kinds.core.PersistentVolumeClaimKind;
import io.trimtab.apiserver.kinds.core.PersistentVolumeKind;
import io.trimtab.apiserver.kinds.core.PodKind;
import io.trimtab.apiserver.kinds.core.PodTemplateKind;
import io.trimtab.apiserver.kinds.core.ReplicationControllerKind;
import io.trimtab.apiserver.kinds.core.ResourceQuotaKind;
import io.trimtab.apiserver.kinds.core.SecretKind;
import io.trimtab.apiserver.kinds.core.ServiceAccountKind;
import io.trimtab.apiserver.kinds.core.ServiceAddresses;
import io.trimtab.apiserver.kinds.core.ServiceKind;
import io.trimtab.apiserver.kinds.discovery.EndpointSliceKind;
import io.trimtab.apiserver.kinds.dynamicresources.DeviceClassKind;
import io.trimtab.apiserver.kinds.dynamicresources.ResourceClaimKind;
import io.trimtab.apiserver.kinds.dynamicresources.ResourceClaimTemplateKind;
import io.trimtab.apiserver.kinds.dynamicresources.ResourceSliceKind;
import io.trimtab.apiserver.kinds.events.EventKind;
import io.trimtab.apiserver.kinds.flowcontrol.FlowSchemaKind;
import io.trimtab.apiserver.kinds.flowcontrol.PriorityLevelKind;
import io.trimtab.apiserver.kinds.networking.IngressClassKind;
import io.trimtab.apiserver.kinds.networking.IngressKind;
import io.trimtab.apiserver.kinds.networking.IpAddressKind;
import io.trimtab.apiserver.kinds.networking.NetworkPolicyKind;
import io.trimtab.apiserver.kinds.networking.ServiceCidrKind;
import io.trimtab.apiserver.kinds.node.RuntimeClassKind;
import io.trimtab.apiserver.kinds.policy.PodDisruptionBudgetKind;
import io.trimtab.apiserver.kinds.rbac.RoleBindingKind;
import io.trimtab.apiserver.kinds.rbac.RoleKind;
import io.trimtab.apiserver.kinds.scheduling.PriorityClassKind;
import io.trimtab.apiserver.kinds.storage.CsiDriverKind;
import io.trimtab.apiserver.kinds.storage.CsiNodeKind;
import io.trimtab.apiserver.kinds.storage.CsiStorageCapacityKind;
import io.trimtab.apiserver.kinds.storage.StorageClassKind;
import io.trimtab.apiserver.kinds.storage.VolumeAttachmentKind;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.KindRegistry;
import java.util.HashMap;
import java.util.Map;

/**
 * The table of behaviour: for each group and kind what to ask. Immutable; kinds that take from pools (Service) guard them
 * themselves. One instance serves one store.
 */
public final class Kinds {
    private final Map<String, Kind> table = new HashMap<>();
    private final ClusterIpAllocator clusterIps;
    private final DisabledFields disabled;

    public Kinds(KindsOptions options) {
        disabled = new DisabledFields(options.features());
        clusterIps = new ClusterIpAllocator(options.serviceCidr());
        put(
                "",
                "Service",
                new ServiceKind(new ServiceAddresses(clusterIps, new NodePortAllocator(options.nodePortRange()))));
        core();
        others();
        put("apps", "Deployment", new DeploymentKind(disabled));
        put("apps", "ReplicaSet", new ReplicaSetKind(disabled));
        put("apps", "DaemonSet", new DaemonSetKind(disabled));
        put("apps", "StatefulSet", new StatefulSetKind(disabled));
        put("apps", "ControllerRevision", new ControllerRevisionKind());
        put("batch", "Job", new JobKind(disabled));
        put("batch", "CronJob", new CronJobKind(disabled));
        put("events.k8s.io", "Event", new EventKind(true));
    }

    private void core() {
        put("", "Pod", new PodKind(disabled));
        put("", "ReplicationController", new ReplicationControllerKind(disabled));
        put("", "Namespace", new NamespaceKind());
        put("", "Node", new NodeKind());
        put("", "ConfigMap", new ConfigMapKind());
        put("", "Secret", new SecretKind());
        put("", "ServiceAccount", new ServiceAccountKind());
        put("", "Endpoints", new EndpointsKind());
        put("", "PodTemplate", new PodTemplateKind(disabled));
        put("", "PersistentVolume", new PersistentVolumeKind());
        put("", "PersistentVolumeClaim", new PersistentVolumeClaimKind());
        put("", "LimitRange", new LimitRangeKind());
        put("", "ResourceQuota", new ResourceQuotaKind());
        put("", "Event", new EventKind(false));
    }

    private void others() {
        put("networking.k8s.io", "NetworkPolicy", new NetworkPolicyKind());
        put("networking.k8s.io", "Ingress", new IngressKind());
        put("networking.k8s.io", "IngressClass", new IngressClassKind());
        put("networking.k8s.io", "IPAddress", new IpAddressKind());
        put("networking.k8s.io", "ServiceCIDR", new ServiceCidrKind());
        put("discovery.k8s.io", "EndpointSlice", new EndpointSliceKind());
        put("policy", "PodDisruptionBudget", new PodDisruptionBudgetKind());
        put("coordination.k8s.io", "Lease", new LeaseKind(disabled));
        put("rbac.authorization.k8s.io", "Role", new RoleKind(true));
        put("rbac.authorization.k8s.io", "ClusterRole", new RoleKind(false));
        put("rbac.authorization.k8s.io", "RoleBinding", new RoleBindingKind(true));
        put("rbac.authorization.k8s.io", "ClusterRoleBinding", new RoleBindingKind(false));
        put("autoscaling", "HorizontalPodAutoscaler", new HorizontalPodAutoscalerKind(disabled));
        put("scheduling.k8s.io", "PriorityClass", new PriorityClassKind());
        put("node.k8s.io", "RuntimeClass", new RuntimeClassKind());
        put("resource.k8s.io", "ResourceSlice", new ResourceSliceKind(disabled));
        put("resource.k8s.io", "ResourceClaim", new ResourceClaimKind(disabled));
        put("resource.k8s.io", "ResourceClaimTemplate", new ResourceClaimTemplateKind(disabled));
        put("resource.k8s.io", "DeviceClass", new DeviceClassKind(disabled));
        put("storage.k8s.io", "StorageClass", new StorageClassKind(false));
        put("storage.k8s.io", "VolumeAttributesClass", new StorageClassKind(true));
        put("storage.k8s.io", "CSIDriver", new CsiDriverKind(disabled));
        put("storage.k8s.io", "CSINode", new CsiNodeKind());
        put("storage.k8s.io", "VolumeAttachment", new VolumeAttachmentKind());
        put("storage.k8s.io", "CSIStorageCapacity", new CsiStorageCapacityKind());
        put("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", new WebhookConfigurationKind(false));
        put("admissionregistration.k8s.io", "MutatingAdmissionPolicy", new MutatingPolicyKind());
        put("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", new AdmissionPolicyBindingKind(false));
        put("admissionregistration.k8s.io", "MutatingWebhookConfiguration", new WebhookConfigurationKind(true));
        put("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", new AdmissionPolicyKind());
        put("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", new AdmissionPolicyBindingKind(true));
        put("apiextensions.k8s.io", "CustomResourceDefinition", new CustomResourceDefinitionKind());
        put("apiregistration.k8s.io", "APIService", new ApiServiceKind());
        put("certificates.k8s.io", "CertificateSigningRequest", new CertificateSigningRequestKind());
        put("flowcontrol.apiserver.k8s.io", "FlowSchema", new FlowSchemaKind());
        put("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", new PriorityLevelKind());
    }

    private void put(String group, String kind, Kind behaviour) {
        table.put(group + "/" + kind, behaviour);
    }

    /** The same table for the resource registry. */
    public KindRegistry registry() {
        return new KindRegistry(table);
    }

    /** The pool of cluster IPs: for the server's own Service, and to bring the store in order when a server starts. */
    public ClusterIpAllocator clusterIps() {
        return clusterIps;
    }

    /**
     * The behaviour of a kind, whatever its version.
     *
     * @return {@link Kind#PLAIN} for a kind without behaviour of its own
     */
    public Kind forGroupKind(String group, String kind) {
        return table.getOrDefault(group + "/" + kind, Kind.PLAIN);
    }
}
