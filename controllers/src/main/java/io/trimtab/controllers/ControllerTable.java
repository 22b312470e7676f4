package io.trimtab.controllers;

import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controllers.attachdetach.AttachDetachController;
import io.trimtab.controllers.bootstraptoken.BootstrapSigner;
import io.trimtab.controllers.bootstraptoken.TokenCleaner;
import io.trimtab.controllers.certificates.CertificateApprover;
import io.trimtab.controllers.certificates.CertificateCleaner;
import io.trimtab.controllers.certificates.CertificateSigner;
import io.trimtab.controllers.certificates.Signers;
import io.trimtab.controllers.clusterrole.ClusterRoleAggregationController;
import io.trimtab.controllers.cronjob.CronJobController;
import io.trimtab.controllers.daemonset.DaemonSetController;
import io.trimtab.controllers.deployment.DeploymentReconciler;
import io.trimtab.controllers.disruption.DisruptionController;
import io.trimtab.controllers.endpoints.EndpointsController;
import io.trimtab.controllers.endpointslice.EndpointSliceController;
import io.trimtab.controllers.endpointslicemirroring.EndpointSliceMirroringController;
import io.trimtab.controllers.garbagecollector.GarbageCollector;
import io.trimtab.controllers.job.JobController;
import io.trimtab.controllers.legacytokens.LegacyTokenCleaner;
import io.trimtab.controllers.namespace.NamespaceController;
import io.trimtab.controllers.nodeipam.NodeIpamController;
import io.trimtab.controllers.nodelifecycle.NodeLifecycleController;
import io.trimtab.controllers.nodettl.NodeTtlController;
import io.trimtab.controllers.persistentvolume.EphemeralVolumeController;
import io.trimtab.controllers.persistentvolume.PersistentVolumeBinder;
import io.trimtab.controllers.persistentvolume.VolumeExpander;
import io.trimtab.controllers.podautoscaler.HorizontalPodAutoscalerController;
import io.trimtab.controllers.podgc.PodGarbageCollector;
import io.trimtab.controllers.protection.VolumeProtection;
import io.trimtab.controllers.replicaset.ReplicaSetController;
import io.trimtab.controllers.replicationcontroller.ReplicationControllerController;
import io.trimtab.controllers.resourceclaim.ResourceClaimController;
import io.trimtab.controllers.resourcequota.ResourceQuotaController;
import io.trimtab.controllers.rootca.RootCaPublisher;
import io.trimtab.controllers.serviceaccount.ServiceAccountController;
import io.trimtab.controllers.serviceaccounttoken.ServiceAccountTokenController;
import io.trimtab.controllers.serviceaccounttoken.TokenKey;
import io.trimtab.controllers.servicecidr.ServiceCidrController;
import io.trimtab.controllers.statefulset.StatefulSetController;
import io.trimtab.controllers.tainteviction.TaintEvictionController;
import io.trimtab.controllers.ttlafterfinished.TtlAfterFinishedController;
import io.trimtab.features.FeatureGates;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Every controller there is, by the names that kube-controller-manager gives them. Stateless. */
public final class ControllerTable {

    /**
     * What controllers need to know that the API server does not tell.
     *
     * @param rootCertificates what clients trust the API server by, in PEM form; empty if not known: nothing is published
     * @param nodeRanges where nodes get their ranges of pod addresses from; null if they get none from us
     * @param tokenKey signs the tokens of Secrets; null to ask the API server for them
     * @param signers sign CertificateSigningRequests; null if somebody else does
     * @param unusedTokens for how long tokens of Secrets must not have been used to be cleared away
     * @param features which of Kubernetes' features are on: some controllers are there only then
     */
    public record Options(
            String rootCertificates,
            NodeIpamController.@Nullable Ranges nodeRanges,
            @Nullable TokenKey tokenKey,
            @Nullable Signers signers,
            Duration unusedTokens,
            FeatureGates features) {

        /** Nodes get no ranges, and the API server makes all tokens. */
        public Options(String rootCertificates) {
            this(rootCertificates, null, null, null, LegacyTokenCleaner.UNUSED, FeatureGates.DEFAULT);
        }

        /** The same, with ranges for nodes. */
        public Options withNodeRanges(NodeIpamController.Ranges ranges) {
            return new Options(rootCertificates, ranges, tokenKey, signers, unusedTokens, features);
        }

        /** The same, with a key for the tokens of Secrets. */
        public Options withTokenKey(TokenKey key) {
            return new Options(rootCertificates, nodeRanges, key, signers, unusedTokens, features);
        }

        /** The same, with authorities that sign requests. */
        public Options withSigners(Signers others) {
            return new Options(rootCertificates, nodeRanges, tokenKey, others, unusedTokens, features);
        }

        /** The same, with features switched on or off. */
        public Options withFeatures(FeatureGates gates) {
            return new Options(rootCertificates, nodeRanges, tokenKey, signers, unusedTokens, gates);
        }

        /** The same, with tokens of Secrets cleared away after another time. */
        public Options withUnusedTokens(Duration time) {
            return new Options(rootCertificates, nodeRanges, tokenKey, signers, time, features);
        }
    }

