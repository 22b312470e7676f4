package io.trimtab.node.simulated;

import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimStatus;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.storage.CSIDriver;
import io.fabric8.kubernetes.api.model.storage.CSIDriverBuilder;
import io.fabric8.kubernetes.api.model.storage.StorageClass;
import io.fabric8.kubernetes.api.model.storage.StorageClassBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Deletions;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.runtime.Driver;
import io.trimtab.volumes.Volumes;
import java.math.BigDecimal;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The storage of simulated nodes: makes volumes for the claims of its StorageClass, and takes them back. A volume is there as soon as
 * it is asked for, reaches all nodes, and holds what simulated containers write to it. A key with a namespace is a claim, one
 * without is a volume.
 *
 * <p>Volumes are directories of the host. Those whose claim names a VolumeAttributesClass are of a CSI driver, because no others
 * may have one; that driver needs no attaching, and its volumes are grown and modified here, as its sidecars would do.
 */
public final class SimulatedStorage implements Reconciler {
    /** The name of the provisioner, for StorageClasses of one's own. */
    public static final String PROVISIONER = "trimtab.io/simulated";
    /** The default StorageClass. */
    public static final String CLASS = "standard";

    /** The CSI driver of volumes with attributes. */
    public static final String DRIVER = "simulated.trimtab.io";

    /** As whom it asks for its client. */
    public static final String NAME = "simulated-storage";

    private static final String DIRECTORY = "/var/lib/trimtab/volumes/";
    private static final ResourceType<PersistentVolume> VOLUMES = ResourceType.of(PersistentVolume.class);
    private static final ResourceType<PersistentVolumeClaim> CLAIMS = ResourceType.of(PersistentVolumeClaim.class);
    private static final ResourceType<StorageClass> CLASSES = ResourceType.of(StorageClass.class);
    private static final ResourceType<CSIDriver> DRIVERS = ResourceType.of(CSIDriver.class);
    private static final Logger log = LoggerFactory.getLogger(SimulatedStorage.class);

    private final Client client;
    private final EventRecorder events;
    private final Lister<PersistentVolume> volumes;
    private final Lister<PersistentVolumeClaim> claims;
    private final Lister<StorageClass> classes;

    private SimulatedStorage(Manager manager) {
        this.client = manager.client(NAME);
        this.events = manager.events(PROVISIONER);
        this.volumes = manager.informers().informer(PersistentVolume.class).lister();
        this.claims = manager.informers().informer(PersistentVolumeClaim.class).lister();
        SharedInformer<StorageClass> informer = manager.informers().informer(StorageClass.class);
        this.classes = informer.lister();
    }

    /** Adds the storage to a manager; when that starts, the StorageClass is made unless there is one of its name. */
    public static void addTo(Manager manager) {
        SimulatedStorage storage = new SimulatedStorage(manager);
        Driver driver = manager.driver();
        manager.add(new Manager.Component() {
            @Override
            public String name() {
                return NAME;
            }

            @Override
            public void start() {
                driver.execute(storage::createClass);
            }

            @Override
            public void close() {}
        });
        manager.add(Controller.<PersistentVolumeClaim>of(
                        NAME, CLAIMS, change -> !change.isDeleted() && PROVISIONER.equals(provisioner(change.latest())))
                .watches(PersistentVolume.class, (change, queue) -> {
                    if (!change.isDeleted() && isReleased(change.latest())) {
                        queue.add(new Request("", change.latest().getMetadata().getName()));
                    }
                })
                .reconcile(storage));
    }

    private static String provisioner(PersistentVolumeClaim claim) {
        return Objects.requireNonNullElse(Volumes.annotation(claim, Volumes.PROVISIONER), "");
    }

    private void createClass() {
        try {
            client.create(
                    CLASSES,
                    new StorageClassBuilder()
                            .withNewMetadata()
                            .withName(CLASS)
                            .addToAnnotations("storageclass.kubernetes.io/is-default-class", "true")
                            .endMetadata()
                            .withProvisioner(PROVISIONER)
                            .withReclaimPolicy("Delete")
                            .withVolumeBindingMode("Immediate")
                            .withAllowVolumeExpansion(true)
                            .build());
        } catch (ApiException e) {
            if (!e.isAlreadyExists()) {
                log.atWarn().setCause(e).log("The StorageClass of the simulated storage could not be made");
            }
        }
    }

    /** Made with the first volume that needs it, and again if somebody has deleted it. */
    private void createDriver() {
        try {
            client.create(
                    DRIVERS,
                    new CSIDriverBuilder()
                            .withNewMetadata()
                            .withName(DRIVER)
                            .endMetadata()
                            .withNewSpec()
                            .withAttachRequired(false)
                            .endSpec()
                            .build());
        } catch (ApiException e) {
            if (!e.isAlreadyExists()) {
                throw e;
            }
        }
    }

    @Override
    public Result reconcile(Request request) {
        if (request.namespace().isEmpty()) {
            volumes.get(null, request.name())
                    .filter(SimulatedStorage::isReleased)
                    .ifPresent(this::remove);
        } else {
            claims.get(request.namespace(), request.name()).ifPresent(claim -> {
                if (Volumes.volumeOf(claim).isEmpty()) {
                    provision(claim);
                } else {
                    serve(claim);
                }
            });
        }
        return Result.done();
    }

