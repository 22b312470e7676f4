package io.trimtab.apiserver.admission;

import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.RbacEscalation;
import io.trimtab.apiserver.resource.ResourceRegistry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The plugins that are switched on, in Kubernetes' order, whatever order the flags name them in. A write goes through {@link
 * #admit}, is validated by its kind, and goes through {@link #validate}; the first refusal ends it. Immutable; safe for use by
 * any thread.
 */
public final class AdmissionChain implements AdmissionPlugin {
    // The order of Kubernetes' kubeapiserver/options/plugins.go. Names without a plugin here hold the place of what may
    // be
    // added, such as webhooks.
    private static final List<String> ORDER = List.of(
            "AlwaysAdmit",
            "NamespaceAutoProvision",
            "NamespaceLifecycle",
            "NamespaceExists",
            "LimitPodHardAntiAffinityTopology",
            "LimitRanger",
            "ServiceAccount",
            "NodeRestriction",
            "TaintNodesByCondition",
            "AlwaysPullImages",
            "ImagePolicyWebhook",
            "SecurityContextDeny",
            "PodSecurity",
            "PodNodeSelector",
            "Priority",
            "DefaultTolerationSeconds",
            "PodTolerationRestriction",
            "EventRateLimit",
            "ExtendedResourceToleration",
            "DefaultStorageClass",
            "StorageObjectInUseProtection",
            "OwnerReferencesPermissionEnforcement",
            "PersistentVolumeClaimResize",
            "RuntimeClass",
            "CertificateApproval",
            "CertificateSigning",
            "ClusterTrustBundleAttest",
            "CertificateSubjectRestriction",
            "DefaultIngressClass",
            "DenyServiceExternalIPs",
            "PodTopologyLabels",
            "MutatingAdmissionPolicy",
            "MutatingAdmissionWebhook",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionWebhook",
            "ResourceQuota",
            "AlwaysDeny");

    private static final Set<String> ON_BY_DEFAULT = Set.of(
            "NamespaceLifecycle",
            "LimitRanger",
            "ServiceAccount",
            "TaintNodesByCondition",
            "PodSecurity",
            "Priority",
            "DefaultTolerationSeconds",
            "DefaultStorageClass",
            "StorageObjectInUseProtection",
            "PersistentVolumeClaimResize",
            "RuntimeClass",
            "CertificateApproval",
            "CertificateSigning",
            "ClusterTrustBundleAttest",
            "CertificateSubjectRestriction",
            "DefaultIngressClass",
            "PodTopologyLabels",
            "MutatingAdmissionPolicy",
            "MutatingAdmissionWebhook",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionWebhook",
            "ResourceQuota");

    private final List<AdmissionPlugin> plugins;
    private final @Nullable RbacEscalation escalation;

    private AdmissionChain(List<AdmissionPlugin> plugins, @Nullable RbacEscalation escalation) {
        this.plugins = List.copyOf(plugins);
        this.escalation = escalation;
    }

    /**
     * What plugins need besides the write itself.
     *
     * @param authorizer the whole chain
     * @param resources to find out which resource an owner is
     * @param escalation checks roles and bindings, whatever is switched off; null if RBAC does not decide
     */
    public record Surroundings(
            Authorizer authorizer,
            ResourceRegistry resources,
            @Nullable RbacEscalation escalation) {}

    /**
     * The chain that flags ask for.
     *
     * @param further plugins from elsewhere, which take the place that their name has in the order
     * @param enable names to switch on besides the defaults
     * @param disable names to switch off
     * @throws IllegalArgumentException if a name is unknown, or both switched on and off
     */
    public static AdmissionChain create(
            Surroundings surroundings,
            List<AdmissionPlugin> further,
            Collection<String> enable,
            Collection<String> disable) {
        check("enable-admission-plugins", enable);
        check("disable-admission-plugins", disable);
        for (String name : enable) {
            if (disable.contains(name)) {
                throw new IllegalArgumentException(
                        name + " in enable-admission-plugins and disable-admission-plugins overlapped");
            }
        }
        Map<String, AdmissionPlugin> known = new LinkedHashMap<>();
        builtIn(surroundings).forEach(plugin -> known.put(plugin.name(), plugin));
        further.forEach(plugin -> known.put(plugin.name(), plugin));
        List<AdmissionPlugin> on = new ArrayList<>();
        for (String name : ORDER) {
            AdmissionPlugin plugin = known.remove(name);
            boolean wanted = enable.contains(name) || ON_BY_DEFAULT.contains(name) && !disable.contains(name);
            if (plugin != null && wanted) {
                on.add(plugin);
            }
        }
        on.addAll(known.values()); // names of their own come last
        return new AdmissionChain(on, surroundings.escalation());
    }

    /** These plugins, in this order. */
    public static AdmissionChain of(List<AdmissionPlugin> plugins) {
        return new AdmissionChain(plugins, null);
    }

    /** All names that flags may use, in order. */
    public static List<String> knownNames() {
        return ORDER;
    }

    /** The names of what is switched on, in order. */
    public List<String> names() {
        return plugins.stream().map(AdmissionPlugin::name).toList();
    }

    @Override
    public String name() {
        return "AdmissionChain";
    }

    /** The first phase: changes the object in place, or refuses it. */
    @Override
    public void admit(Attributes attributes) {
        Reinvocation reinvocation = new Reinvocation();
        do {
            for (AdmissionPlugin plugin : plugins) {
                plugin.admit(attributes, reinvocation);
            }
        } while (reinvocation.begin());
        if (escalation != null) {
            // After all changes, so that nothing a plugin adds gets by; before validation, as in Kubernetes.
            escalation.check(attributes);
        }
    }

    /** The second phase, after the object was validated: refuses it, or lets it be stored. */
    @Override
    public void validate(Attributes attributes) {
        for (AdmissionPlugin plugin : plugins) {
            plugin.validate(attributes);
        }
    }

    private static void check(String flag, Collection<String> names) {
        for (String name : names) {
            if (!ORDER.contains(name)) {
                throw new IllegalArgumentException(flag + " plugin \"" + name + "\" is unknown");
            }
        }
    }

    private static List<AdmissionPlugin> builtIn(Surroundings surroundings) {
        return List.of(
                new AlwaysAdmit(),
                new NamespaceAutoProvision(),
                new NamespaceLifecycle(),
                new NamespaceExists(),
                new LimitPodHardAntiAffinityTopology(),
                new LimitRanger(),
                new ServiceAccountAdmission(),
                new NodeRestriction(surroundings.authorizer()),
                new TaintNodesByCondition(),
                new AlwaysPullImages(),
                new SecurityContextDeny(),
                new PodSecurity(),
                new PodNodeSelector(),
                new PriorityAdmission(),
                new DefaultTolerationSeconds(),
                new PodTolerationRestriction(),
                new ExtendedResourceToleration(),
                new DefaultStorageClass(),
                new StorageObjectInUseProtection(),
                new OwnerReferencesPermissionEnforcement(surroundings.authorizer(), surroundings.resources()),
                new PersistentVolumeClaimResize(),
                new RuntimeClassAdmission(),
                new CertificateApproval(surroundings.authorizer()),
                new CertificateSigning(surroundings.authorizer()),
                new CertificateSubjectRestriction(),
                new DefaultIngressClass(),
                new DenyServiceExternalIps(),
                new PodTopologyLabels(),
                new ResourceQuotaAdmission(),
                new AlwaysDeny());
    }
}