    /**
     * One line of the table.
     *
     * @param name as in {@code --controllers}
     * @param alias its name in releases before 1.28
     * @param byDefault whether {@code *} selects it
     */
    private record Entry(String name, String alias, boolean byDefault, BiConsumer<Manager, Options> add) {
        Entry(String name, String alias, BiConsumer<Manager, Options> add) {
            this(name, alias, true, add);
        }

        /** One that runs only where it is named. */
        static Entry off(String name, String alias, Function<Manager, Controller> controller) {
            return new Entry(name, alias, false, (manager, options) -> manager.add(controller.apply(manager)));
        }

        static Entry of(String name, String alias, Function<Manager, Controller> controller) {
            return new Entry(name, alias, (manager, options) -> manager.add(controller.apply(manager)));
        }

        /** One that Kubernetes has and that has nothing to do here. */
        static Entry idle(String name, String alias) {
            return new Entry(name, alias, (manager, options) -> {});
        }

        static Entry part(String name, String alias, Function<Manager, Manager.Component> part) {
            return new Entry(name, alias, (manager, options) -> manager.add(part.apply(manager)));
        }
    }

    private static final List<Entry> ENTRIES = List.of(
            Entry.of(
                    ReplicationControllerController.NAME,
                    "replicationcontroller",
                    ReplicationControllerController::controller),
            Entry.of(ReplicaSetController.NAME, "replicaset", ReplicaSetController::controller),
            Entry.of(DeploymentReconciler.NAME, "deployment", DeploymentReconciler::controller),
            Entry.of(DaemonSetController.NAME, "daemonset", DaemonSetController::controller),
            Entry.of(EndpointsController.NAME, "endpoint", EndpointsController::controller),
            Entry.of(EndpointSliceController.NAME, "endpointslice", EndpointSliceController::controller),
            Entry.of(
                    EndpointSliceMirroringController.NAME,
                    "endpointslicemirroring",
                    EndpointSliceMirroringController::controller),
            new Entry(JobController.NAME, "job", (manager, options) -> JobController.addTo(manager)),
            Entry.of(NamespaceController.NAME, "namespace", NamespaceController::controller),
            new Entry(GarbageCollector.NAME, "garbagecollector", (manager, options) -> GarbageCollector.addTo(manager)),
            Entry.part(PodGarbageCollector.NAME, "podgc", PodGarbageCollector::component),
            Entry.of(ServiceAccountController.NAME, "serviceaccount", ServiceAccountController::controller),
            new Entry(RootCaPublisher.NAME, "root-ca-cert-publisher", (manager, options) -> {
                if (!options.rootCertificates().isEmpty()) {
                    manager.add(RootCaPublisher.controller(manager, options.rootCertificates()));
                }
            }),
            new Entry(
                    NodeLifecycleController.NAME,
                    "nodelifecycle",
                    (manager, options) -> NodeLifecycleController.addTo(manager)),
            new Entry(
                    DisruptionController.NAME, "disruption", (manager, options) -> DisruptionController.addTo(manager)),
            Entry.of(ResourceQuotaController.NAME, "resourcequota", ResourceQuotaController::controller),
            Entry.of(TtlAfterFinishedController.NAME, "ttl-after-finished", TtlAfterFinishedController::controller),
            Entry.of(StatefulSetController.NAME, "statefulset", StatefulSetController::controller),
            Entry.of(CronJobController.NAME, "cronjob", CronJobController::controller),
            new Entry(
                    ServiceAccountTokenController.NAME,
                    "serviceaccount-token",
                    (manager, options) -> manager.add(ServiceAccountTokenController.controller(
                            manager, options.rootCertificates(), options.tokenKey()))),
            Entry.of(
                    HorizontalPodAutoscalerController.NAME,
                    "horizontalpodautoscaling",
                    HorizontalPodAutoscalerController::controller),
            Entry.of(PersistentVolumeBinder.NAME, "persistentvolume-binder", PersistentVolumeBinder::controller),
            Entry.of(VolumeExpander.NAME, "persistentvolume-expander", VolumeExpander::controller),
            Entry.of(EphemeralVolumeController.NAME, "ephemeral-volume", EphemeralVolumeController::controller),
            Entry.of(VolumeProtection.CLAIMS_NAME, "pvc-protection", VolumeProtection::claims),
            Entry.of(VolumeProtection.VOLUMES_NAME, "pv-protection", VolumeProtection::volumes),
            Entry.of(VolumeProtection.ATTRIBUTES_NAME, "vac-protection", VolumeProtection::attributes),
            Entry.of(TaintEvictionController.NAME, "taint-eviction", TaintEvictionController::controller),
            new Entry(NodeIpamController.NAME, "nodeipam", (manager, options) -> {
                if (options.nodeRanges() != null) {
                    manager.add(NodeIpamController.controller(manager, options.nodeRanges()));
                }
            }),
            new Entry(CertificateSigner.NAME, "csrsigning", (manager, options) -> {
                if (options.signers() != null) {
                    manager.add(CertificateSigner.controller(manager, options.signers()));
                }
            }),
            Entry.off(BootstrapSigner.NAME, "bootstrapsigner", BootstrapSigner::controller),
            Entry.off(TokenCleaner.NAME, "tokencleaner", TokenCleaner::controller),
            new Entry(ResourceClaimController.NAME, "resource-claim-controller", (manager, options) -> {
                if (options.features().enabled("DynamicResourceAllocation")) {
                    ResourceClaimController.addTo(manager, options.features());
                }
            }),
            new Entry(
                    LegacyTokenCleaner.NAME,
                    "legacy-service-account-token-cleaner",
                    (manager, options) -> manager.add(LegacyTokenCleaner.component(manager, options.unusedTokens()))),
            Entry.of(AttachDetachController.NAME, "attachdetach", AttachDetachController::controller),
            Entry.of(ServiceCidrController.NAME, ServiceCidrController.NAME, ServiceCidrController::controller),
            Entry.of(NodeTtlController.NAME, "ttl", NodeTtlController::controller),
            Entry.of(CertificateApprover.NAME, "csrapproving", CertificateApprover::controller),
            Entry.part(CertificateCleaner.NAME, "csrcleaner", CertificateCleaner::component),
            Entry.of(
                    ClusterRoleAggregationController.NAME,
                    "clusterrole-aggregation",
                    ClusterRoleAggregationController::controller),
            // Clouds have managers of their own; Kubernetes' knows these names and does nothing for them, either.
            Entry.idle("service-lb-controller", "service"),
            Entry.idle("node-route-controller", "route"),
            Entry.idle("cloud-node-lifecycle-controller", "cloud-node-lifecycle"),
            // Behind gates that are closed by default, or off unless named, in Kubernetes; here they do nothing yet.
            Entry.idle("device-taint-eviction-controller", "device-taint-eviction-controller"),
            Entry.idle(
                    "kube-apiserver-serving-clustertrustbundle-publisher-controller",
                    "kube-apiserver-serving-clustertrustbundle-publisher-controller"),
            Entry.idle("podcertificaterequest-cleaner-controller", "podcertificaterequest-cleaner-controller"),
            Entry.idle("selinux-warning-controller", "selinux-warning-controller"),
            Entry.idle("storage-version-migrator-controller", "svm"),
            Entry.idle("storageversion-garbage-collector-controller", "storage-version-gc"),
            // The API server checks the types of policies itself, where Kubernetes has its manager do it.
            Entry.idle("validatingadmissionpolicy-status-controller", "validatingadmissionpolicy-status-controller"));