    private static boolean isReleased(PersistentVolume volume) {
        return PROVISIONER.equals(Volumes.annotation(volume, Volumes.PROVISIONED_BY))
                && volume.getStatus() != null
                && "Released".equals(volume.getStatus().getPhase())
                && "Delete".equals(volume.getSpec().getPersistentVolumeReclaimPolicy())
                && volume.getMetadata().getDeletionTimestamp() == null;
    }

    private void remove(PersistentVolume volume) {
        Deletions.ifThere(client, VOLUMES, volume);
    }

    private void provision(PersistentVolumeClaim claim) {
        StorageClass storageClass = classes.get(null, Volumes.classOf(claim)).orElse(null);
        String name = "pvc-" + claim.getMetadata().getUid();
        if (claim.getMetadata().getDeletionTimestamp() != null
                || !PROVISIONER.equals(provisioner(claim))
                || storageClass == null
                || volumes.get(null, name).isPresent()) {
            return;
        }
        String key =
                claim.getMetadata().getNamespace() + "/" + claim.getMetadata().getName();
        events.normal(claim, "Provisioning", "External provisioner is provisioning volume for claim \"" + key + "\"");
        String attributes = claim.getSpec().getVolumeAttributesClassName();
        PersistentVolumeBuilder volume = new PersistentVolumeBuilder()
                .withNewMetadata()
                .withName(name)
                .addToAnnotations(Volumes.PROVISIONED_BY, PROVISIONER)
                .endMetadata()
                .withNewSpec()
                .withCapacity(claim.getSpec().getResources().getRequests())
                .withAccessModes(claim.getSpec().getAccessModes())
                .withVolumeMode(claim.getSpec().getVolumeMode())
                .withPersistentVolumeReclaimPolicy(storageClass.getReclaimPolicy())
                .withStorageClassName(Volumes.classOf(claim))
                .withVolumeAttributesClassName(attributes)
                .withMountOptions(storageClass.getMountOptions())
                .withNewClaimRef()
                .withApiVersion("v1")
                .withKind("PersistentVolumeClaim")
                .withNamespace(claim.getMetadata().getNamespace())
                .withName(claim.getMetadata().getName())
                .withUid(claim.getMetadata().getUid())
                .withResourceVersion(claim.getMetadata().getResourceVersion())
                .endClaimRef()
                .endSpec();
        try {
            if (attributes == null || attributes.isEmpty()) {
                volume.editSpec()
                        .withNewHostPath(DIRECTORY + name, "DirectoryOrCreate")
                        .endSpec();
            } else {
                createDriver();
                volume.editSpec()
                        .withNewCsi()
                        .withDriver(DRIVER)
                        .withVolumeHandle(name)
                        .endCsi()
                        .endSpec();
            }
            client.create(VOLUMES, volume.build());
        } catch (ApiException e) {
            if (!e.isAlreadyExists()) {
                events.warning(
                        claim,
                        "ProvisioningFailed",
                        "failed to provision volume with StorageClass \""
                                + storageClass.getMetadata().getName() + "\": " + e.getMessage());
                throw e;
            }
        }
        events.normal(claim, "ProvisioningSucceeded", "Successfully provisioned volume " + name);
    }

    /** Gives a bound volume of the driver the size and the class of attributes that its claim asks for. */
    private void serve(PersistentVolumeClaim claim) {
        PersistentVolume volume = volumes.get(null, Volumes.volumeOf(claim)).orElse(null);
        PersistentVolumeClaimStatus status = claim.getStatus();
        if (volume == null
                || volume.getSpec().getCsi() == null
                || !DRIVER.equals(volume.getSpec().getCsi().getDriver())
                || status == null
                || !"Bound".equals(status.getPhase())) {
            return;
        }
        Quantity size = claim.getSpec().getResources().getRequests().get("storage");
        BigDecimal has = Volumes.amount(
                status.getCapacity() == null ? null : status.getCapacity().get("storage"));
        boolean grows = Volumes.amount(size).compareTo(has) > 0;
        String attributes = claim.getSpec().getVolumeAttributesClassName();
        boolean changes = attributes != null && !attributes.equals(status.getCurrentVolumeAttributesClassName());
        if (!grows && !changes) {
            return;
        }
        PersistentVolumeBuilder wanted = new PersistentVolumeBuilder(volume);
        PersistentVolumeClaimBuilder reported = new PersistentVolumeClaimBuilder(claim);
        if (grows) {
            wanted.editSpec().addToCapacity("storage", size).endSpec();
            reported.editStatus().addToCapacity("storage", size).endStatus();
        }
        if (changes) {
            wanted.editSpec().withVolumeAttributesClassName(attributes).endSpec();
            reported.editStatus()
                    .withCurrentVolumeAttributesClassName(attributes)
                    .endStatus();
        }
        if (!wanted.build().equals(volume)) {
            client.update(VOLUMES, wanted.build());
        }
        client.updateStatus(CLAIMS, reported.build());
    }
}
