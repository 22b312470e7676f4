package io.trimtab.controllers.persistentvolume;

import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeSpec;
import io.trimtab.volumes.Volumes;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What Kubernetes' volume plugins inside the controller manager can do to volumes: little, since most became CSI drivers. Pure. */
final class InTreePlugins {
    private static final String PREFIX = "kubernetes.io/";
    private static final String HOST_PATH = "kubernetes.io/host-path";
    private static final String NFS = "kubernetes.io/nfs";

    /** Plugins that CSI drivers have taken over. */
    private static final Map<String, String> MIGRATED = Map.of(
            "kubernetes.io/aws-ebs", "ebs.csi.aws.com",
            "kubernetes.io/gce-pd", "pd.csi.storage.gke.io",
            "kubernetes.io/azure-disk", "disk.csi.azure.com",
            "kubernetes.io/azure-file", "file.csi.azure.com",
            "kubernetes.io/cinder", "cinder.csi.openstack.org",
            "kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com",
            "kubernetes.io/portworx-volume", "pxd.portworx.com");

    private InTreePlugins() {}

    /** The CSI driver that acts for the plugin; null if none does. */
    static @Nullable String driverFor(@Nullable String provisioner) {
        return provisioner == null ? null : MIGRATED.get(provisioner);
    }

    /** Why nothing makes volumes for the provisioner; null if somebody outside does. */
    static @Nullable String refusal(String provisioner) {
        if (!provisioner.startsWith(PREFIX) || MIGRATED.containsKey(provisioner)) {
            return null;
        }
        return switch (provisioner) {
            case HOST_PATH ->
                "Failed to create provisioner: provisioning in volume plugin \"kubernetes.io/host-path\" is disabled";
            case NFS -> "no provisionable volume plugin matched";
            default -> "no volume plugin matched name: " + provisioner;
        };
    }

    /**
     * What becomes of a released volume that is to be deleted.
     *
     * @param external somebody outside deletes it
     * @param failure why it cannot be deleted; null if it can
     */
    record Deletion(boolean external, @Nullable String failure) {
        private static final Deletion EXTERNAL = new Deletion(true, null);
        private static final Deletion DONE = new Deletion(false, null);

        private static Deletion failed(String why) {
            return new Deletion(false, why);
        }
    }

    static Deletion delete(PersistentVolume volume) {
        String provisioner = Volumes.annotation(volume, Volumes.PROVISIONED_BY);
        if (provisioner != null && !provisioner.isEmpty()) {
            if (!provisioner.startsWith(PREFIX)) {
                return Deletion.EXTERNAL;
            }
            if (provisioner.equals(HOST_PATH)) {
                return deleteHostPath(volume);
            }
            return Deletion.failed(
                    provisioner.equals(NFS)
                            ? "no deletable volume plugin matched"
                            : "no volume plugin matched name: " + provisioner);
        }
        if (Volumes.hasAnnotation(volume, Migration.MIGRATED_TO)
                || volume.getSpec().getCsi() != null) {
            return Deletion.EXTERNAL;
        }
        if (volume.getSpec().getHostPath() != null) {
            return deleteHostPath(volume);
        }
        String why =
                volume.getSpec().getNfs() == null ? "no volume plugin matched" : "no deletable volume plugin matched";
        return Deletion.failed("error getting deleter volume plugin for volume \""
                + volume.getMetadata().getName() + "\": " + why);
    }

    /** The plugin is for tests on one machine; what a path means here is the nodes' affair, so nothing is removed. */
    private static Deletion deleteHostPath(PersistentVolume volume) {
        var source = volume.getSpec().getHostPath();
        if (source == null) {
            return Deletion.failed("spec.PersistentVolumeSource.HostPath is nil");
        }
        String path = source.getPath() == null ? "" : source.getPath();
        // The pattern is not anchored in Kubernetes either.
        int at = path.indexOf("/tmp/");
        return at >= 0 && path.length() > at + "/tmp/".length()
                ? Deletion.DONE
                : Deletion.failed("host_path deleter only supports /tmp/.+ but received provided " + path);
    }

    /** True if a pod can wipe the volume. */
    static boolean canRecycle(PersistentVolume volume) {
        return volume.getSpec().getHostPath() != null || volume.getSpec().getNfs() != null;
    }

    /** The plugin for the kind of source of the volume, if a CSI driver has taken over from it; else null. */
    static @Nullable String migratedPlugin(PersistentVolume volume) {
        PersistentVolumeSpec spec = volume.getSpec();
        if (spec.getAwsElasticBlockStore() != null) {
            return "kubernetes.io/aws-ebs";
        }
        if (spec.getGcePersistentDisk() != null) {
            return "kubernetes.io/gce-pd";
        }
        if (spec.getAzureDisk() != null) {
            return "kubernetes.io/azure-disk";
        }
        if (spec.getAzureFile() != null) {
            return "kubernetes.io/azure-file";
        }
        if (spec.getCinder() != null) {
            return "kubernetes.io/cinder";
        }
        if (spec.getVsphereVolume() != null) {
            return "kubernetes.io/vsphere-volume";
        }
        return spec.getPortworxVolume() != null ? "kubernetes.io/portworx-volume" : null;
    }
}