    /** The names by which controllers ask for clients, where these have ServiceAccounts that are bound to ClusterRoles. */
    private static final Set<String> SERVICE_ACCOUNTS = Set.of(
            "attachdetach-controller",
            "certificate-controller",
            "clusterrole-aggregation-controller",
            "bootstrap-signer",
            "cronjob-controller",
            "daemon-set-controller",
            "deployment-controller",
            "disruption-controller",
            "endpoint-controller",
            "endpointslice-controller",
            "endpointslicemirroring-controller",
            "ephemeral-volume-controller",
            "expand-controller",
            "generic-garbage-collector",
            "horizontal-pod-autoscaler",
            "job-controller",
            "legacy-service-account-token-cleaner",
            "namespace-controller",
            "node-controller",
            "persistent-volume-binder",
            "pod-garbage-collector",
            "pv-protection-controller",
            "pvc-protection-controller",
            "replicaset-controller",
            "replication-controller",
            "resource-claim-controller",
            "resourcequota-controller",
            "root-ca-cert-publisher",
            "service-account-controller",
            "service-cidrs-controller",
            "statefulset-controller",
            "token-cleaner",
            "ttl-after-finished-controller",
            "ttl-controller");

    private ControllerTable() {}

    /**
     * The ServiceAccounts of {@code kube-system} as which the controllers act when each is to have no more rights than it needs:
     * Kubernetes binds each to a ClusterRole {@code system:controller:<name>}.
     */
    public static Set<String> serviceAccounts() {
        return SERVICE_ACCOUNTS;
    }

