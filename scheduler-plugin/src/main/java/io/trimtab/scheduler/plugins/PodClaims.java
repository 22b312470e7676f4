package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NodeSelector;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Volume;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.volumes.Volumes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which claims a pod uses, and which nodes reach a volume. Pure. */
final class PodClaims {
    private PodClaims() {}

    /** The names of the claims that the pod's volumes name. */
    static List<String> named(PodInfo pod) {
        List<String> names = List.of();
        for (Volume volume : pod.spec().getVolumes()) {
            if (volume.getPersistentVolumeClaim() != null) {
                names = names.isEmpty() ? new ArrayList<>() : names;
                names.add(volume.getPersistentVolumeClaim().getClaimName());
            }
        }
        return names;
    }

    /** True if the claim is one that the pod uses, be it that it was made for the pod. */
    static boolean uses(PodInfo pod, @Nullable Object claim) {
        if (!(claim instanceof PersistentVolumeClaim object)
                || !pod.namespace().equals(object.getMetadata().getNamespace())) {
            return false;
        }
        for (Volume volume : pod.spec().getVolumes()) {
            if (object.getMetadata().getName().equals(Volumes.claimName(pod.pod(), volume))) {
                return true;
            }
        }
        return false;
    }

    /** True if a node with these labels can use the volume. */
    static boolean reaches(String node, Map<String, String> labels, PersistentVolume volume) {
        var affinity = volume.getSpec().getNodeAffinity();
        NodeSelector required = affinity == null ? null : affinity.getRequired();
        return required == null || NodeSelectors.matches(required, node, labels);
    }

    static long revision(HasMetadata object) {
        String text = object.getMetadata().getResourceVersion();
        return text == null || text.isEmpty() ? 0 : Long.parseLong(text);
    }
}