    /** The names of all controllers, sorted. */
    public static TreeSet<String> names() {
        TreeSet<String> names = new TreeSet<>();
        ENTRIES.forEach(entry -> names.add(entry.name()));
        return names;
    }

    /**
     * Adds the selected controllers to a manager.
     *
     * @param selection such as {@code *,-namespace-controller}: {@code *} for all that are on by default, a name for one, a name
     *     after a dash for all but that one
     * @throws IllegalArgumentException if the selection names a controller that there is not
     */
    public static void addTo(Manager manager, List<String> selection, Options options) {
        addTo(manager, selection, options, name -> true);
    }

    /**
     * Adds those of the selected controllers whose names pass: for a process that starts them in more than one step.
     *
     * @throws IllegalArgumentException if the selection names a controller that there is not
     */
    public static void addTo(Manager manager, List<String> selection, Options options, Predicate<String> which) {
        check(selection);
        for (Entry entry : ENTRIES) {
            if (isSelected(entry, selection) && which.test(entry.name())) {
                entry.add().accept(manager, options);
            }
        }
    }

    /** @throws IllegalArgumentException if the selection names a controller that there is not */
    public static void check(List<String> selection) {
        for (String item : selection) {
            String name = item.startsWith("-") ? item.substring(1) : item;
            if (!item.equals("*") && find(name).isEmpty()) {
                throw new IllegalArgumentException("\"" + name + "\" is not in the list of known controllers");
            }
        }
    }

    private static Optional<Entry> find(String name) {
        return ENTRIES.stream()
                .filter(entry -> entry.name().equals(name) || entry.alias().equals(name))
                .findFirst();
    }

    /** Whether a selection, as {@link #addTo} takes it, has a controller in it. */
    public static boolean isSelected(String name, List<String> selection) {
        return find(name).map(entry -> isSelected(entry, selection)).orElse(false);
    }

    private static boolean isSelected(Entry entry, List<String> selection) {
        boolean star = false;
        for (String item : selection) {
            if (item.equals(entry.name()) || item.equals(entry.alias())) {
                return true;
            }
            if (item.equals("-" + entry.name()) || item.equals("-" + entry.alias())) {
                return false;
            }
            star |= item.equals("*");
        }
        return star && entry.byDefault();
    }
}
